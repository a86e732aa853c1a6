import { isObject, readJson } from '#lib/json.ts'
import { Steps, stepsExceeded } from '#lib/steps.ts'
import { subjectOf } from './below.ts'
import type { CompiledStatement, Policy, Question } from './compile.ts'
import type { Context } from './context.ts'
import {
  mostSteps,
  type Policies,
  type PolicyType,
  type Request,
  type StatementReference,
  type Verdict,
} from './evaluate.ts'
import type { Requester } from './principals.ts'

/**
 * Which statements have to do with a request, and what each of them says to it. Pure, and beside `evaluate`, whose verdict it
 * illustrates and never makes.
 */
export interface Considered {
  readonly statements: readonly ConsideredStatement[]
  /** Whether there were steps enough to look at all statements. */
  readonly complete: boolean
}

export interface ConsideredStatement extends StatementReference {
  readonly effect: 'Allow' | 'Deny'
  /** The policy's text; undefined where no text is stored. */
  readonly document: string | undefined
  /** The statement's own JSON; absent where its document is not stored. Made when it is asked for. */
  text(): string | undefined
  readonly outcome: Outcome
  /** Whether the verdict rests on it. */
  readonly decisive: boolean
  /** The condition keys that it asked for. */
  readonly keys: readonly ConsultedKey[]
}

/**
 * It is about the action and the resource, and: says its effect; its conditions do not hold; it names other principals. Or the steps
 * ran out before that was known.
 */
export type Outcome = 'applies' | 'conditions not met' | 'other principals' | 'too many steps'

export interface ConsultedKey {
  /** In lower case. */
  readonly key: string
  /** What the request had; undefined where it had nothing. */
  readonly values: readonly string[] | undefined
}

/**
 * All that are about the action and the resource, those of each type of policy together. What remains once `limit` steps are spent is
 * left out, but for statements that the verdict rests on.
 */
export function considerStatements(
  request: Request,
  policies: Policies,
  verdict: Verdict,
  limit = mostSteps,
): Considered {
  const { boundary, session = [] } = policies
  const byType: readonly (readonly [PolicyType, readonly Policy[]])[] = [
    ['identity-based policy', policies.identity],
    ['resource-based policy', policies.resource],
    ['permissions boundary', boundary === undefined ? [] : [boundary]],
    ['session policy', session],
  ]
  const { requester, action, resource } = request
  const asked = { action: action.toLowerCase(), ...subjectOf(resource), steps: new Steps(limit) }
  let complete = true
  const statements = byType.flatMap(([type, policies]) =>
    policies.flatMap(({ name, document, statements }) => {
      const textOf = statementTexts(document)
      return statements.flatMap((statement): ConsideredStatement[] => {
        const { index, sid, allows } = statement
        const decisive = decidingStatements(verdict).some(
          (deciding) => deciding.type === type && deciding.policy === name && deciding.index === index,
        )
        const { context, keys } = watch(request.context, asked.steps)
        const outcome = outcomeOf(statement, { ...asked, context }, requester)
        if (outcome === 'too many steps') complete = false
        if (outcome === undefined || (outcome === 'too many steps' && !decisive)) return []
        const effect = allows ? 'Allow' : 'Deny'
        return [
          {
            ...{ type, policy: name, index, sid, effect, document, text: () => textOf(index) },
            ...{ outcome, decisive, keys: keys() },
          },
        ]
      })
    }),
  )
  return { statements, complete }
}

function outcomeOf(statement: CompiledStatement, question: Question, requester: Requester): Outcome | undefined {
  try {
    if (!statement.matches(question)) return undefined
    question.steps.spend(stepsPerStatement)
    const holds = statement.holds(question)
    if (statement.concerns(requester) === undefined) return 'other principals'
    return holds ? 'applies' : 'conditions not met'
  } catch (error) {
    if (error === stepsExceeded) return 'too many steps'
    throw error
  }
}

function decidingStatements(verdict: Verdict): readonly StatementReference[] {
  if (verdict.allowed) return verdict.statements
  return verdict.reason === 'no allow' ? [] : [verdict.statement]
}

/** Those of the answer: each statement and key is written, and what reads the explanation copies them. */
const stepsPerStatement = 500
const stepsPerKey = 100

function watch(context: Context, steps: Steps) {
  const asked = new Map<string, readonly string[] | undefined>()
  return {
    context: {
      get(key: string) {
        steps.spend(stepsPerKey)
        const values = context.get(key)
        asked.set(key, values)
        return values
      },
    },
    keys: (): ConsultedKey[] => Array.from(asked, ([key, values]) => ({ key, values })),
  }
}

/** Parses the document once, and only if a text of it is asked for. */
function statementTexts(document: string | undefined): (index: number) => string | undefined {
  let statements: readonly unknown[] | undefined
  return (index) => {
    if (document === undefined) return undefined
    if (statements === undefined) {
      const parsed = readJson(document)
      statements = isObject(parsed) ? [parsed.Statement].flat() : []
    }
    return JSON.stringify(statements[index])
  }
}
