import type { Steps } from '#lib/steps.ts'

/**
 * What a request says of itself, by condition key: `aws:SourceIp`, `ecr:ResourceTag/team`. Keys are compared without regard
 * to case (IAM user guide, "IAM JSON policy elements: Condition"), so they are kept in lower case. A key without a value is
 * as good as absent.
 */
export type Context = Pick<ReadonlyMap<string, readonly string[]>, 'get'>

/** What a comparison of a policy's text with a request's needs: the request's values, and the steps that the decision has left. */
export interface Asking {
  readonly context: Context
  readonly steps: Steps
}

/** Keys in any case; two that differ in case alone become one key with the values of both. */
export function requestContext(
  entries: Iterable<readonly [string, string | readonly string[]]>,
): ReadonlyMap<string, readonly string[]> {
  const context = new Map<string, readonly string[]>()
  for (const [name, value] of entries) {
    const key = name.toLowerCase()
    const values = [...(context.get(key) ?? []), ...(typeof value === 'string' ? [value] : value)]
    if (values.length > 0) context.set(key, values)
  }
  return context
}
