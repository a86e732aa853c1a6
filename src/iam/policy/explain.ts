import { isObject } from '#lib/json.ts'
import type { CompiledStatement, Policy } from './compile.ts'
import type { Context } from './context.ts'
import type { Policies, PolicyType, Request, StatementReference, Verdict } from './evaluate.ts'
import { splitArn } from './match.ts'

/**
 * Which statements have to do with a request, and what each of them says to it. Pure, and beside `evaluate`, whose verdict it
 * illustrates and never makes.
 */
export interface ConsideredStatement extends StatementReference {
  readonly effect: 'Allow' | 'Deny'
  /** The statement's own JSON; absent where its document is not stored. */
  readonly text: string | undefined
  readonly outcome: Outcome
  /** Whether the verdict rests on it. */
  readonly decisive: boolean
  /** The condition keys that it asked for. */
  readonly keys: readonly ConsultedKey[]
}

/** It is about the action and the resource, and: says its effect; its conditions do not hold; it names other principals. */
export type Outcome = 'applies' | 'conditions not met' | 'other principals'

export interface ConsultedKey {
  /** In lower case. */
  readonly key: string
  /** What the request had; undefined where it had nothing. */
  readonly values: readonly string[] | undefined
}

/** All that are about the action and the resource, those of each type of policy together. */
export function considerStatements(request: Request, policies: Policies, verdict: Verdict): ConsideredStatement[] {
  const { boundary, session = [] } = policies
  const byType: readonly (readonly [PolicyType, readonly Policy[]])[] = [
    ['identity-based policy', policies.identity],
    ['resource-based policy', policies.resource],
    ['permissions boundary', boundary === undefined ? [] : [boundary]],
    ['session policy', session],
  ]
  return byType.flatMap(([type, policies]) =>
    policies.flatMap((policy) =>
      policy.statements.flatMap((statement) => consider(request, type, policy, statement, verdict) ?? []),
    ),
  )
}

function consider(
  { requester, action, resource, context }: Request,
  type: PolicyType,
  policy: Policy,
  statement: CompiledStatement,
  verdict: Verdict,
): ConsideredStatement | undefined {
  const watched = watch(context)
  const question = { action: action.toLowerCase(), resource: splitArn(resource), context: watched.context }
  if (!statement.matches(question)) return undefined
  const { index, sid, allows } = statement
  const applies = statement.applies(question)
  const concerned = statement.concerns(requester) !== undefined
  return {
    ...{ type, policy: policy.name, index, sid, effect: allows ? 'Allow' : 'Deny' },
    text: statementText(policy.document, index),
    outcome: concerned ? (applies ? 'applies' : 'conditions not met') : 'other principals',
    decisive: decidingStatements(verdict).some(
      (deciding) => deciding.type === type && deciding.policy === policy.name && deciding.index === index,
    ),
    keys: watched.keys(),
  }
}

function decidingStatements(verdict: Verdict): readonly StatementReference[] {
  if (verdict.allowed) return verdict.statements
  return verdict.reason === 'explicit deny' ? [verdict.statement] : []
}

function watch(context: Context) {
  const asked = new Map<string, readonly string[] | undefined>()
  return {
    context: {
      get(key: string) {
        const values = context.get(key)
        asked.set(key, values)
        return values
      },
    },
    keys: (): ConsultedKey[] => Array.from(asked, ([key, values]) => ({ key, values })),
  }
}

function statementText(document: string | undefined, index: number): string | undefined {
  if (document === undefined) return undefined
  const parsed: unknown = JSON.parse(document)
  const statements = isObject(parsed) ? [parsed.Statement].flat() : []
  return JSON.stringify(statements[index])
}
