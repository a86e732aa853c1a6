import type { Principal } from '#iam/principal.ts'
import { type ServiceRoles, serviceLinkedPrincipal } from '#iam/service-roles.ts'
import type { Clock } from '#lib/clock.ts'
import type { CacheRule } from './cache-rules.ts'

/**
 * The principal that reads another registry of this deployment for a rule. It is a session of the rule's role. A rule without a role
 * has ECR's service-linked role in the account of the rule (ECR user guide, "Setting up permissions for cross-account ECR to ECR PTC",
 * "Amazon ECR service-linked role for pull through cache").
 */
export type FindCachePrincipal = (rule: CacheRule) => Promise<Principal | undefined>

/** Who the trust policy of a rule's role has to allow to assume it. */
export const cacheService = 'pullthroughcache.ecr.amazonaws.com'

const sessionName = 'pull-through-cache'

const serviceLinkedRole = {
  name: 'AWSServiceRoleForECRPullThroughCache',
  policyArn: 'arn:aws:iam::aws:policy/aws-service-role/AWSECRPullThroughCache_ServiceRolePolicy',
} as const

/** `undefined` if the role of the rule does not exist or does not trust the cache. The role is read at each call. */
export function createFindCachePrincipal({
  serviceRoles,
  clock,
}: {
  readonly serviceRoles: ServiceRoles
  readonly clock: Clock
}): FindCachePrincipal {
  return async ({ registry: { account }, customRoleArn }) => {
    const use = { service: cacheService, sessionName, account, now: clock() }
    return customRoleArn === undefined
      ? serviceLinkedPrincipal(serviceLinkedRole, use)
      : serviceRoles.assume(customRoleArn, use)
  }
}
