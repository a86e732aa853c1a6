import { generateKey } from '#iam/access-keys.ts'
import type { ChangeIam } from '#iam/changes.ts'
import { refuseEntity } from '#iam/entity-refusals.ts'
import { getOwner, lockOwner } from '#iam/identities/owners.ts'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'

/**
 * The access keys that users and the root of an account sign with, as their owners manage them: two at most, so that one can
 * take the other's place without a gap. A secret is shown once, when its key is made, and stored sealed.
 */
export interface KeyOwner {
  readonly account: AccountId
  /** The name; the root of the account without one. */
  readonly user: string | undefined
}

export interface KeyFacts {
  readonly id: string
  readonly status: KeyStatus
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

export type KeyStatus = 'Active' | 'Inactive'

export interface KeyUse {
  /** Undefined for a key of the root. */
  readonly user: string | undefined
  readonly last: { readonly at: number; readonly service: string; readonly region: string } | undefined
}

export interface ManagedKeys {
  /** @throws Refusal `EntityNotFound`, `EntityQuotaExceeded` */
  create(owner: KeyOwner): Promise<KeyFacts & { readonly secret: string }>
  /** By id. @throws Refusal `EntityNotFound` */
  list(owner: KeyOwner, page: { limit: number; after?: string | undefined }): Promise<Page<KeyFacts, string>>
  /** @throws Refusal `EntityNotFound` */
  setStatus(owner: KeyOwner, id: string, status: KeyStatus): Promise<void>
  /** @throws Refusal `EntityNotFound` */
  delete(owner: KeyOwner, id: string): Promise<void>
  /** Undefined where the account has no such key. */
  findUse(account: AccountId, id: string): Promise<KeyUse | undefined>
}

/** Imposed by IAM ("IAM and AWS STS quotas"). */
const mostKeys = 2

export interface ManagedKeyParts {
  readonly reader: Reader
  readonly change: ChangeIam
  readonly clock: Clock
  /** Seals a secret for the database. */
  readonly box: { seal(text: string): string }
}

export function createManagedKeys({ reader, change, clock, box }: ManagedKeyParts): ManagedKeys {
  return {
    create: (owner) =>
      change(async (trx) => {
        const userId = await lockKeyOwner(trx, owner)
        const present = await keysOf(trx, owner.account, userId).select('id').execute()
        if (present.length >= mostKeys) {
          throw refuseEntity('EntityQuotaExceeded', { quota: 'access keys of a user', limit: mostKeys })
        }
        const { accessKeyId: id, secretAccessKey: secret } = generateKey()
        const createdAt = clock()
        await trx
          .insertInto('access_key')
          .values({ id, account: owner.account, secret: box.seal(secret), created_at: createdAt, user_id: userId })
          .execute()
        return { id, secret, status: 'Active', createdAt }
      }),

    async list(owner, { limit, after = '' }) {
      const userId = owner.user === undefined ? null : (await getOwner(reader, userRef(owner, owner.user))).id
      const rows = await keysOf(reader, owner.account, userId)
        .select(['id', 'status', 'created_at'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseKey), limit, ({ id }) => id)
    },

    setStatus: (owner, id, status) =>
      change(async (trx) => {
        await requireKey(trx, owner, id)
        await trx.updateTable('access_key').set({ status }).where('id', '=', id).execute()
      }),

    delete: (owner, id) =>
      change(async (trx) => {
        await requireKey(trx, owner, id)
        await trx.deleteFrom('access_key').where('id', '=', id).execute()
      }),

    async findUse(account, id) {
      const row = await reader
        .selectFrom('access_key as key')
        .leftJoin('iam_user as user', 'user.id', 'key.user_id')
        .select(['user.name', 'key.last_used_at as at', 'key.last_used_service', 'key.last_used_region'])
        .where('key.id', '=', id)
        .where('key.account', '=', account)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const { name, at, last_used_service: service, last_used_region: region } = row
      return {
        user: name ?? undefined,
        last: at === null || service === null || region === null ? undefined : { at, service, region },
      }
    },
  }
}

function userRef({ account }: KeyOwner, name: string) {
  return { account, kind: 'user', name } as const
}

/** The user's id, or null for the root. Whoever makes or takes away keys of one owner waits for another who does. */
async function lockKeyOwner(trx: Transaction, owner: KeyOwner): Promise<string | null> {
  if (owner.user !== undefined) return (await lockOwner(trx, userRef(owner, owner.user))).id
  await trx.selectFrom('account').select('id').where('id', '=', owner.account).forNoKeyUpdate().execute()
  return null
}

async function requireKey(trx: Transaction, owner: KeyOwner, id: string): Promise<void> {
  const userId = await lockKeyOwner(trx, owner)
  const row = await keysOf(trx, owner.account, userId).select('id').where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw refuseEntity('EntityNotFound', { kind: 'access key', name: id })
}

function keysOf(reader: Reader, account: AccountId, userId: string | null) {
  return reader
    .selectFrom('access_key')
    .where('account', '=', account)
    .where((eb) => (userId === null ? eb('user_id', 'is', null) : eb('user_id', '=', userId)))
}

function parseKey(row: { readonly id: string; readonly status: string; readonly created_at: number }): KeyFacts {
  return { id: row.id, status: row.status === 'Active' ? 'Active' : 'Inactive', createdAt: row.created_at }
}
