import { type Circumstances, type Conditions, userAgentOf } from '#iam/circumstances.ts'
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
    ...{ accessKeyId: principal.accessKeyId, owner, conditions: boundedConditions(conditions) },
    // As much as a condition on it sees.
    circumstances: { ...circumstances, userAgent: userAgentOf(circumstances) },
  }
  return JSON.stringify(recorded)
}

/** What `printDenial` wrote. */
export function parseDenial(text: string): RecordedDenial {
  return JSON.parse(text) as RecordedDenial
}

/** Of all conditions together, in characters of JSON. */
const longestConditions = 2_048

/** A value that was cut would answer otherwise, so that the values that do not fit are left out. */
function boundedConditions(conditions: Conditions): RecordedDenial['conditions'] {
  let room = longestConditions
  const bounded: (readonly [string, string | readonly string[]])[] = []
  for (const condition of conditions) {
    const { length } = JSON.stringify(condition)
    if (length > room) continue
    room -= length
    bounded.push(condition)
  }
  return bounded
}
