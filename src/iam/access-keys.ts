import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import { ensureAccount } from './accounts.ts'
import type { SecretBox } from './secret-box.ts'

/**
 * An account's root key, which the settings give or the first start generates; however many processes start at once, all of
 * them end with the same.
 */

export interface RootKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface EnsuredRoot extends RootKey {
  /** True for exactly one caller: the one that created the account. */
  readonly first: boolean
  /** True for exactly one caller: the one that must show the secret, now or never. */
  readonly generated: boolean
}

/**
 * The root key of `account`, which is created with it. One that is `given` replaces what is stored, and is taken from any
 * account that had it.
 */
export function ensureRoot(
  { metadata, clock, box }: { readonly metadata: Metadata; readonly clock: Clock; readonly box: SecretBox },
  account: AccountId,
  given?: RootKey,
): Promise<EnsuredRoot> {
  return metadata.transaction(async (trx) => {
    const now = clock()
    const first = await ensureAccount(trx, account, now)
    const stored = await findRoot(trx, account, given?.accessKeyId, box)
    const replace = (key: RootKey) => replaceRoot(trx, account, key, { now, box })
    if (given !== undefined && !isSame(given, stored)) return { ...(await replace(given)), first, generated: false }
    if (stored !== undefined) return { ...stored, first, generated: false }
    return { ...(await replace(generateKey())), first, generated: true }
  })
}

function isSame(given: RootKey, stored: RootKey | undefined): boolean {
  return given.accessKeyId === stored?.accessKeyId && given.secretAccessKey === stored.secretAccessKey
}

/** The account's root key of that id, or else its oldest. */
async function findRoot(
  trx: Transaction,
  account: AccountId,
  id: string | undefined,
  box: SecretBox,
): Promise<RootKey | undefined> {
  const rows = await trx
    .selectFrom('access_key')
    .select(['id', 'secret'])
    .where('account', '=', account)
    .where('user_id', 'is', null)
    .where('status', '=', 'Active')
    .orderBy('created_at')
    .execute()
  const row = rows.find((row) => row.id === id) ?? rows[0]
  return row && { accessKeyId: row.id, secretAccessKey: box.open(row.secret) }
}

async function replaceRoot(
  trx: Transaction,
  account: AccountId,
  key: RootKey,
  { now, box }: { readonly now: number; readonly box: SecretBox },
): Promise<RootKey> {
  const id = key.accessKeyId
  const sealed = box.seal(key.secretAccessKey)
  await trx
    .deleteFrom('access_key')
    .where('account', '=', account)
    .where('user_id', 'is', null)
    .where('id', '!=', id)
    .execute()
  // Never the same time twice under one id, whatever the clock does: tokens know the secret they belong to by it.
  const later = sql<number>`case when access_key.created_at >= ${now} then access_key.created_at + 1 else ${now} end`
  await trx
    .insertInto('access_key')
    .values({ id, account, secret: sealed, created_at: now })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ account, secret: sealed, created_at: later, user_id: null, status: 'Active' }),
    )
    .execute()
  return key
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** In the shapes that AWS gives them, which tools look for when they search for leaked keys. 30 bytes make 40 characters. */
export function generateKey(prefix: 'AKIA' | 'ASIA' = 'AKIA'): RootKey {
  const letters = Array.from(randomBytes(16), (byte) => base32.charAt(byte % base32.length))
  return { accessKeyId: `${prefix}${letters.join('')}`, secretAccessKey: randomBytes(30).toString('base64') }
}
