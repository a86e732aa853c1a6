import type { ChangeIam } from '#iam/changes.ts'
import { lockOwner, type OwnerRef } from '#iam/identities/owners.ts'
import { lockAttachable } from './attachable.ts'

/** The managed policy that bounds what the own policies of a user or a role may grant. */
export interface Boundaries {
  /** @throws Refusal `EntityNotFound`, `BoundaryUnknown`, `PolicyArnInvalid` */
  put(owner: BoundedRef, policyArn: string): Promise<void>
  /** Of one without a boundary, nothing. @throws Refusal `EntityNotFound` */
  delete(owner: BoundedRef): Promise<void>
}

export interface BoundedRef extends OwnerRef {
  readonly kind: 'user' | 'role'
}

const tables = { user: 'iam_user', role: 'iam_role' } as const

export function createBoundaries({ change }: { change: ChangeIam }): Boundaries {
  const set = (owner: BoundedRef, policyArn: string | null) =>
    change(async (trx) => {
      const { id, account } = await lockOwner(trx, owner)
      if (policyArn !== null) await lockAttachable(trx, account, policyArn, 'boundary')
      // Both tables have the columns alike.
      await trx
        .updateTable(tables[owner.kind] as 'iam_user')
        .set({ boundary_arn: policyArn })
        .where('id', '=', id)
        .execute()
    })
  return {
    put: (owner, policyArn) => set(owner, policyArn),
    delete: (owner) => set(owner, null),
  }
}
