import { isAccountId } from '#names/account.ts'
import type { AccessRequest, AuthorizerParts, ResourceSide } from './authorize.ts'
import { contextOf, type WatchedContext } from './circumstances.ts'
import { createIdentitySide, isIamResource } from './identities/identity-side.ts'
import type { Policies, Request } from './policy/evaluate.ts'
import { requesterOf } from './principal.ts'

/** Everything that a decision is made of, brought together from both sides: what is decided and what is explained is the same. */
export interface Inquiry {
  readonly question: Request
  readonly policies: Policies
  readonly context: WatchedContext
}

export type Inquire = (request: AccessRequest) => Promise<Inquiry>

/** Only the identity's own policies may grant it (ECR user guide, "How Amazon ECR works with IAM"). */
const identityOnly = 'ecr:GetAuthorizationToken'

export function createInquire({ metadata, identityPolicies, resourceSide }: AuthorizerParts): Inquire {
  const identitySide = createIdentitySide({ reader: metadata.reader })

  function sideOf(request: AccessRequest): ResourceSide | Promise<ResourceSide> {
    if (request.action === identityOnly) return noSide
    return isIamResource(request.resource) ? identitySide(request) : resourceSide(request)
  }

  return async function inquire(request) {
    const { principal, action, resource, registry, circumstances, conditions } = request
    const [own, side] = await Promise.all([identityPolicies(principal), sideOf(request)])
    const owner = ownerOf(resource) ?? registry.account
    const context = contextOf({
      ...{ principal, circumstances, conditions: [...(conditions ?? []), ...(side.conditions ?? [])] },
      ...{ resourceAccount: owner, resourceTags: side.tags },
    })
    const question = { requester: requesterOf(principal), action, resource, owner, context }
    return { question, policies: { ...own, resource: side.policies }, context }
  }
}

const noSide: ResourceSide = { policies: [], tags: {} }

/** The account in `arn:<partition>:<service>:<region>:<account>:…`. */
export function ownerOf(resource: string) {
  const account = /^arn:[^:]*:[^:]*:[^:]*:([^:]*):/.exec(resource)?.[1]
  return account !== undefined && isAccountId(account) ? account : undefined
}
