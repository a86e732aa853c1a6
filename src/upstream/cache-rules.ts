import type { Selectable } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { PullThroughCacheRuleTable } from '#metadata/schema/upstream.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'
import { parseRepositoryPrefix, type RepositoryPrefix, rootPrefix } from '#names/repository-prefix.ts'
import { accountOfRole } from '#names/role-arn.ts'
import { type Quotas, requireRegistryWithin } from '#registry/quotas.ts'
import type { FindSecretValue } from '#secrets/upstream-credentials.ts'
import { requestEvictionNow } from './eviction-kind.ts'
import { refuse } from './refusals.ts'
import { requireCredentials } from './rule-credentials.ts'
import { defaultRuleSettings, parseRuleSettings, printRuleSettings, type RuleSettings } from './rule-settings.ts'
import {
  isOwnRegistry,
  kindOfUpstream,
  needsCredential,
  needsRole,
  type UpstreamHosts,
  type UpstreamKind,
} from './upstreams.ts'

/**
 * Rules of the pull through cache: which upstream registry the repositories below a prefix are copies of (ECR user guide, "Sync an
 * upstream registry with an Amazon ECR private registry"). Here they are kept and checked as far as a registry can by itself. A rule
 * is not stored unless its secret is there and holds credentials, as at ECR.
 */
export interface CacheRule extends RuleAccess {
  readonly registry: Registry
  readonly prefix: RepositoryPrefix
  /** Absent for a listed host that is none of ECR's upstreams. */
  readonly upstream?: UpstreamKind | undefined
  /** A host, without scheme and path. It has a port only where the operator lists one, or this deployment is served at one. */
  readonly upstreamUrl: string
  /** What stands upstream for `prefix`; nothing does where it is `ROOT` or was left out, which clients tell apart. */
  readonly upstreamPrefix?: RepositoryPrefix | undefined
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly updatedAt: number
  readonly settings: RuleSettings
}

/** As whom the upstream is asked. */
export interface RuleAccess {
  /** The ARN of a secret, by the pattern of ECR's API model; perhaps without the random characters at its end. */
  readonly credentialArn?: string | undefined
  readonly customRoleArn?: string | undefined
}

export interface NewCacheRule extends RuleAccess {
  readonly prefix: RepositoryPrefix
  readonly upstreamUrl: string
  /** Deduced from the address where it is left out. */
  readonly upstream?: UpstreamKind | undefined
  readonly upstreamPrefix?: RepositoryPrefix | undefined
}

export interface CacheRules {
  /** @throws Refusal `UpstreamsForbidden`, `CacheRuleAlreadyExists`, `QuotaExceeded` and those of its members */
  create(registry: Registry, rule: NewCacheRule): Promise<CacheRule>
  /** Changes what is given; an empty role takes it away. @throws Refusal `CacheRuleNotFound` and those of its members */
  update(registry: Registry, prefix: RepositoryPrefix, access: RuleAccess): Promise<CacheRule>
  /** Changes what is given, and leaves the time of the last update. @throws Refusal `CacheRuleNotFound` */
  changeSettings(registry: Registry, prefix: RepositoryPrefix, change: Partial<RuleSettings>): Promise<CacheRule>
  /** Repositories that it filled stay. @throws Refusal `CacheRuleNotFound` */
  delete(registry: Registry, prefix: RepositoryPrefix): Promise<CacheRule>
  /** @throws Refusal `CacheRuleNotFound` */
  get(registry: Registry, prefix: RepositoryPrefix): Promise<CacheRule>
  /** Those of these prefixes, in their order. @throws Refusal `CacheRuleNotFound` for the first that is missing */
  getAll(registry: Registry, prefixes: readonly RepositoryPrefix[]): Promise<CacheRule[]>
  /** By prefix. `after` is the key of an earlier page. */
  list(registry: Registry, page: { limit: number; after?: string | undefined }): Promise<Page<CacheRule, string>>
}

/** Of a prefix, by ECR's API model. A creation template's may have one. */
const leastCharacters = 2

export function createCacheRules({
  metadata,
  clock,
  quotas,
  hosts,
  findSecretValue,
}: {
  metadata: Metadata
  clock: Clock
  quotas: Quotas
  hosts: UpstreamHosts
  findSecretValue: FindSecretValue
}): CacheRules {
  return {
    async create(registry, { prefix, upstreamUrl, upstream, upstreamPrefix, ...given }) {
      if (prefix.length < leastCharacters) throw refuse('CacheRulePrefixTooShort', { isUpstream: false })
      if ((upstreamPrefix ?? rootPrefix).length < leastCharacters) {
        throw refuse('CacheRulePrefixTooShort', { isUpstream: true })
      }
      if (hosts.areForbidden) throw refuse('UpstreamsForbidden', { url: upstreamUrl })
      const kind = parseUpstream(registry, { upstreamUrl, upstream }, hosts)
      if (prefix === rootPrefix && upstreamPrefix !== undefined && upstreamPrefix !== rootPrefix) {
        throw refuse('RootUpstreamPrefixed', {})
      }
      const access = parseAccess(registry, upstreamUrl, given, hosts)
      await requireCredentials(findSecretValue, registry, access.credential_arn)
      return metadata.transaction(async (trx) => {
        const now = clock()
        const row = await trx
          .insertInto('pull_through_cache_rule')
          .values({
            account: registry.account,
            region: registry.region,
            prefix,
            upstream: kind,
            upstream_url: upstreamUrl,
            upstream_prefix: upstreamPrefix ?? null,
            ...access,
            ...printRuleSettings(defaultRuleSettings),
            created_at: now,
            updated_at: now,
          })
          .onConflict((conflict) => conflict.columns(['account', 'region', 'prefix']).doNothing())
          .returningAll()
          .executeTakeFirst()
        if (row === undefined) throw refuse('CacheRuleAlreadyExists', { registry, prefix })
        await requireRegistryWithin(trx, quotas, 'pullThroughCacheRules', registry, selectRules(trx, registry))
        return parseRule(registry, row)
      })
    },

    async update(registry, prefix, given) {
      // A rule that is not there, and a secret that is elsewhere, are refused before the secret is read.
      accessAfter(await this.get(registry, prefix), given, hosts)
      await requireCredentials(findSecretValue, registry, given.credentialArn)
      return metadata.transaction(async (trx) => {
        const row = await selectRules(trx, registry).where('prefix', '=', prefix).forUpdate().executeTakeFirst()
        if (row === undefined) throw refuse('CacheRuleNotFound', { registry, prefix })
        const access = accessAfter(parseRule(registry, row), given, hosts)
        const written = { ...access, updated_at: clock() }
        await updateRule(trx, registry, prefix).set(written).execute()
        return parseRule(registry, { ...row, ...written })
      })
    },

    changeSettings: (registry, prefix, change) =>
      metadata.transaction(async (trx) => {
        const row = await selectRules(trx, registry).where('prefix', '=', prefix).forUpdate().executeTakeFirst()
        if (row === undefined) throw refuse('CacheRuleNotFound', { registry, prefix })
        const written = printRuleSettings({ ...parseRuleSettings(row), ...change })
        await updateRule(trx, registry, prefix).set(written).execute()
        const rule = parseRule(registry, { ...row, ...written })
        await requestEvictionNow(trx, rule, clock())
        return rule
      }),

    delete: (registry, prefix) =>
      metadata.transaction(async (trx) => {
        const row = await trx
          .deleteFrom('pull_through_cache_rule')
          .where('account', '=', registry.account)
          .where('region', '=', registry.region)
          .where('prefix', '=', prefix)
          .returningAll()
          .executeTakeFirst()
        if (row === undefined) throw refuse('CacheRuleNotFound', { registry, prefix })
        return parseRule(registry, row)
      }),

    async get(registry, prefix) {
      const row = await selectRules(metadata.reader, registry).where('prefix', '=', prefix).executeTakeFirst()
      if (row === undefined) throw refuse('CacheRuleNotFound', { registry, prefix })
      return parseRule(registry, row)
    },

    async getAll(registry, prefixes) {
      const rows = await selectRules(metadata.reader, registry)
        .where('prefix', 'in', [...prefixes])
        .execute()
      const found = new Map(rows.map((row) => [row.prefix, parseRule(registry, row)]))
      return prefixes.map((prefix) => {
        const rule = found.get(prefix)
        if (rule === undefined) throw refuse('CacheRuleNotFound', { registry, prefix })
        return rule
      })
    },

    async list(registry, { limit, after }) {
      const rows = await selectRules(metadata.reader, registry)
        .$if(after !== undefined, (query) => query.where('prefix', '>', after ?? ''))
        .orderBy('prefix')
        .limit(limit + 1)
        .execute()
      const rules = rows.map((row) => parseRule(registry, row))
      return pageOf(rules, limit, ({ prefix }) => prefix)
    },
  }
}

/** The rules of all registries that have a limit of bytes. */
export async function readLimitedRules(reader: Reader): Promise<CacheRule[]> {
  const rows = await reader
    .selectFrom('pull_through_cache_rule')
    .selectAll()
    .where('max_bytes', 'is not', null)
    .orderBy('account')
    .orderBy('region')
    .orderBy('prefix')
    .execute()
  return rows.map((row) => parseRule({ account: parseAccountId(row.account), region: parseRegion(row.region) }, row))
}

/** All rules of a registry, by prefix. */
export async function readRules(reader: Reader, registry: Registry): Promise<CacheRule[]> {
  const rows = await selectRules(reader, registry).orderBy('prefix').execute()
  return rows.map((row) => parseRule(registry, row))
}

function selectRules(reader: Reader, { account, region }: Registry) {
  return reader
    .selectFrom('pull_through_cache_rule')
    .selectAll()
    .where('account', '=', account)
    .where('region', '=', region)
}

function updateRule(trx: Transaction, { account, region }: Registry, prefix: RepositoryPrefix) {
  return trx
    .updateTable('pull_through_cache_rule')
    .where('account', '=', account)
    .where('region', '=', region)
    .where('prefix', '=', prefix)
}

function parseRule(registry: Registry, row: Selectable<PullThroughCacheRuleTable>): CacheRule {
  return {
    registry,
    prefix: parseRepositoryPrefix(row.prefix),
    // Parsed when it was written.
    upstream: row.upstream === 'other' ? undefined : (row.upstream as UpstreamKind),
    upstreamUrl: row.upstream_url,
    upstreamPrefix: row.upstream_prefix === null ? undefined : parseRepositoryPrefix(row.upstream_prefix),
    credentialArn: row.credential_arn ?? undefined,
    customRoleArn: row.custom_role_arn ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    settings: parseRuleSettings(row),
  }
}

/** @throws Refusal `UpstreamUnsupported`, `UpstreamKindMismatch` */
function parseUpstream(
  registry: Registry,
  { upstreamUrl: url, upstream: named }: Pick<NewCacheRule, 'upstreamUrl' | 'upstream'>,
  hosts: UpstreamHosts,
): UpstreamKind | 'other' {
  const kind = kindOfUpstream(url, hosts)
  if (kind === undefined || isOwnRegistry(url, registry, hosts)) throw refuse('UpstreamUnsupported', { url })
  if (named !== undefined && named !== kind) throw refuse('UpstreamKindMismatch', { upstream: kind })
  return kind
}

/** What a rule has after a change. @throws Refusal those of `parseAccess` */
function accessAfter(present: CacheRule, change: RuleAccess, hosts: UpstreamHosts) {
  const { credentialArn = present.credentialArn, customRoleArn = present.customRoleArn } = change
  return parseAccess(present.registry, present.upstreamUrl, { credentialArn, customRoleArn }, hosts)
}

/** @throws Refusal `CredentialMissing`, `CredentialElsewhere`, `RoleMissing`, `RoleInvalid` */
function parseAccess(
  registry: Registry,
  url: string,
  { credentialArn, customRoleArn }: RuleAccess,
  hosts: UpstreamHosts,
): Pick<PullThroughCacheRuleTable, 'credential_arn' | 'custom_role_arn'> {
  if (credentialArn === undefined && needsCredential(url, hosts)) throw refuse('CredentialMissing', { url })
  if (credentialArn !== undefined && !isSecretOf(registry, credentialArn)) {
    throw refuse('CredentialElsewhere', { registry })
  }
  if (!customRoleArn && needsRole(url, registry, hosts)) throw refuse('RoleMissing', { url })
  if (customRoleArn && accountOfRole(customRoleArn) !== registry.account) throw refuse('RoleInvalid', { registry })
  return { credential_arn: credentialArn ?? null, custom_role_arn: customRoleArn || null }
}

function isSecretOf({ account, region }: Registry, arn: string): boolean {
  const [, , , ofRegion, ofAccount] = arn.split(':')
  return ofRegion === region && ofAccount === account
}

/** Names a rule among those of all registries. */
export function ruleName({ registry, prefix }: Pick<CacheRule, 'registry' | 'prefix'>): string {
  return `${registry.account}/${registry.region}/${prefix}`
}
