import { matchesGlob } from '#lib/glob.ts'
import { resourceProblem } from './arn-rules.ts'
import { type PolicyDocument, parsePolicy, type Statement } from './document.ts'
import { parsePattern } from './match.ts'
import { malformed } from './refusals.ts'

/**
 * Policies of IAM and STS at the moment that they are stored. Here stands what would be refused today and must still be read where
 * it was stored before; the grammar itself, which every stored document keeps to, is in `document.ts`.
 */

/** `inline` has one owner, or one session. */
export type NewPolicyKind = 'managed' | 'inline' | 'trust'

/** @throws Refusal `PolicyMalformed` */
export function parseNewPolicy(text: string, kind: NewPolicyKind): PolicyDocument {
  const document = parsePolicy(text, kind === 'trust' ? 'trust' : 'identity')
  // In an older version variables stand for themselves.
  if (kind === 'managed' && document.version !== '2012-10-17') {
    throw malformed('version too old', 'Version', document.version)
  }
  for (const [index, statement] of document.statements.entries()) {
    requirePossibleResources(statement, `Statement[${index}]`)
    if (kind === 'trust') requireTrustActions(statement, `Statement[${index}]`)
  }
  return document
}

function requirePossibleResources({ resources }: Statement, at: string): void {
  if (resources === undefined) return
  for (const text of resources.patterns) {
    const problem = text === '*' ? undefined : resourceProblem(text)
    if (problem !== undefined) throw malformed(problem, `${at}.${resources.negated ? 'NotResource' : 'Resource'}`, text)
  }
}

/** What a trust policy may allow or deny (STS API reference; IAM user guide, "Passing session tags" and "Monitor and control actions"). */
const trustActions = [
  ...['sts:assumerole', 'sts:assumerolewithsaml', 'sts:assumerolewithwebidentity'],
  ...['sts:tagsession', 'sts:setsourceidentity', 'sts:setcontext'],
]

function requireTrustActions({ actions }: Statement, at: string): void {
  for (const text of actions.patterns) {
    const glob = parsePattern(text.toLowerCase())
    if (!trustActions.some((action) => matchesGlob(glob, action))) {
      throw malformed('action not allowed', `${at}.Action`, text)
    }
  }
}
