import type { Handlers } from '#aws/operation.ts'
import { type AccessParts, accessOperations } from './access.ts'
import { type InUseParts, inUseOperations } from './in-use.ts'
import { type LifecycleParts, lifecycleOperations } from './lifecycle.ts'
import type { Operations } from './model.ts'

export interface AdminParts extends AccessParts, LifecycleParts, InUseParts {}

/** Lading's own operations, for who administers an account: what AWS does not answer. */
export function adminOperations(parts: AdminParts) {
  return {
    ...accessOperations(parts),
    ...lifecycleOperations(parts),
    ...inUseOperations(parts),
  } satisfies Handlers<Operations>
}
