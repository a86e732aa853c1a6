import type { Explain, Explanation } from '#iam/explain.ts'
import { type FindPrincipal, findCaller } from '#iam/find-principal.ts'
import type { AccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import type { AuditLookup, FoundDenial } from './lookup.ts'

/** Why a request was denied, afterwards: what was decided then, and what the answer would be now, in the same circumstances. */
export interface ExplainedRequest {
  readonly denied: FoundDenial
  /** Nothing where the principal is gone. */
  readonly now: Explanation | undefined
}

/** `undefined` for a request that nobody denied, or that is not in the trail of `account`, without which any will do. */
export type ExplainRequest = (
  requestId: string,
  account: AccountId | undefined,
) => Promise<ExplainedRequest | undefined>

export function createExplainRequest({
  auditLookup,
  findPrincipal,
  explain,
}: {
  readonly auditLookup: Pick<AuditLookup, 'findDenials'>
  readonly findPrincipal: FindPrincipal
  readonly explain: Explain
}): ExplainRequest {
  return async function explainRequest(requestId, account) {
    const [denied] = await auditLookup.findDenials(account, requestId)
    if (denied === undefined) return undefined
    const { principalArn, accessKeyId, action, resource, deleted, owner, circumstances, conditions } = denied
    const principal = (await findPrincipal(accessKeyId)) ?? (await findCaller(findPrincipal, principalArn))
    if (principal?.arn !== principalArn) return { denied, now: undefined }
    const registry = { account: owner, region: circumstances.region ?? anywhere }
    const question = { principal, action, resource, deleted, registry, circumstances, conditions, viewer: account }
    return { denied, now: await explain(question) }
  }
}

/** Of a call that was signed for no region nothing depends on it. */
const anywhere = parseRegion('us-east-1')
