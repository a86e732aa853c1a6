import { refuseEntity } from '#iam/entity-refusals.ts'
import { findMissingPrincipal } from '#iam/named-principals.ts'
import { documentSize } from '#iam/policies/document-size.ts'
import { parseNewPolicy } from '#iam/policy/new-document.ts'
import { isJson } from '#lib/json.ts'
import type { Transaction } from '#metadata/metadata.ts'

/** The policy of a role that says who may assume it: what it may hold, and that whom it names exists. */

/** Imposed by IAM ("IAM and AWS STS quotas"), in characters that are no white space. */
const longestTrustPolicy = 2_048

/** @throws Refusal `TrustPolicyNoJson`, `PolicyMalformed`, `EntityQuotaExceeded`, `TrustedPrincipalUnknown` */
export async function requireTrustPolicy(trx: Transaction, text: string): Promise<void> {
  if (!isJson(text)) throw refuseEntity('TrustPolicyNoJson', {})
  if (documentSize(text) > longestTrustPolicy) {
    throw refuseEntity('EntityQuotaExceeded', { quota: 'trust policy size', limit: longestTrustPolicy })
  }
  const missing = await findMissingPrincipal(trx, parseNewPolicy(text, 'trust'))
  if (missing !== undefined) throw refuseEntity('TrustedPrincipalUnknown', { principal: missing })
}
