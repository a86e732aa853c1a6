import { sql } from 'kysely'
import { type Page, pageOf } from '#lib/page.ts'
import type { Reader } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'

/** Who of an account has a managed policy: attached, or as a permissions boundary. A policy of AWS is counted in each account alone. */
export interface PolicyUsage {
  readonly attachments: number
  readonly boundaries: number
}

export type OwnerKind = 'group' | 'role' | 'user'

export interface PolicyOwner {
  readonly kind: OwnerKind
  readonly name: string
  /** The unique id. */
  readonly id: string
}

/** Those of these policies that are used at all, by ARN. */
export async function usageOf(
  reader: Reader,
  account: AccountId,
  arns: readonly string[],
): Promise<ReadonlyMap<string, PolicyUsage>> {
  if (arns.length === 0) return new Map()
  const rows = await reader
    .selectFrom(uses(reader, account).as('use'))
    .select(['arn', 'way', (eb) => eb.fn.countAll<number>().as('count')])
    .where('arn', 'in', arns)
    .groupBy(['arn', 'way'])
    .execute()
  const usage = new Map<string, PolicyUsage>()
  for (const { arn, way, count } of rows) {
    usage.set(arn, { ...(usage.get(arn) ?? unused), [way]: Number(count) })
  }
  return usage
}

export const unused: PolicyUsage = { attachments: 0, boundaries: 0 }

/** The ARNs of those that somebody of the account has in one of these ways, for a query of policies. */
export function usedPolicies(reader: Reader, account: AccountId, ways: readonly (keyof PolicyUsage)[]) {
  return reader.selectFrom(uses(reader, account).as('use')).select('arn').where('way', 'in', ways)
}

export interface OwnersQuery {
  readonly kinds: readonly OwnerKind[]
  readonly ways: readonly (keyof PolicyUsage)[]
  readonly pathPrefix: string
  readonly limit: number
  /** The kind and the unique id of the last one of an earlier page. */
  readonly after?: readonly [kind: string, id: string] | undefined
}

/** By kind, then by unique id; each once, however it uses the policy. */
export async function listOwners(
  reader: Reader,
  account: AccountId,
  arn: string,
  { kinds, ways, pathPrefix, limit, after }: OwnersQuery,
): Promise<Page<PolicyOwner, readonly [string, string]>> {
  const [afterKind, afterId] = after ?? ['', '']
  const rows = await reader
    .selectFrom(uses(reader, account).as('use'))
    .select(['kind', 'id', 'name'])
    .distinct()
    .where('arn', '=', arn)
    .where('kind', 'in', kinds)
    .where('way', 'in', ways)
    .where((eb) => eb(eb.fn<string>('substr', ['path', eb.val(1), eb.val(pathPrefix.length)]), '=', pathPrefix))
    .where((eb) =>
      eb.or([eb('kind', '>', asKind(afterKind)), eb.and([eb('kind', '=', asKind(afterKind)), eb('id', '>', afterId)])]),
    )
    .orderBy('kind')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  return pageOf(rows, limit, ({ kind, id }) => [kind, id])
}

/** For comparing: a key of a page may be any text. */
const asKind = (text: string) => text as OwnerKind

/** Each use of any managed policy by somebody of the account. */
function uses(reader: Reader, account: AccountId) {
  const groups = reader
    .selectFrom('iam_group')
    .select([
      kindOf('group').as('kind'),
      'id',
      'name',
      'path',
      'account',
      sql<string | null>`cast(null as text)`.as('boundary_arn'),
    ])
  const roles = reader
    .selectFrom('iam_role')
    .select([kindOf('role').as('kind'), 'id', 'name', 'path', 'account', 'boundary_arn'])
  const users = reader
    .selectFrom('iam_user')
    .select([kindOf('user').as('kind'), 'id', 'name', 'path', 'account', 'boundary_arn'])
  const everybody = groups.unionAll(roles).unionAll(users)
  const attached = reader
    .selectFrom(everybody.as('owner'))
    .innerJoin('policy_attachment', 'policy_attachment.owner_id', 'owner.id')
    .select(['kind', 'id', 'name', 'path', 'policy_arn as arn', wayOf('attachments').as('way')])
    .where('owner.account', '=', account)
  const bounded = reader
    .selectFrom(everybody.as('owner'))
    .where('owner.account', '=', account)
    .where('boundary_arn', 'is not', null)
    .select([
      'kind',
      'id',
      'name',
      'path',
      (eb) => eb.ref('boundary_arn').$notNull().as('arn'),
      wayOf('boundaries').as('way'),
    ])
  return attached.unionAll(bounded)
}

const kindOf = (kind: OwnerKind) => sql<OwnerKind>`${sql.lit(kind)}`
const wayOf = (way: keyof PolicyUsage) => sql<keyof PolicyUsage>`${sql.lit(way)}`
