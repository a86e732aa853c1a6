import { compileConditions } from './conditions.ts'
import type { Context } from './context.ts'
import { type PolicyDocument, type Statement, takesVariables } from './document.ts'
import type { Patterns } from './elements.ts'
import { type ArnMatcher, type ArnParts, compileArnPattern, matchesGlob, parseGlob } from './match.ts'
import { type Closeness, compilePrincipals, type Requester } from './principals.ts'

/**
 * Policies made ready to be asked many times: every pattern and value of a document is parsed here, once. What is asked of a
 * statement stands in the order of what costs least and excludes most.
 */
export interface Policy {
  /** What a decision cites it by: a policy's name or ARN. */
  readonly name: string
  readonly statements: readonly CompiledStatement[]
  /** The text that it was made of, where that is stored. */
  readonly document?: string
}

export interface CompiledStatement {
  /** Its place in the document, from 0. */
  readonly index: number
  readonly sid: string | undefined
  readonly allows: boolean
  /** Whether it is about the action and the resource. */
  matches(question: Question): boolean
  /** Whether it also holds in the circumstances, whoever asks. */
  applies(question: Question): boolean
  /** How closely it names who asks; `itself` in a policy that names nobody, since it belongs to who asks. */
  concerns(requester: Requester): Closeness | undefined
}

export interface Question {
  /** In lower case. */
  readonly action: string
  /** An ARN in its parts; `undefined` for the `*` of an action without a resource. */
  readonly resource: ArnParts | undefined
  readonly context: Context
}

export function compilePolicy(name: string, { version, statements }: PolicyDocument): Policy {
  const syntax = { variables: takesVariables(version) }
  return { name, statements: statements.map((statement, index) => compileStatement(statement, index, syntax)) }
}

interface Syntax {
  readonly variables: boolean
}

function compileStatement(statement: Statement, index: number, syntax: Syntax): CompiledStatement {
  const { sid, effect, principals, actions, resources, conditions } = statement
  const allows = effect === 'Allow'
  const matchesAction = compileActions(actions)
  const matchesResource = resources ? compileResources(resources, syntax) : () => true
  const holds = compileConditions(conditions, syntax)
  return {
    index,
    sid,
    allows,
    matches: ({ action, resource, context }) => matchesAction(action) && matchesResource(resource, context),
    applies: ({ action, resource, context }) =>
      matchesAction(action) && matchesResource(resource, context) && holds(context),
    concerns: principals ? compilePrincipals(principals, { allows }) : () => 'itself',
  }
}

/** Actions are compared without regard to case. */
function compileActions({ negated, patterns }: Patterns): (action: string) => boolean {
  const folded = patterns.map((pattern) => pattern.toLowerCase())
  if (folded.includes('*')) return () => !negated
  const names = new Set(folded.filter((pattern) => !/[*?]/.test(pattern)))
  const globs = folded.filter((pattern) => /[*?]/.test(pattern)).map(parseGlob)
  return (action) => (names.has(action) || globs.some((glob) => matchesGlob(glob, action))) !== negated
}

/**
 * A pattern whose variable has no value matches no resource, so that `NotResource` excepts nothing by it (IAM user guide,
 * "Variables and tags", variables with no value).
 */
function compileResources({ negated, patterns }: Patterns, syntax: Syntax) {
  if (patterns.includes('*')) return () => !negated
  const matchers = patterns.map((pattern) => compileArnPattern(pattern, syntax))
  return (resource: ArnParts | undefined, context: Context): boolean =>
    matchesAny(matchers, resource, context) !== negated
}

function matchesAny(matchers: readonly ArnMatcher[], resource: ArnParts | undefined, context: Context): boolean {
  return resource !== undefined && matchers.some((matches) => matches(resource, context))
}
