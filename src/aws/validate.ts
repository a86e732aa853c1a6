import {
  type ApiModel,
  type BlobShape,
  type ListShape,
  type MapShape,
  type NumberShape,
  type Shape,
  type StringShape,
  type StructureShape,
  shapeOf,
} from './api-model.ts'
import { serializationFailure } from './aws-error.ts'
import { secretMembers } from './secrets.ts'
import { atLeast, atMost, FoundViolations, oneOf, patternText, type Violations } from './violations.ts'

/**
 * Reads JSON by the API model: what comes out has the types that the generated interfaces promise, and keeps every
 * constraint of its shape. Each shape is compiled once into a closure; reading builds fresh objects of known
 * members only, as ECR ignores others (no shape of ours holds itself). Violations are worded as the service words them: ECR
 * names the first, other services join several.
 */
export type Read = (value: unknown, path: string) => unknown

/** Where a service departs from its own model, by shape. */
export interface Constraints {
  /** Decides instead of the model's pattern: a text that must match whole. */
  readonly pattern?: string
  /** What an error quotes instead of the pattern that decided. */
  readonly quoted?: string
}

export interface ReaderOptions {
  readonly constraints: Readonly<Record<string, Constraints>>
  /** Shapes whose constraints the operation answers for itself, such as a digest that is reported per item. */
  readonly unchecked: readonly string[]
  readonly violations: Violations
}

/**
 * A reader of the named shape. `path` is the place of the value, as `violations` has it. The reader throws AwsError:
 * `SerializationException` for a wrong JSON type, what `violations` says for a violation.
 */
export function compileReader(model: ApiModel, shapeName: string, options: ReaderOptions): Read {
  const compile = (name: string): Read => readerOf(model, name, options, compile)
  return compile(shapeName)
}

function readerOf(model: ApiModel, name: string, options: ReaderOptions, compile: (name: string) => Read): Read {
  const shape = shapeOf(model, name)
  const checked = !options.unchecked.includes(name)
  const { violations } = options
  switch (shape.type) {
    case 'structure':
      return structureReader(shape, violations, (member, shapeName) =>
        secretMembers.has(`${name}.${member}`)
          ? readerOf(model, shapeName, { ...options, violations: unshown(violations) }, compile)
          : compile(shapeName),
      )
    case 'list':
      return listReader(shape, checked, violations, {
        read: compile(shape.member.shape),
        constraints: constraintsOf(shapeOf(model, shape.member.shape)),
      })
    case 'map':
      return mapReader(shape, compile)
    case 'string':
      return stringReader(shape, checked, violations, options.constraints[name] ?? {})
    case 'integer':
    case 'long':
    case 'double':
      return numberReader(shape, checked, violations)
    case 'blob':
      return blobReader(shape, checked, violations)
    case 'boolean':
      return (value, path) => (typeof value === 'boolean' ? value : wrongType(path, 'a boolean'))
    case 'timestamp':
      return (value, path) =>
        typeof value === 'number' && Math.abs(value) <= mostSeconds
          ? new Date(Math.round(value * 1000))
          : wrongType(path, 'epoch seconds')
  }
}

/** From the epoch, either way, which a `Date` can tell. */
const mostSeconds = 8.64e12

function structureReader(
  { members: refs, required }: StructureShape,
  violations: Violations,
  compile: (member: string, shapeName: string) => Read,
): Read {
  const members = Object.entries(refs).map(
    ([name, ref]) => [name, compile(name, ref.shape), required?.includes(name) ?? false] as const,
  )
  return (value, path) => {
    if (!isObject(value)) return wrongType(path, 'an object')
    const result: Record<string, unknown> = {}
    const found = new FoundViolations()
    for (const [name, read, isRequired] of members) {
      const member = value[name]
      try {
        // AWS JSON 1.1 takes null for absent.
        if (member !== undefined && member !== null) result[name] = read(member, violations.member(path, name))
        else if (isRequired) throw violations.absent(violations.member(path, name))
      } catch (error) {
        found.add(error)
      }
    }
    found.end()
    return result
  }
}

/** Errors reach records and logs, where a secret must not stand. */
function unshown(violations: Violations): Violations {
  return {
    ...violations,
    constraint: (path, constraint) => violations.constraint(path, constraint, undefined),
    pattern: (path, quoted) => violations.pattern(path, quoted, undefined),
  }
}

interface Items {
  readonly read: Read
  /** Of a text; undefined for other items. */
  readonly constraints: readonly string[] | undefined
}

function constraintsOf(shape: Shape): string[] | undefined {
  if (shape.type !== 'string') return undefined
  return [
    ...(shape.max === undefined ? [] : [atMost(shape.max)]),
    ...(shape.min === undefined ? [] : [atLeast(shape.min)]),
    ...(shape.pattern === undefined ? [] : [patternText(shape.pattern)]),
    ...(shape.enum === undefined ? [] : [oneOf(shape.enum)]),
  ]
}

function listReader(
  { min, max }: ListShape,
  checked: boolean,
  violations: Violations,
  { read, constraints }: Items,
): Read {
  return (value, path) => {
    if (!Array.isArray(value)) return wrongType(path, 'a list')
    if (checked) checkLength(value.length, { min, max }, violations, path, value)
    const found = new FoundViolations()
    const items = value.map((item, index) => {
      const place = violations.item(path, index)
      try {
        if (item === null) throw violations.absent(place)
        return read(item, place)
      } catch (error) {
        if (violations.items && constraints && FoundViolations.joins(error)) throw violations.items(path, constraints)
        return found.add(error)
      }
    })
    found.end()
    return items
  }
}

function mapReader({ key, value: item }: MapShape, compile: (name: string) => Read): Read {
  const readKey = compile(key.shape)
  const readItem = compile(item.shape)
  return (value, path) => {
    if (!isObject(value)) return wrongType(path, 'an object')
    // Keys are the client's: `fromEntries` defines them, where an assignment to `__proto__` would do something else.
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [readKey(name, path), readItem(member, path)]),
    )
  }
}

function stringReader(shape: StringShape, checked: boolean, violations: Violations, constraints: Constraints): Read {
  const source = constraints.pattern ?? shape.pattern
  const pattern = source === undefined ? undefined : new RegExp(`^(?:${source})$`, source.includes('\\p{') ? 'u' : '')
  const quoted = constraints.quoted ?? source ?? ''
  const values = shape.enum === undefined ? undefined : new Set(shape.enum)
  return (value, path) => {
    if (typeof value !== 'string') return wrongType(path, 'a string')
    if (!checked) return value
    const shown = shape.sensitive ? undefined : value
    const found = new FoundViolations()
    try {
      checkLength(value.length, shape, violations, path, shown)
    } catch (error) {
      found.add(error)
    }
    // The greatest length bounds the work of the pattern.
    if (value.length > (shape.max ?? Number.POSITIVE_INFINITY)) found.end()
    if (pattern !== undefined && !pattern.test(value)) found.add(violations.pattern(path, quoted, shown))
    if (values !== undefined && !values.has(value)) {
      found.add(violations.constraint(path, oneOf(values), shown))
    }
    found.end()
    return value
  }
}

function numberReader({ type, min, max }: NumberShape, checked: boolean, { constraint }: Violations): Read {
  const isNumber: (value: unknown) => boolean = type === 'double' ? Number.isFinite : Number.isSafeInteger
  const wanted = type === 'double' ? 'a number' : 'a whole number'
  return (value, path) => {
    if (!isNumber(value)) return wrongType(path, wanted)
    const number = Number(value)
    if (checked && min !== undefined && number < min) {
      throw constraint(path, `Member must have value greater than or equal to ${min}`, number)
    }
    if (checked && max !== undefined && number > max) {
      throw constraint(path, `Member must have value less than or equal to ${max}`, number)
    }
    return number
  }
}

function blobReader(shape: BlobShape, checked: boolean, violations: Violations): Read {
  return (value, path) => {
    const bytes = typeof value === 'string' ? decodeBase64(value) : undefined
    if (bytes === undefined) return wrongType(path, 'base64')
    if (checked) checkLength(bytes.byteLength, shape, violations, path, undefined)
    return bytes
  }
}

/**
 * Bytes of padded base64 in the standard alphabet. `Buffer` skips what it cannot read, and reads the URL-safe alphabet
 * too; a text that it read whole has the length that its bytes ask for.
 */
function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || text.includes('-') || text.includes('_')) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = Buffer.from(text, 'base64')
  return bytes.byteLength === (text.length / 4) * 3 - padding ? bytes : undefined
}

function checkLength(
  length: number,
  { min, max }: { readonly min?: number | undefined; readonly max?: number | undefined },
  { constraint }: Violations,
  path: string,
  shown: unknown,
): void {
  if (min !== undefined && length < min) {
    throw constraint(path, atLeast(min), shown)
  }
  if (max !== undefined && length > max) {
    throw constraint(path, atMost(max), shown)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrongType(path: string, wanted: string): never {
  throw serializationFailure(
    path === '' ? `The request must be ${wanted}.` : `The value of '${path}' must be ${wanted}.`,
  )
}
