import type { Circumstances, Conditions } from '#iam/circumstances.ts'
import type { Denial } from '#iam/refusals.ts'
import type { Registry } from '#names/registry.ts'
import type { AuditedCall } from './call.ts'

/** What a record keeps of a request that was denied, so that the same question can be asked again later. */
export interface RecordedDenial extends Omit<Denial, 'principalArn'> {
  readonly principalArn: string
  readonly accessKeyId: string
  readonly owner: Registry['account']
  readonly circumstances: Circumstances
  readonly conditions: readonly (readonly [key: string, value: string | readonly string[]])[]
}

/** As JSON; null for a call that nobody denied. */
export function printDenial({ principal, owner, circumstances, error }: AuditedCall): string | null {
  const { denial, conditions = [] } = error ?? {}
  if (denial === undefined || principal === undefined) return null
  const recorded: RecordedDenial = {
    ...denial,
    ...{ accessKeyId: principal.accessKeyId, owner, circumstances, conditions: boundedConditions(conditions) },
  }
  return JSON.stringify(recorded)
}

/** What `printDenial` wrote. */
export function parseDenial(text: string): RecordedDenial {
  return JSON.parse(text) as RecordedDenial
}

/** More than an operation's tags make. */
const mostConditions = 200
const longestValue = 4_096

/** A value that was cut would answer otherwise, so that one too long is left out. */
function boundedConditions(conditions: Conditions): RecordedDenial['conditions'] {
  return [...conditions].slice(0, mostConditions).filter(([, value]) => JSON.stringify(value).length <= longestValue)
}
