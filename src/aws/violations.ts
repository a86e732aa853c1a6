import { AwsError } from './aws-error.ts'

/** How a service tells of an input that breaks its model: how it names the place, and in what frame it puts the constraint. */
export interface Violations {
  /** The place of a structure's member, given the structure's. */
  member(path: string, name: string): string
  /** The place of a list's item, given the list's. */
  item(path: string, index: number): string
  absent(path: string): AwsError
  /** `shown` is the value, where a text may show it. */
  constraint(path: string, constraint: string, shown: unknown): AwsError
  pattern(path: string, quoted: string, shown: unknown): AwsError
  /**
   * Names a list of texts or numbers by itself, with all constraints of its items, where the service does so. Without it each
   * item is named by its place.
   */
  readonly items?: (path: string, constraints: readonly string[]) => AwsError
}

/** ECR names the innermost member alone. */
export const ecrViolations: Violations = {
  member: (_, name) => name,
  item: (path) => path,
  absent: (path) => invalidParameter(path, 'Member must not be null'),
  constraint: invalidParameter,
  pattern: (path, quoted) => invalidParameter(path, `must satisfy regular expression '${quoted}'`),
}

function invalidParameter(path: string, constraint: string): AwsError {
  return new AwsError(
    'InvalidParameterException',
    `Invalid parameter at '${path}' failed to satisfy constraint: '${constraint}'`,
  )
}

/** An error that counts and lists what it found. ECR's errors name one violation each. */
class ValidationFailure extends AwsError {
  readonly details: readonly string[]

  constructor(code: string, details: readonly string[]) {
    const { length } = details
    super(code, `${length} validation error${length === 1 ? '' : 's'} detected: ${details.join('; ')}`)
    this.details = details
  }
}

/** The most that one error lists. Reading ends there, so that a long input makes no long error. */
const mostDetails = 10

/** Collects what is wrong with the parts of a value, where the service joins violations into one error. */
export class FoundViolations {
  static joins(error: unknown): boolean {
    return error instanceof ValidationFailure
  }

  readonly #found: ValidationFailure[] = []

  /** @throws the error itself unless the service joins it with others, or all of them once there are enough */
  add(error: unknown): void {
    if (!(error instanceof ValidationFailure)) throw error
    this.#found.push(error)
    if (this.#details.length >= mostDetails) this.end()
  }

  /** @throws AwsError that lists what was found, if anything was */
  end(): void {
    const [first] = this.#found
    if (first !== undefined) throw new ValidationFailure(first.code, this.#details.slice(0, mostDetails))
  }

  get #details(): string[] {
    return this.#found.flatMap(({ details }) => details)
  }
}

/** The constraints of a text, as they are worded both for one text and for the items of a list. */
export const atLeast = (min: number) => `Member must have length greater than or equal to ${min}`
export const atMost = (max: number) => `Member must have length less than or equal to ${max}`
export const oneOf = (values: Iterable<string>) => `Member must satisfy enum value set: [${[...values].join(', ')}]`
export const patternText = (quoted: string) => `Member must satisfy regular expression pattern: ${quoted}`

/** Other services show the whole way to the value, members with a small first letter, and the value. */
function frame(code: string): Violations {
  const error = (value: string, constraint: string) =>
    new ValidationFailure(code, [`${value} failed to satisfy constraint: ${constraint}`])
  return {
    member: (path, name) => `${path === '' ? '' : `${path}.`}${name.charAt(0).toLowerCase()}${name.slice(1)}`,
    item: (path, index) => `${path}.${index + 1}.member`,
    absent: (path) => error(`Value null at '${path}'`, 'Member must not be null'),
    constraint: (path, constraint, shown) => error(valueAt(path, shown), constraint),
    pattern: (path, quoted, shown) => error(valueAt(path, shown), patternText(quoted)),
    items: (path, constraints) =>
      error(`Value at '${path}'`, `Member must satisfy constraint: [${constraints.join(', ')}]`),
  }
}

export const queryViolations = frame('ValidationError')
export const jsonViolations = frame('ValidationException')

/** A text of 128 KiB would make an error that nobody reads. */
const longestShown = 256

function valueAt(path: string, shown: unknown): string {
  if (typeof shown !== 'string' && typeof shown !== 'number') return `Value at '${path}'`
  const text = String(shown)
  return `Value '${text.length > longestShown ? `${text.slice(0, longestShown)}…` : text}' at '${path}'`
}
