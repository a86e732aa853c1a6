import type { ChangeIam } from '#iam/changes.ts'
import { refuseEntity } from '#iam/entity-refusals.ts'
import { type Tag, type Tags, withoutTags, withTags } from '#iam/identities/tags.ts'
import { uniqueId } from '#iam/identities/unique-id.ts'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import { awsManagedPolicies } from './aws-managed.ts'
import {
  getManagedPolicy,
  lockOwnPolicy,
  type ManagedPolicy,
  ofAws,
  parseManagedPolicy,
  requireManagedDocument,
} from './managed-policy.ts'
import {
  listOwners,
  type OwnersQuery,
  type PolicyOwner,
  type PolicyUsage,
  unused,
  usageOf,
  usedPolicies,
} from './usage.ts'
import { insertVersion } from './versions.ts'

/**
 * Managed policies: those that an account makes, under names that are unique without regard to case, and those of AWS, which are
 * listed with them and cannot be changed. One that somebody has, or that has older versions, is not deleted.
 */
export interface NewManagedPolicy {
  readonly name: string
  readonly path: string
  readonly description: string | undefined
  readonly document: string
  readonly tags: readonly Tag[]
}

export interface PolicyFilter {
  readonly owners: readonly ManagedPolicy['owner'][]
  readonly pathPrefix: string
  /** Only those that somebody of the account has in one of these ways; all without any. */
  readonly ways: readonly (keyof PolicyUsage)[]
}

export interface UsedPolicy extends ManagedPolicy {
  readonly usage: PolicyUsage
}

export interface ManagedPolicies {
  /** @throws Refusal `EntityExists`, `EntityQuotaExceeded`, `PolicyMalformed` */
  create(account: AccountId, policy: NewManagedPolicy): Promise<ManagedPolicy>
  /** @throws Refusal `EntityNotFound` */
  get(account: AccountId, arn: string): Promise<UsedPolicy>
  /** By ARN, those of AWS last. `after` is the ARN of the last one of an earlier page. */
  list(
    account: AccountId,
    filter: PolicyFilter,
    page: { readonly limit: number; readonly after?: string | undefined },
  ): Promise<Page<UsedPolicy, string>>
  /** Who of the account has the policy: by kind, then by unique id. @throws Refusal `EntityNotFound` */
  owners(account: AccountId, arn: string, query: OwnersQuery): Promise<Page<PolicyOwner, readonly [string, string]>>
  /** With the one version that is left of it. @throws Refusal `EntityNotFound`, `EntityUnmodifiable`, `EntityInUse` */
  delete(account: AccountId, arn: string): Promise<void>
  /** @throws Refusal `EntityNotFound`, `EntityUnmodifiable` and those of tags */
  addTags(account: AccountId, arn: string, tags: readonly Tag[]): Promise<void>
  /** @throws Refusal `EntityNotFound`, `EntityUnmodifiable` */
  removeTags(account: AccountId, arn: string, keys: readonly string[]): Promise<void>
}

export function createManagedPolicies(parts: { reader: Reader; change: ChangeIam; clock: Clock }): ManagedPolicies {
  const { reader, change, clock } = parts

  function changeTags(account: AccountId, arn: string, changed: (tags: Tags) => Tags): Promise<void> {
    return change(async (trx) => {
      const { tags } = await lockOwnPolicy(trx, account, arn)
      await trx
        .updateTable('managed_policy')
        .set({ tags: JSON.stringify(changed(tags)) })
        .where('arn', '=', arn)
        .execute()
    })
  }

  return {
    async create(account, policy) {
      requireManagedDocument(policy.document)
      return change((trx) => insertPolicy(trx, account, policy, clock()))
    },

    async get(account, arn) {
      const policy = await getManagedPolicy(reader, account, arn)
      const usage = await usageOf(reader, account, [arn])
      return { ...policy, usage: usage.get(arn) ?? unused }
    },

    async list(account, filter, { limit, after }) {
      const wanted = { account, filter, limit: limit + 1 }
      const own = filter.owners.includes('account') ? await selectOwn(reader, { ...wanted, after }) : []
      const aws = filter.owners.includes('aws') ? await selectAws(reader, { ...wanted, after }) : []
      const { items, ...page } = pageOf([...own, ...aws], limit, ({ arn }) => arn)
      return { ...page, items: await withUsage(reader, account, items) }
    },

    async owners(account, arn, query) {
      await getManagedPolicy(reader, account, arn)
      return listOwners(reader, account, arn, query)
    },

    delete: (account, arn) =>
      change(async (trx) => {
        await lockOwnPolicy(trx, account, arn)
        if ((await usageOf(trx, account, [arn])).has(arn)) throw refuseEntity('EntityInUse', { by: 'attachments' })
        const versions = await trx
          .selectFrom('managed_policy_version')
          .select('version')
          .where('policy_arn', '=', arn)
          .limit(2)
          .execute()
        if (versions.length > 1) throw refuseEntity('EntityInUse', { by: 'versions' })
        await trx.deleteFrom('managed_policy_version').where('policy_arn', '=', arn).execute()
        await trx.deleteFrom('managed_policy').where('arn', '=', arn).execute()
      }),

    addTags: (account, arn, added) => changeTags(account, arn, (tags) => withTags(tags, added)),
    removeTags: (account, arn, keys) => changeTags(account, arn, (tags) => withoutTags(tags, keys)),
  }
}

async function withUsage(
  reader: Reader,
  account: AccountId,
  policies: readonly ManagedPolicy[],
): Promise<UsedPolicy[]> {
  const usage = await usageOf(
    reader,
    account,
    policies.map(({ arn }) => arn),
  )
  return policies.map((policy) => ({ ...policy, usage: usage.get(policy.arn) ?? unused }))
}

async function insertPolicy(
  trx: Transaction,
  account: AccountId,
  { name, path, description, document, tags }: NewManagedPolicy,
  now: number,
): Promise<ManagedPolicy> {
  const arn = `arn:aws:iam::${account}:policy${path}${name}`
  const row = await trx
    .insertInto('managed_policy')
    .values({
      ...{ arn, id: uniqueId('ANPA'), account, name, name_key: name.toLowerCase(), path },
      ...{ description: description ?? null, created_at: now, updated_at: now, default_version: 1, last_version: 1 },
      tags: JSON.stringify(withTags({}, tags)),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) throw refuseEntity('EntityExists', { kind: 'policy', name })
  await insertVersion(trx, arn, { number: 1, document, createdAt: now })
  return parseManagedPolicy(row)
}

interface Wanted {
  readonly account: AccountId
  readonly filter: PolicyFilter
  readonly limit: number
  readonly after: string | undefined
}

async function selectOwn(reader: Reader, wanted: Wanted): Promise<ManagedPolicy[]> {
  const { account, filter, limit, after } = wanted
  const { pathPrefix, ways } = filter
  const rows = await reader
    .selectFrom('managed_policy')
    .selectAll()
    .where('account', '=', account)
    .where((eb) => eb(eb.fn<string>('substr', ['path', eb.val(1), eb.val(pathPrefix.length)]), '=', pathPrefix))
    .$if(after !== undefined, (query) => query.where('arn', '>', after ?? ''))
    .$if(ways.length > 0, (query) => query.where('arn', 'in', usedPolicies(reader, account, ways)))
    .orderBy('arn')
    .limit(limit)
    .execute()
  return rows.map(parseManagedPolicy)
}

/** They come after all others, since `aws` comes after every account's number. */
async function selectAws(reader: Reader, { account, filter, after = '' }: Wanted): Promise<ManagedPolicy[]> {
  const { pathPrefix, ways } = filter
  const policies = [...awsManagedPolicies.values()].filter(
    ({ arn, path }) => arn > after && path.startsWith(pathPrefix),
  )
  if (ways.length === 0) return policies.map(ofAws)
  const used = await withUsage(reader, account, policies.map(ofAws))
  return used.filter(({ usage }) => ways.some((way) => usage[way] > 0))
}
