import type { ChangeIam } from '#iam/changes.ts'
import { refuseEntity } from '#iam/entity-refusals.ts'
import { getOwner, lockOwner, type OwnerRef } from '#iam/identities/owners.ts'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import { lockAttachable } from './attachable.ts'

/** Managed policies that a user, a group or a role has. The owner's row is held first, then the policy's. */
export interface Attachments {
  /** By ARN. @throws Refusal `EntityNotFound` */
  list(
    owner: OwnerRef,
    listing: { readonly pathPrefix: string; readonly limit: number; readonly after?: string | undefined },
  ): Promise<Page<AttachedPolicy, string>>
  /** One that is attached already stays so. @throws Refusal `EntityNotFound`, `PolicyArnInvalid`, `EntityQuotaExceeded` */
  attach(owner: OwnerRef, policyArn: string): Promise<void>
  /** @throws Refusal `EntityNotFound` */
  detach(owner: OwnerRef, policyArn: string): Promise<void>
}

export interface AttachedPolicy {
  readonly arn: string
  readonly name: string
}

/** Imposed by IAM ("IAM and AWS STS quotas"). */
const mostAttached = 10

export function createAttachments(parts: { reader: Reader; change: ChangeIam; clock: Clock }): Attachments {
  const { reader, change, clock } = parts
  return {
    async list(owner, { pathPrefix, limit, after = '' }) {
      const { id, account } = await getOwner(reader, owner)
      const prefixes = [account, 'aws'].map((holder) => `arn:aws:iam::${holder}:policy${pathPrefix}`)
      const rows = await reader
        .selectFrom('policy_attachment')
        .select('policy_arn as arn')
        .where('owner_id', '=', id)
        .where('policy_arn', '>', after)
        .where((eb) =>
          eb.or(
            prefixes.map((prefix) =>
              eb(eb.fn('substr', ['policy_arn', eb.val(1), eb.val(prefix.length)]), '=', prefix),
            ),
          ),
        )
        .orderBy('policy_arn')
        .limit(limit + 1)
        .execute()
      const policies = rows.map(({ arn }) => ({ arn, name: arn.slice(arn.lastIndexOf('/') + 1) }))
      return pageOf(policies, limit, ({ arn }) => arn)
    },

    attach: (owner, policyArn) =>
      change(async (trx) => {
        const { id, account, kind } = await lockOwner(trx, owner)
        const { arn } = await lockAttachable(trx, account, policyArn, 'attached')
        const attached = await attachedTo(trx, id)
        if (attached.includes(arn)) return
        if (attached.length >= mostAttached) {
          throw refuseEntity('EntityQuotaExceeded', { quota: `policies of a ${kind}`, limit: mostAttached })
        }
        await trx
          .insertInto('policy_attachment')
          .values({ owner_id: id, policy_arn: arn, attached_at: clock() })
          .execute()
      }),

    detach: (owner, policyArn) =>
      change(async (trx) => {
        const { id } = await lockOwner(trx, owner)
        const detached = await trx
          .deleteFrom('policy_attachment')
          .where('owner_id', '=', id)
          .where('policy_arn', '=', policyArn)
          .returning('policy_arn')
          .executeTakeFirst()
        if (detached === undefined) throw refuseEntity('EntityNotFound', { kind: 'attached policy', name: policyArn })
      }),
  }
}

async function attachedTo(trx: Transaction, id: string): Promise<string[]> {
  const rows = await trx.selectFrom('policy_attachment').select('policy_arn').where('owner_id', '=', id).execute()
  return rows.map(({ policy_arn }) => policy_arn)
}
