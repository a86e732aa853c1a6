import { findMissingPrincipal } from '#iam/named-principals.ts'
import { type PolicyDocument, type PolicyKind, parsePolicy } from '#iam/policy/document.ts'
import type { PolicyRefusals } from '#iam/policy/refusals.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Transaction } from '#metadata/metadata.ts'
import { refuse } from './refusals.ts'

/** Policies of ECR's resources, of a repository or of a registry: what they may hold, and that whom they name is there. */
export type ResourcePolicyKind = Exclude<PolicyKind, 'identity' | 'trust'>

/** @throws Refusal `ResourcePolicyInvalid`, `ResourcePolicyPrincipalNotFound` */
export async function readResourcePolicy(
  trx: Transaction,
  text: string,
  kind: ResourcePolicyKind,
): Promise<PolicyDocument> {
  const document = parse(text, kind)
  const principal = await findMissingPrincipal(trx, document)
  const of = kind === 'repository' ? 'repository' : 'registry'
  if (principal !== undefined) throw refuse('ResourcePolicyPrincipalNotFound', { of, principal })
  return document
}

function parse(text: string, kind: ResourcePolicyKind): PolicyDocument {
  try {
    return parsePolicy(text, kind)
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== ('PolicyMalformed' satisfies keyof PolicyRefusals)) throw error
    // Facts fit their code.
    const facts = error.facts as PolicyRefusals['PolicyMalformed']
    throw refuse('ResourcePolicyInvalid', { of: kind === 'repository' ? 'repository' : 'registry', ...facts })
  }
}
