import type { Principal } from '#iam/principal.ts'
import { serviceLinkedPrincipal } from '#iam/service-roles.ts'
import type { AccountId } from '#names/account.ts'

/** Under which ECR replicates (ECR user guide, "Amazon ECR service-linked role for replication"). */
const service = 'replication.ecr.amazonaws.com'

const role = {
  name: 'AWSServiceRoleForECRReplication',
  policyArn: 'arn:aws:iam::aws:policy/aws-service-role/ECRReplicationServiceRolePolicy',
} as const

/** The service-linked role of the account that replicates. */
export function replicationPrincipal(account: AccountId, now: number): Principal {
  return serviceLinkedPrincipal(role, { service, sessionName: 'replication', account, now })
}
