import type { Reader } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import { refuseEntity } from './entity-refusals.ts'
import { findManagedPolicy, findPolicyDocument } from './policies/managed-policy.ts'
import { parseNewPolicy } from './policy/new-document.ts'
import { refuseSession } from './session-refusals.ts'
import type { SessionPolicy } from './sessions.ts'

/** What bounds one session alone: a document that comes with the request, and managed policies of the role's account or of AWS. */
export interface GivenPolicies {
  readonly document: string | undefined
  readonly arns: readonly string[]
}

/** Imposed by STS (API reference, AssumeRole). */
const longestDocument = 2_048
const mostPolicies = 10

/**
 * The documents as they are now: what becomes of a managed policy later does not change a session.
 *
 * @throws Refusal `PolicyMalformed`, `SessionPoliciesTooLarge`, `EntityNotFound`
 */
export async function sessionPolicies(
  reader: Reader,
  account: AccountId,
  { document, arns }: GivenPolicies,
): Promise<SessionPolicy[]> {
  const policies: SessionPolicy[] = []
  if (arns.length > mostPolicies || (document?.length ?? 0) > longestDocument) {
    throw refuseSession('SessionPoliciesTooLarge', { longestDocument, mostPolicies })
  }
  if (document !== undefined) {
    parseNewPolicy(document, 'inline')
    policies.push({ name: 'session policy', document })
  }
  for (const arn of new Set(arns)) {
    const found = await findManagedPolicy(reader, account, arn)
    const text = found && (await findPolicyDocument(reader, arn))
    if (text === undefined) throw refuseEntity('EntityNotFound', { kind: 'policy', name: arn })
    policies.push({ name: arn, document: text })
  }
  return policies
}
