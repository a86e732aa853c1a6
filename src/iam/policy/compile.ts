import { compileConditions } from './conditions.ts'
import type { Context } from './context.ts'
import { type PolicyDocument, type Statement, takesVariables } from './document.ts'
import type { Patterns } from './elements.ts'
import { type ArnMatcher, type ArnParts, compileArnPattern, matchesGlob, parseGlob } from './match.ts'
import { type Closeness, compilePrincipals, type Requester } from './principals.ts'
import { isVariable, parseTemplate } from './template.ts'

/**
 * Policies made ready to be asked many times: every pattern and value of a document is parsed here, once. What is asked of a
 * statement stands in the order of what costs least and excludes most.
 */
export interface Policy {
  /** What a decision cites it by: a policy's name or ARN. */
  readonly name: string
  readonly statements: readonly CompiledStatement[]
}

export interface CompiledStatement {
  /** Its place in the document, from 0. */
  readonly index: number
  readonly sid: string | undefined
  readonly allows: boolean
  /** Whether it is about the question, whoever asks it. */
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
  const matchesResource = resources ? compileResources(resources, { allows, ...syntax }) : () => true
  const holds = compileConditions(conditions, syntax)
  return {
    index,
    sid,
    allows,
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
 * Where a variable of `NotResource` has no value it cannot be told what is excepted: then an allowance is for nothing, and a
 * denial for all.
 */
function compileResources({ negated, patterns }: Patterns, { allows, variables }: Syntax & { allows: boolean }) {
  if (patterns.includes('*')) return () => !negated
  const matchers = patterns.map((pattern) => compileArnPattern(pattern, { variables }))
  const unknown = negated && allows && variables ? compileUnresolved(patterns) : () => false
  return (resource: ArnParts | undefined, context: Context): boolean =>
    matchesAny(matchers, resource, context) !== negated && !unknown(context)
}

function matchesAny(matchers: readonly ArnMatcher[], resource: ArnParts | undefined, context: Context): boolean {
  return resource !== undefined && matchers.some((matches) => matches(resource, context))
}

/** Whether a variable of the patterns has no value. */
function compileUnresolved(patterns: readonly string[]): (context: Context) => boolean {
  const keys = patterns
    .flatMap((pattern) => parseTemplate(pattern, { wildcards: true, variables: true }) ?? [])
    .filter(isVariable)
    .filter(({ fallback }) => fallback === undefined)
    .map(({ key }) => key)
  return (context) => keys.some((key) => context.get(key)?.length !== 1)
}
