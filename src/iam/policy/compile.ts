import { type Glob, matchesGlob } from '#lib/glob.ts'
import type { Steps } from '#lib/steps.ts'
import { type BelowOptions, isAboutBelow, type Subject } from './below.ts'
import { compileConditions } from './conditions.ts'
import type { Asking } from './context.ts'
import { type PolicyDocument, type Statement, takesVariables } from './document.ts'
import type { Patterns } from './elements.ts'
import { type ArnMatcher, compileArnComponents, parseArnPattern, parsePattern, stepsPerArn } from './match.ts'
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
  /** Whether its conditions hold. */
  holds(asking: Asking): boolean
  /** How closely it names who asks; `itself` in a policy that names nobody, since it belongs to who asks. */
  concerns(requester: Requester): Closeness | undefined
}

export interface Question extends Asking, Subject {
  /** In lower case. */
  readonly action: string
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
  const matchesResource = resources ? compileResources(resources, { ...syntax, allows }) : () => true
  return {
    index,
    sid,
    allows,
    matches: (question) => matchesAction(question) && matchesResource(question),
    holds: compileConditions(conditions, syntax),
    concerns: principals ? compilePrincipals(principals, { allows }) : () => 'itself',
  }
}

/** Without them, many statements that are not about the request would count as no work at all. */
const stepsPerStatement = 20
const stepsPerAction = 5

/** Actions are compared without regard to case. */
function compileActions({ negated, patterns }: Patterns): (question: Question) => boolean {
  const folded = patterns.map((pattern) => pattern.toLowerCase())
  if (folded.includes('*')) {
    return ({ steps }) => {
      steps.spend(stepsPerStatement)
      return !negated
    }
  }
  const names = new Set(folded.filter((pattern) => !/[*?]/.test(pattern)))
  const globs = folded.filter((pattern) => /[*?]/.test(pattern)).map(parsePattern)
  const cost = stepsPerStatement + globs.length * stepsPerAction
  return ({ action, steps }) => {
    steps.spend(cost)
    return (names.has(action) || matchesAnyGlob(globs, action, steps)) !== negated
  }
}

function matchesAnyGlob(globs: readonly Glob[], action: string, steps: Steps): boolean {
  for (const glob of globs) if (matchesGlob(glob, action, steps)) return true
  return false
}

/**
 * A pattern whose variable has no value matches no resource, so that `NotResource` excepts nothing by it (IAM user guide,
 * "Variables and tags", variables with no value).
 */
function compileResources({ negated, patterns }: Patterns, options: BelowOptions) {
  if (patterns.includes('*')) return () => !negated
  const components = patterns.map((pattern) => parseArnPattern(pattern, options))
  const matchers = components.map(compileArnComponents)
  return (question: Question): boolean => {
    const { resource, below } = question
    if (below && resource !== undefined) {
      return isAboutBelow({ negated, patterns: components }, resource, question, options)
    }
    return matchesAny(matchers, question) !== negated
  }
}

function matchesAny(matchers: readonly ArnMatcher[], question: Question): boolean {
  const { resource, steps } = question
  if (resource === undefined) return false
  steps.spend(matchers.length * stepsPerArn)
  for (const matches of matchers) if (matches(resource, question)) return true
  return false
}
