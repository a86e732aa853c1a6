import type { Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import { refuseSession } from './session-refusals.ts'

/**
 * How many sessions one caller may have: every principal may ask for them without a permission, and each is a row. A session is counted for
 * the caller that opened the first of its chain, so that sessions that open sessions share one quota.
 */
export type SessionOpener =
  /** The unique id of a user, or the account's number for its root. */
  | { readonly kind: 'principal'; readonly id: string }
  /** A caller with a session, by the access key of that. */
  | { readonly kind: 'session'; readonly accessKeyId: string }
  /** The subject of an identity provider. */
  | { readonly kind: 'web identity'; readonly provider: string; readonly subject: string }

/** Ended sessions stay for a while, since their authorization tokens do. Of live and ended ones together there may be so many times the quota. */
const keptPerLive = 10

/**
 * Who a new session is counted for, which locks the account: of sessions that are opened at once, each sees those before it.
 *
 * @throws Refusal `SessionQuotaExceeded`
 */
export async function requireSessionQuota(
  trx: Transaction,
  account: AccountId,
  opener: SessionOpener,
  limit: number,
  now: number,
): Promise<string> {
  await trx.selectFrom('account').select('id').where('id', '=', account).forNoKeyUpdate().execute()
  const openedBy = await openedByOf(trx, opener)
  const live = await isFull(trx, openedBy, limit, now)
  if (live || (await isFull(trx, openedBy, limit * keptPerLive, 0)))
    throw refuseSession('SessionQuotaExceeded', { limit: live ? limit : limit * keptPerLive, live })
  return openedBy
}

async function isFull(trx: Transaction, openedBy: string, limit: number, since: number): Promise<boolean> {
  if (limit === Number.POSITIVE_INFINITY) return false
  if (limit === 0) return true
  const last = await trx
    .selectFrom('session')
    .select('id')
    .where('opened_by', '=', openedBy)
    .where('expires_at', '>', since)
    .orderBy('expires_at', 'desc')
    .offset(limit - 1)
    .limit(1)
    .executeTakeFirst()
  return last !== undefined
}

async function openedByOf(trx: Transaction, opener: SessionOpener): Promise<string> {
  switch (opener.kind) {
    case 'principal':
      return opener.id
    case 'web identity':
      return `${opener.provider} ${opener.subject}`
    case 'session': {
      const { accessKeyId } = opener
      const row = await trx.selectFrom('session').select('opened_by').where('id', '=', accessKeyId).executeTakeFirst()
      return row?.opened_by || accessKeyId
    }
  }
}
