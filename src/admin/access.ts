import type { ExplainRequest } from '#audit/explain-request.ts'
import type { Handlers } from '#aws/operation.ts'
import { areTooLong, type Explain, longestOverrides } from '#iam/explain.ts'
import { type FindPrincipal, findCaller } from '#iam/find-principal.ts'
import type { AccountId } from '#names/account.ts'
import { explanationText } from '#wording/explanation.ts'
import { accessDeniedText } from '#wording/iam.ts'
import type { Explanation, Operations, Outcome } from './model.ts'
import { refuse } from './refusals.ts'

export interface AccessParts {
  readonly findPrincipal: FindPrincipal
  readonly explain: Explain
  readonly explainRequest: ExplainRequest
}

/** Why somebody may or may not do something. */
export function accessOperations({ findPrincipal, explain, explainRequest }: AccessParts) {
  return {
    Explain: {
      resource: () => '*',
      handle: async ({ input, principal: caller, registry, circumstances }) => {
        const { principal: named, action, resource, context = [] } = input
        const overrides = context.map(({ key, values = [] }) => [key, values] as const)
        if (areTooLong(overrides)) throw refuse('ContextTooLong', { most: longestOverrides })
        // Before anything is looked up, so that nobody learns whom other accounts have.
        if (!belongsTo(caller.account, named)) throw refuse('NotYours', { principal: named })
        const principal = await findCaller(findPrincipal, named)
        if (principal === undefined || (principal.account ?? caller.account) !== caller.account)
          throw refuse('PrincipalUnknown', { principal: named })
        const question = { principal, action, resource, registry, circumstances, overrides, viewer: caller.account }
        return { explanation: describe(await explain(question)) }
      },
    },

    ExplainRequest: {
      resource: () => '*',
      handle: async ({ input: { requestId }, principal: caller }) => {
        const explained = await explainRequest(requestId, caller.account)
        if (explained === undefined) throw refuse('RequestUnknown', { requestId })
        const { denied, now } = explained
        const { principalArn: principal, accessKeyId, action, resource, circumstances, at } = denied
        return {
          requestId,
          denied: {
            ...{ principal, accessKeyId, action, resource, message: accessDeniedText(denied) },
            ...{ sourceIp: circumstances.sourceIp, userAgent: circumstances.userAgent, at: new Date(at) },
          },
          now: now && describe(now),
        }
      },
    },
  } satisfies Handlers<Operations, 'Explain' | 'ExplainRequest'>
}

/** Whether an ARN is of the account; an access key id does not tell. */
function belongsTo(account: AccountId, named: string): boolean {
  return !named.startsWith('arn:') || named.split(':')[4] === account
}

function describe(explanation: Parameters<typeof explanationText>[0]): Explanation {
  const { principalArn: principal, action, resource, verdict, statements } = explanation
  return {
    ...{ principal, action, resource, allowed: verdict.allowed, reason: explanationText(explanation) },
    statements: statements.map(({ type, policyName, index, sid, effect, text, outcome, decisive, keys }) => ({
      ...{ policyType: type, policy: policyName, index, sid, effect, text: text() },
      ...{ outcome: outcomes[outcome], decisive },
      conditionKeys: keys.map(({ key, values }) => ({ key, values })),
    })),
  }
}

const outcomes = {
  applies: 'APPLIES',
  'conditions not met': 'CONDITIONS_NOT_MET',
  'other principals': 'OTHER_PRINCIPALS',
  'too many steps': 'TOO_MANY_STEPS',
} as const satisfies Record<string, Outcome>
