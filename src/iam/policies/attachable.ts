import { refuseEntity } from '#iam/entity-refusals.ts'
import type { Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import { findManagedPolicy, lockManagedPolicy, type ManagedPolicy } from './managed-policy.ts'

/** An account's own, or one of AWS, with a path (IAM user guide, "IAM ARNs"). */
const policyArn = /^arn:aws:iam::(?:\d{12}|aws):policy\/[\x21-\x7e]+$/

/**
 * A policy that somebody gets, attached or as a boundary, held until the transaction ends.
 *
 * @throws Refusal `EntityNotFound` or, for a boundary, `BoundaryUnknown`; `PolicyArnInvalid`
 */
export async function lockAttachable(
  trx: Transaction,
  account: AccountId,
  arn: string,
  as: 'attached' | 'boundary',
): Promise<ManagedPolicy> {
  if (!policyArn.test(arn)) throw refuseEntity('PolicyArnInvalid', { arn })
  const policy = await findManagedPolicy(trx, account, arn)
  if (policy === undefined) {
    throw as === 'boundary'
      ? refuseEntity('BoundaryUnknown', { arn })
      : refuseEntity('EntityNotFound', { kind: 'attachable policy', name: arn })
  }
  return lockManagedPolicy(trx, account, arn)
}
