import { invalidPattern } from './refusals.ts'

/** The one operator of an object, and its operand. @throws Refusal `EventPatternInvalid` */
export function onlyOperator<Name extends string>(
  operators: Readonly<Record<Name, unknown>>,
  object: Readonly<Record<string, unknown>>,
  path: string,
): [Name, unknown] {
  const entries = Object.entries(object)
  const [entry] = entries
  if (entry === undefined || entries.length > 1) {
    throw invalidPattern(path, { problem: 'operators', found: entries.length })
  }
  const [name, operand] = entry
  if (!isKeyOf(operators, name)) {
    throw invalidPattern(path, { problem: 'operator unknown', name, allowed: Object.keys(operators) })
  }
  return [name, operand]
}

function isKeyOf<Name extends string>(operators: Readonly<Record<Name, unknown>>, name: string): name is Name {
  return Object.hasOwn(operators, name)
}
