import { isObject } from '#lib/json.ts'
import type { Asking } from './context.ts'
import { textsOf } from './json.ts'
import { type OperatorName, operators } from './operators.ts'
import { malformed } from './refusals.ts'

/**
 * The `Condition` element: its grammar, and whether it holds for a request. All conditions must hold; of the values of one
 * condition any suffices (IAM user guide, "Creating a condition with multiple keys or values").
 */
export interface Condition {
  readonly operator: OperatorName
  /** How the values of a key with several are taken together; without it any will do, or none where the operator is a denial. */
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined
  /** A missing key satisfies the condition. */
  readonly ifExists: boolean
  /** In lower case. */
  readonly key: string
  readonly values: readonly string[]
}

interface Syntax {
  readonly variables: boolean
}

const sets = new Map([
  ['forallvalues', 'ForAllValues'],
  ['foranyvalue', 'ForAnyValue'],
] as const)

const operatorNames = new Map<string, OperatorName>(
  // The keys of a literal object are its type's keys.
  (Object.keys(operators) as OperatorName[]).map((name) => [name.toLowerCase(), name]),
)

/** @throws Refusal `PolicyMalformed` */
export function parseConditions(value: unknown, at: string, syntax: Syntax): readonly Condition[] {
  if (value === undefined) return []
  if (!isObject(value)) throw malformed('syntax', at)
  return Object.entries(value).flatMap(([name, block]) => {
    const place = `${at}.${name}`
    if (!isObject(block)) throw malformed('syntax', place)
    // IAM takes any name above an empty block.
    if (Object.keys(block).length === 0) return []
    const operator = parseOperator(name, place)
    return Object.entries(block).map(([key, values]) => {
      // A provider's keys begin with its address, which has slashes: `oidc.example.com/id/1:sub`. IAM takes keys without a prefix.
      if (!/^[^\s:]+(?::\S|$)/.test(key)) throw malformed('condition key', place, key)
      return {
        ...operator,
        key: key.toLowerCase(),
        values: parseValues(values, `${place}.${key}`, operator.operator, syntax),
      }
    })
  })
}

/** `ForAllValues:StringLikeIfExists`, in any case. */
function parseOperator(name: string, at: string): Pick<Condition, 'operator' | 'set' | 'ifExists'> {
  const [, prefix, base = '', suffix] = /^(?:([a-z]+):)?([a-z]+?)(ifexists)?$/.exec(name.toLowerCase()) ?? []
  const operator = operatorNames.get(base)
  // The type of a `Map` of literals does not take any text for a key.
  const set = sets.get(prefix as 'forallvalues')
  const ifExists = suffix !== undefined
  if (operator === undefined || (prefix !== undefined && set === undefined))
    throw malformed('condition operator', at, name)
  if (operator === 'Null' && (ifExists || set !== undefined)) throw malformed('condition operator', at, name)
  return { operator, set, ifExists }
}

function parseValues(value: unknown, at: string, operator: OperatorName, syntax: Syntax): readonly string[] {
  const { comparison } = operators[operator]
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const texts = textsOf(
    list.map((one) => (typeof one === 'number' || typeof one === 'boolean' ? String(one) : one)),
    at,
  )
  for (const { text, at } of texts) {
    if (comparison.accepts(text, syntax)) continue
    throw malformed(comparison.takesVariables ? 'variable' : 'condition value', at, text)
  }
  return texts.map(({ text }) => text)
}

/** Whether all of them hold. */
export function compileConditions(conditions: readonly Condition[], syntax: Syntax): (asking: Asking) => boolean {
  const tests = conditions.map((condition) => compileCondition(condition, syntax))
  return (asking) => tests.every((holds) => holds(asking))
}

/** To look a key up in the request. */
const stepsPerKey = 10

/**
 * With a set operator each value of the request is tested by itself. Without values all of them satisfy anything and none
 * satisfies it, whatever `IfExists` says; a set of empty texts is one without values. Without a set operator a missing key
 * fails the test, but for a denial, which it satisfies.
 */
function compileCondition({ operator, set, ifExists, key, values }: Condition, syntax: Syntax) {
  const { negated, comparison } = operators[operator]
  const matches = comparison.compile(values, syntax)
  if (operator === 'Null') {
    return (asking: Asking) => {
      asking.steps.spend(stepsPerKey)
      return matches(String(asking.context.get(key) === undefined), asking)
    }
  }
  return (asking: Asking): boolean => {
    const requested = asking.context.get(key)
    // Each value of the request is compared with each of the policy.
    asking.steps.spend(stepsPerKey + (requested?.length ?? 0) * (1 + values.length))
    if (set === undefined) {
      return requested === undefined
        ? ifExists || negated
        : requested.some((value) => matches(value, asking)) !== negated
    }
    const empty = requested === undefined || requested.every((value) => value === '')
    if (set === 'ForAllValues') return empty || requested.every((value) => matches(value, asking) !== negated)
    return !empty && requested.some((value) => matches(value, asking) !== negated)
  }
}
