import type { Handlers } from '#aws/operation.ts'
import { type AccessKeyParts, accessKeyOperations } from './access-keys.ts'
import { type AccountParts, accountOperations } from './account.ts'
import { type GroupParts, groupOperations } from './groups.ts'
import type { Operations } from './model.ts'
import { type OwnerPolicyParts, ownerPolicyOperations } from './owner-policies.ts'
import { type UserParts, userOperations } from './users.ts'

/** What the operations need of the domain. */
export type IamParts = UserParts & AccessKeyParts & GroupParts & OwnerPolicyParts & AccountParts

/** Every operation of the IAM API that has a handler. */
export function iamOperations(parts: IamParts) {
  return {
    ...userOperations(parts),
    ...accessKeyOperations(parts),
    ...groupOperations(parts),
    ...ownerPolicyOperations(parts),
    ...accountOperations(parts),
  } satisfies Partial<Handlers<Operations>>
}
