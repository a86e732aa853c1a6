import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import { uniqueId } from './identities/unique-id.ts'
import type { SecretBox } from './secret-box.ts'
import { requireSessionQuota, type SessionOpener } from './session-quota.ts'

/**
 * Temporary credentials, as STS gives them: an access key, its secret and a token without which both are worth nothing. They
 * stand for their owner as it is at each use, within their own policies, until they expire.
 */
type SessionOwnerKind = 'root' | 'user' | 'role'

export interface SessionPolicy {
  readonly name: string
  readonly document: string
}

export type SessionFacts = Readonly<Record<string, string | string[]>>

export interface NewSession {
  readonly account: AccountId
  readonly owner: { readonly kind: SessionOwnerKind; readonly id: string }
  readonly name?: string
  readonly policies: readonly SessionPolicy[]
  readonly facts: SessionFacts
  readonly seconds: number
  readonly opener: SessionOpener
}

export interface TemporaryCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** Milliseconds since the epoch, a whole second. */
  readonly expiresAt: number
}

export interface Sessions {
  /** @throws Refusal `SessionQuotaExceeded` */
  create(session: NewSession): Promise<TemporaryCredentials>
}

/** An authorization token that a session asks for in its last second is good for twelve hours; then some, for clocks that differ. */
const keptAfterExpiryMs = 13 * 3_600_000
/** How many rows whoever adds one removes at most: more than one, so that they do not pile up. */
const removedAtOnce = 20

export interface SessionsParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly box: Pick<SecretBox, 'seal'>
  readonly quotas: SessionQuotas
}

/** How many live sessions one caller may have. */
export interface SessionQuotas {
  readonly sessionsPerPrincipal: number
}

export function createSessions({ metadata, clock, box, quotas }: SessionsParts): Sessions {
  return {
    async create({ account, owner, name, policies, facts, seconds, opener }) {
      const now = clock()
      const accessKeyId = uniqueId('ASIA')
      const secretAccessKey = randomBytes(30).toString('base64')
      const sessionToken = randomBytes(192).toString('base64')
      const expiresAt = Math.floor(now / 1000 + seconds) * 1000
      await metadata.transaction(async (trx) => {
        await removeExpired(trx, now)
        const openedBy = await requireSessionQuota(trx, account, opener, quotas.sessionsPerPrincipal, now)
        await trx
          .insertInto('session')
          .values({
            id: accessKeyId,
            secret: box.seal(secretAccessKey),
            token_hash: createHash('sha256').update(sessionToken).digest('base64'),
            account,
            owner_kind: owner.kind,
            owner_id: owner.id,
            name: name ?? null,
            policies: JSON.stringify(policies),
            facts: JSON.stringify(facts),
            issued_at: now,
            expires_at: expiresAt,
            opened_by: openedBy,
          })
          .execute()
      })
      return { accessKeyId, secretAccessKey, sessionToken, expiresAt }
    },
  }
}

async function removeExpired(trx: Transaction, now: number): Promise<void> {
  const expired = trx
    .selectFrom('session')
    .select('id')
    .where('expires_at', '<', now - keptAfterExpiryMs)
    .orderBy('expires_at')
    .limit(removedAtOnce)
  await trx.deleteFrom('session').where('id', 'in', expired).execute()
}
