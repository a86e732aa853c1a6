import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { Schema } from '#metadata/schema.ts'
import type { RepositoryPrefix } from '#names/repository-prefix.ts'
import { rootPrefix } from '#names/repository-prefix.ts'
import type { RuleKey } from './rule-status.ts'

/**
 * Whether a repository falls under a rule, in SQL: it is below the rule's prefix, and below no longer prefix of another rule. `prefixes`
 * are those of all rules of the registry.
 */
export function isUnderRule(
  eb: ExpressionBuilder<Schema, 'repository'>,
  { registry, prefix }: RuleKey,
  prefixes: readonly RepositoryPrefix[],
): Expression<SqlBool> {
  const others = prefixes.filter(
    (other) => other !== prefix && other !== rootPrefix && (prefix === rootPrefix || other.startsWith(`${prefix}/`)),
  )
  return eb.and([
    eb('repository.account', '=', registry.account),
    eb('repository.region', '=', registry.region),
    ...(prefix === rootPrefix ? [] : [isBelow(eb, prefix)]),
    ...others.map((other) => eb.not(isBelow(eb, other))),
  ])
}

/** As a range of names, which an index serves. The character after a slash is a zero. */
function isBelow(eb: ExpressionBuilder<Schema, 'repository'>, prefix: RepositoryPrefix): Expression<SqlBool> {
  return eb.and([eb('repository.name', '>', `${prefix}/`), eb('repository.name', '<', `${prefix}0`)])
}
