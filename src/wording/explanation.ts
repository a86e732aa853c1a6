import type { CitedStatement, Explanation } from '#iam/explain.ts'
import { mostSteps, type StatementReference, type Verdict } from '#iam/policy/evaluate.ts'

/** Why a request is allowed or denied, in words for whoever administers access. */
export function explanationText(explanation: Explanation): string {
  const { action, resource, verdict, statements, complete, presumed } = explanation
  const sentences = [verdictText({ action, resource, verdict }, statements)]
  if (!verdict.allowed && verdict.reason === 'no allow') {
    const near = statements.filter(({ type, effect, outcome }) => nearly(verdict.type, type, effect, outcome))
    sentences.push(...near.map(nearText))
  }
  if (!complete) sentences.push('Not all statements are shown, since to compare them takes too many steps.')
  if (presumed !== undefined) {
    sentences.push(
      `What account ${presumed.account} says of its ${presumed.side === 'identity' ? 'principals' : 'resources'} is not shown here and was taken to allow it.`,
    )
  }
  return sentences.join(' ')
}

function nearly(missing: string, type: string, effect: string, outcome: string): boolean {
  return type === missing && effect === 'Allow' && outcome !== 'applies'
}

function verdictText(
  { action, resource, verdict }: { readonly action: string; readonly resource: string; readonly verdict: Verdict },
  statements: readonly CitedStatement[],
): string {
  const on = `${action} on ${resource}`
  if (!verdict.allowed && verdict.reason === 'explicit deny') {
    return `Denied: ${cite(verdict.statement, statements)} denies ${on}, and a denial wins over everything that allows.`
  }
  if (!verdict.allowed && verdict.reason === 'too many steps') {
    const where = cite(verdict.statement, statements)
    return `Denied: to evaluate the policies for ${on} takes more than ${mostSteps.toLocaleString('en')} steps, which ran out in ${where}. Patterns with fewer wildcards take fewer steps.`
  }
  if (!verdict.allowed) return `Denied: no ${verdict.type} allows ${on}.`
  const { statements: allowing } = verdict
  if (allowing.length === 0)
    return `Allowed: the root of the account that owns the resource may do what nothing denies, here ${on}.`
  return `Allowed: ${allowing.map((each) => cite(each, statements)).join(', and ')} ${allowing.length === 1 ? 'allows' : 'allow'} ${on}.`
}

function cite({ type, policy, index, sid }: StatementReference, statements: readonly CitedStatement[]): string {
  const found = statements.find((each) => each.type === type && each.policy === policy && each.index === index)
  return `statement ${index + 1}${sid === undefined ? '' : ` (${sid})`} of the ${type} ${found?.policyName ?? policy}`
}

function nearText({ policyName, index, outcome, keys }: CitedStatement): string {
  const which = `Statement ${index + 1} of ${policyName} would`
  if (outcome === 'other principals') return `${which}, but names other principals.`
  if (keys.length === 0) return `${which}, but its conditions do not hold.`
  const asked = keys.map(({ key, values }) => `${key} is ${values === undefined ? 'absent' : values.join(', ')}`)
  return `${which}, but its conditions do not hold: ${asked.join('; ')}.`
}
