import { isObject } from '#lib/json.ts'
import { isPrimitive, type Primitive, type Step } from './pattern.ts'

/**
 * What an event has at the places that a pattern names, each value tested once. Objects within lists stay apart, since the fields of
 * a pattern must fit one and the same entry of a list.
 */
export interface Values {
  /** Whether there is a value that is neither an object nor a list, here or as an entry of a list here. */
  isPresent: boolean
  /** The numbers of the fields for which one of these values holds. */
  readonly fitting: Set<number>
  readonly children: Map<string, Values>
  /** The objects and lists in a list here. */
  readonly entries: Values[]
  /** What `match.ts` found for the entries, by the fields that it asked for. */
  readonly outcomes: Map<string, Outcome>
}

/** The ways in which all fields of a step can hold. */
export interface Outcome {
  /** Each may be absent, and none has a value. */
  readonly absent: boolean
  /** One value or more is chosen, and each other field may be absent and has no value in the chosen entries. */
  readonly chosen: boolean
}

/** Lists within lists, each of which is one place. No event of ours has more than two. */
const mostLists = 100

export function valuesAt(step: Step, value: unknown): Values {
  const values = nothing()
  addTo(values, step, value, 0)
  return values
}

function nothing(): Values {
  return { isPresent: false, fitting: new Set(), children: new Map(), entries: [], outcomes: new Map() }
}

function addTo(values: Values, step: Step, value: unknown, lists: number): void {
  if (isPrimitive(value)) addPrimitive(values, step, value)
  else if (Array.isArray(value)) addList(values, step, value, lists)
  else if (isObject(value) && step.children.size > 0) addMembers(values, step, value)
}

function addPrimitive(values: Values, step: Step, value: Primitive): void {
  values.isPresent = true
  for (const field of step.fields) {
    if (!values.fitting.has(field.number) && field.tests.some((test) => test(value))) values.fitting.add(field.number)
  }
}

function addList(values: Values, step: Step, list: readonly unknown[], lists: number): void {
  for (const entry of list) {
    if (isPrimitive(entry)) {
      addPrimitive(values, step, entry)
    } else if (lists < mostLists) {
      const within = nothing()
      addTo(within, step, entry, lists + 1)
      values.entries.push(within)
    }
  }
}

function addMembers(values: Values, step: Step, object: Readonly<Record<string, unknown>>): void {
  for (const name in object) {
    if (!Object.hasOwn(object, name)) continue
    if (name.includes('.')) addDotted(values, step, name.split('.'), object[name])
    else addMember(values, step, name, object[name])
  }
}

function addMember(values: Values, step: Step, name: string, value: unknown): void {
  const next = step.children.get(name)
  if (next !== undefined) addTo(childOf(values, name), next, value, 0)
}

function addDotted(values: Values, step: Step, path: readonly string[], value: unknown): void {
  let [place, at] = [values, step]
  for (const name of path) {
    const next = at.children.get(name)
    if (next === undefined) return
    place = childOf(place, name)
    at = next
  }
  addTo(place, at, value, 0)
}

function childOf(values: Values, name: string): Values {
  const present = values.children.get(name)
  if (present !== undefined) return present
  const added = nothing()
  values.children.set(name, added)
  return added
}

/** The numbers of all fields for which a value holds anywhere. */
export function allFitting(values: Values, found = new Set<number>()): ReadonlySet<number> {
  for (const number of values.fitting) found.add(number)
  for (const next of values.children.values()) allFitting(next, found)
  for (const next of values.entries) allFitting(next, found)
  return found
}
