import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import { rootArn } from '#names/arn.ts'
import { ensureAccount } from './accounts.ts'
import type { Principal } from './principal.ts'

/**
 * Access keys: the pairs that sign requests. An account has one root key, which the settings give or the first start
 * generates; however many processes start at once, all of them end with the same.
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

export interface AccessKey {
  readonly secret: string
  readonly principal: Principal
}

/** How long another process may go on using a key after it was replaced. */
const rememberedForMs = 5_000
const rememberedKeys = 1_000

export class AccessKeys {
  readonly #metadata: Metadata
  readonly #clock: Clock
  readonly #remembered = new BoundedMap<string, { readonly key: AccessKey; readonly readAt: number }>(rememberedKeys)
  readonly #select: (parameters: { id: string }) => Promise<readonly AccessKeyRow[]>

  constructor({ metadata, clock }: { metadata: Metadata; clock: Clock }) {
    this.#metadata = metadata
    this.#clock = clock
    this.#select = metadata.prepare<{ id: string }, AccessKeyRow>((db, parameter) =>
      db
        .selectFrom('access_key')
        .select(['account', 'secret', 'created_at'])
        .where('id', '=', parameter('id'))
        .where('user_id', 'is', null)
        .where('status', '=', 'Active'),
    )
  }

  /**
   * The root key of `account`, which is created with it. One that is `given` replaces what is stored, and is taken from
   * any account that had it.
   */
  async ensureRoot(account: AccountId, given?: RootKey): Promise<EnsuredRoot> {
    const key = await this.#metadata.transaction(async (trx) => {
      const now = this.#clock()
      const first = await ensureAccount(trx, account, now)
      const stored = await findRoot(trx, account)
      if (given !== undefined && !isSame(given, stored)) {
        return { ...(await replaceRoot(trx, account, given, now)), first, generated: false }
      }
      if (stored !== undefined) return { ...stored, first, generated: false }
      return { ...(await replaceRoot(trx, account, generateKey(), now)), first, generated: true }
    })
    this.#remembered.clear()
    return key
  }

  /** Remembers what it finds for five seconds, so that a signed request costs no SQL. */
  async find(accessKeyId: string): Promise<AccessKey | undefined> {
    const now = this.#clock()
    const remembered = this.#remembered.get(accessKeyId)
    if (remembered !== undefined && Math.abs(now - remembered.readAt) < rememberedForMs) return remembered.key
    // An id comes from whoever asks. PostgreSQL refuses text that holds NUL.
    if (!/^\w{1,128}$/.test(accessKeyId)) return undefined
    const [row] = await this.#select({ id: accessKeyId })
    if (row === undefined) {
      this.#remembered.delete(accessKeyId)
      return undefined
    }
    // Written by `ensureRoot`, which takes no other text than an account's.
    const account = row.account as AccountId
    const key = { secret: row.secret, principal: rootPrincipal(account, accessKeyId, row.created_at) }
    this.#remembered.set(accessKeyId, { key, readAt: now })
    return key
  }
}

interface AccessKeyRow {
  readonly account: string
  readonly secret: string
  readonly created_at: number
}

function isSame(given: RootKey, stored: RootKey | undefined): boolean {
  return given.accessKeyId === stored?.accessKeyId && given.secretAccessKey === stored.secretAccessKey
}

function rootPrincipal(account: AccountId, accessKeyId: string, accessKeySince: number): Principal {
  return Object.freeze({ account, arn: rootArn(account), userId: account, accessKeyId, accessKeySince })
}

async function findRoot(trx: Transaction, account: AccountId): Promise<RootKey | undefined> {
  return trx
    .selectFrom('access_key')
    .select(['id as accessKeyId', 'secret as secretAccessKey'])
    .where('account', '=', account)
    .where('user_id', 'is', null)
    .where('status', '=', 'Active')
    .orderBy('created_at')
    .executeTakeFirst()
}

async function replaceRoot(trx: Transaction, account: AccountId, key: RootKey, now: number): Promise<RootKey> {
  const { accessKeyId: id, secretAccessKey: secret } = key
  await trx
    .deleteFrom('access_key')
    .where((eb) => eb.and([eb('account', '=', account), eb('user_id', 'is', null), eb('id', '!=', id)]))
    .execute()
  // Never the same time twice under one id, whatever the clock does: tokens know the secret they belong to by it.
  const later = sql<number>`case when access_key.created_at >= ${now} then access_key.created_at + 1 else ${now} end`
  await trx
    .insertInto('access_key')
    .values({ id, account, secret, created_at: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ account, secret, created_at: later }))
    .execute()
  return key
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** In the shapes that AWS gives them, which tools look for when they search for leaked keys. 30 bytes make 40 characters. */
export function generateKey(): RootKey {
  const letters = Array.from(randomBytes(16), (byte) => base32.charAt(byte % base32.length))
  return { accessKeyId: `AKIA${letters.join('')}`, secretAccessKey: randomBytes(30).toString('base64') }
}
