import { isOfPartition } from './arn-rules.ts'
import { textsOf } from './json.ts'
import { arnComponents } from './match.ts'
import { malformed } from './refusals.ts'
import { isFixed, parseTemplate } from './template.ts'

/** The elements `Action`, `NotAction`, `Resource` and `NotResource`. */
export interface Patterns {
  /** `NotAction` or `NotResource`: all but these. */
  readonly negated: boolean
  readonly patterns: readonly string[]
}

/** IAM takes names that no service has, such as `service-prefix:action-name`. */
const actionPattern = /^(?:[a-z0-9.-]+|\*):[a-z0-9*?_. -]+$/i

/**
 * `service:Name` with wildcards in the name, `*:Name`, or `*` (IAM user guide, "IAM JSON policy elements: Action").
 *
 * @throws Refusal `PolicyMalformed`
 */
export function parseActions(
  value: unknown,
  at: string,
  { negated, permits }: { negated: boolean; permits: (action: string) => boolean },
): Patterns {
  const actions = textsOf(value, at)
  if (actions.length === 0) throw malformed('action missing', at)
  for (const { text, at } of actions) {
    if (text !== '*' && !actionPattern.test(text)) throw malformed('action', at, text)
    if (!permits(text.toLowerCase())) throw malformed('action not allowed', at, text)
  }
  return { negated, patterns: actions.map(({ text }) => text) }
}

/**
 * An ARN with wildcards, or `*`; variables only in what follows the fifth colon (IAM user guide, "IAM JSON policy elements:
 * Resource" and "Variables and tags").
 *
 * @throws Refusal `PolicyMalformed`
 */
export function parseResources(
  value: unknown,
  at: string,
  { negated, variables }: { negated: boolean; variables: boolean },
): Patterns {
  const resources = textsOf(value, at)
  if (resources.length === 0) throw malformed('resource missing', at)
  for (const { text, at } of resources) {
    if (text === '*') continue
    if (!text.startsWith('arn:')) throw malformed(isOfPartition(text) ? 'resource' : 'resource partition', at, text)
    const parts = parseTemplate(text, { wildcards: true, variables })
    if (parts === undefined) throw malformed('variable', at, text)
    if (!arnComponents(parts).slice(0, -1).every(isFixed)) throw malformed('variable', at, text)
  }
  return { negated, patterns: resources.map(({ text }) => text) }
}
