import type { ChangeIam } from '#iam/changes.ts'
import { refuseEntity } from '#iam/entity-refusals.ts'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import { awsManagedPolicies } from './aws-managed.ts'
import {
  findManagedPolicy,
  getManagedPolicy,
  lockOwnPolicy,
  type ManagedPolicy,
  requireManagedDocument,
} from './managed-policy.ts'

/**
 * The versions of managed policies (IAM user guide, "Versioning IAM policies"): up to five, of which one is in force. A version's
 * document never changes, and its number is never given again.
 */
export interface PolicyVersion {
  /** `v<number>` on the wire. */
  readonly number: number
  readonly document: string
  readonly createdAt: number
  readonly inForce: boolean
}

export interface PolicyVersions {
  /** @throws Refusal `EntityNotFound`, `EntityUnmodifiable`, `EntityQuotaExceeded`, `PolicyMalformed` */
  create(
    account: AccountId,
    arn: string,
    document: string,
    options: { readonly inForce: boolean },
  ): Promise<PolicyVersion>
  /** @throws Refusal `EntityNotFound` */
  get(account: AccountId, arn: string, number: number): Promise<PolicyVersion>
  /** The newest first. `after` is the number of the last one of an earlier page. @throws Refusal `EntityNotFound` */
  list(
    account: AccountId,
    arn: string,
    page: { readonly limit: number; readonly after?: number | undefined },
  ): Promise<Page<PolicyVersion, number>>
  /** @throws Refusal `EntityNotFound`, `EntityUnmodifiable`, `EntityInUse` for the one in force */
  delete(account: AccountId, arn: string, number: number): Promise<void>
  /** @throws Refusal `EntityNotFound`, `EntityUnmodifiable` */
  putInForce(account: AccountId, arn: string, number: number): Promise<void>
}

/** Imposed by IAM. */
const mostVersions = 5

export function createPolicyVersions(parts: { reader: Reader; change: ChangeIam; clock: Clock }): PolicyVersions {
  const { reader, change, clock } = parts
  return {
    async create(account, arn, document, { inForce }) {
      requireManagedDocument(document)
      return change(async (trx) => {
        await lockOwnPolicy(trx, account, arn)
        await requireRoom(trx, arn)
        const createdAt = clock()
        const { last_version: number } = await trx
          .updateTable('managed_policy')
          .set((eb) => ({
            last_version: eb('last_version', '+', 1),
            updated_at: createdAt,
            ...(inForce && { default_version: eb('last_version', '+', 1) }),
          }))
          .where('arn', '=', arn)
          .returning('last_version')
          .executeTakeFirstOrThrow()
        await insertVersion(trx, arn, { number, document, createdAt })
        return { number, document, createdAt, inForce }
      })
    },

    async get(account, arn, number) {
      const policy = await findManagedPolicy(reader, account, arn)
      const [version] = policy === undefined ? [] : await selectVersions(reader, policy, { limit: 1, number })
      if (version === undefined) throw missing(arn, number)
      return version
    },

    async list(account, arn, { limit, after }) {
      const policy = await getManagedPolicy(reader, account, arn)
      const versions = await selectVersions(reader, policy, { limit: limit + 1, after })
      return pageOf(versions, limit, ({ number }) => number)
    },

    delete: (account, arn, number) =>
      change(async (trx) => {
        const { defaultVersion } = await lockOwnPolicy(trx, account, arn)
        if (number === defaultVersion) throw refuseEntity('EntityInUse', { by: 'default version' })
        const { numDeletedRows } = await trx
          .deleteFrom('managed_policy_version')
          .where('policy_arn', '=', arn)
          .where('version', '=', number)
          .executeTakeFirst()
        if (numDeletedRows === 0n) throw missing(arn, number)
      }),

    putInForce: (account, arn, number) =>
      change(async (trx) => {
        if ((await findManagedPolicy(trx, account, arn)) === undefined) throw missing(arn, number)
        const policy = await lockOwnPolicy(trx, account, arn)
        const [version] = await selectVersions(trx, policy, { limit: 1, number })
        if (version === undefined) throw missing(arn, number)
        await trx
          .updateTable('managed_policy')
          .set({ default_version: number, updated_at: clock() })
          .where('arn', '=', arn)
          .execute()
      }),
  }
}

export async function insertVersion(
  trx: Transaction,
  arn: string,
  { number, document, createdAt }: Omit<PolicyVersion, 'inForce'>,
): Promise<void> {
  await trx
    .insertInto('managed_policy_version')
    .values({ policy_arn: arn, version: number, document, created_at: createdAt })
    .execute()
}

async function selectVersions(
  reader: Reader,
  { arn, owner, defaultVersion }: ManagedPolicy,
  wanted: { readonly limit: number; readonly number?: number; readonly after?: number | undefined },
): Promise<PolicyVersion[]> {
  const { limit, number, after } = wanted
  const rows =
    owner === 'aws'
      ? versionsOfAws(arn).filter(({ version }) => version === (number ?? version) && version < (after ?? Infinity))
      : await reader
          .selectFrom('managed_policy_version')
          .select(['version', 'document', 'created_at'])
          .where('policy_arn', '=', arn)
          .$if(number !== undefined, (query) => query.where('version', '=', number ?? 0))
          .$if(after !== undefined, (query) => query.where('version', '<', after ?? 0))
          .orderBy('version', 'desc')
          .limit(limit)
          .execute()
  return rows.map(({ version, document, created_at }) => ({
    ...{ number: version, document, createdAt: created_at },
    inForce: version === defaultVersion,
  }))
}

function versionsOfAws(arn: string) {
  const policy = awsManagedPolicies.get(arn)
  return policy ? [{ version: policy.version, document: policy.document, created_at: policy.createdAt }] : []
}

/** @throws Refusal `EntityQuotaExceeded` */
async function requireRoom(trx: Transaction, arn: string): Promise<void> {
  const versions = await trx
    .selectFrom('managed_policy_version')
    .select('version')
    .where('policy_arn', '=', arn)
    .limit(mostVersions)
    .execute()
  if (versions.length < mostVersions) return
  throw refuseEntity('EntityQuotaExceeded', { quota: 'policy versions', limit: mostVersions })
}

function missing(arn: string, number: number) {
  return refuseEntity('EntityNotFound', { kind: 'policy version', name: `${arn} version v${number}` })
}
