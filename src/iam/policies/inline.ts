import type { ChangeIam } from '#iam/changes.ts'
import { refuseEntity } from '#iam/entity-refusals.ts'
import { getOwner, lockOwner, type OwnerRef } from '#iam/identities/owners.ts'
import { parseNewPolicy } from '#iam/policy/new-document.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import { documentSize } from './document-size.ts'
import type { OwnerKind } from './usage.ts'

/** Policies that belong to one user, group or role, under names that tell case apart, and end with it. */
export interface InlinePolicies {
  /** Its document, as it was written. @throws Refusal `EntityNotFound` */
  get(owner: OwnerRef, name: string): Promise<string>
  /** The names in their order. @throws Refusal `EntityNotFound` */
  list(owner: OwnerRef, page: { limit: number; after?: string | undefined }): Promise<Page<string, string>>
  /** Adds one or puts it in the place of another. @throws Refusal `EntityNotFound`, `PolicyMalformed`, `InlinePoliciesTooLarge` */
  put(owner: OwnerRef, name: string, document: string): Promise<void>
  /** @throws Refusal `EntityNotFound` */
  delete(owner: OwnerRef, name: string): Promise<void>
}

/** Imposed by IAM on all of an owner's together, in characters that are no white space ("IAM and AWS STS quotas"). */
const most: Readonly<Record<OwnerKind, number>> = { user: 2_048, group: 5_120, role: 10_240 }

export function createInlinePolicies({ reader, change }: { reader: Reader; change: ChangeIam }): InlinePolicies {
  return {
    async get(owner, name) {
      const { id } = await getOwner(reader, owner)
      const row = await reader
        .selectFrom('inline_policy')
        .select('document')
        .where('owner_id', '=', id)
        .where('name', '=', name)
        .executeTakeFirst()
      return row?.document ?? absent(owner, name)
    },

    async list(owner, { limit, after = '' }) {
      const { id } = await getOwner(reader, owner)
      const rows = await reader
        .selectFrom('inline_policy')
        .select('name')
        .where('owner_id', '=', id)
        .where('name', '>', after)
        .orderBy('name')
        .limit(limit + 1)
        .execute()
      return pageOf(
        rows.map(({ name }) => name),
        limit,
        (name) => name,
      )
    },

    put: (owner, name, document) =>
      change(async (trx) => {
        const { id } = await lockOwner(trx, owner)
        parseNewPolicy(document, 'inline')
        await requireRoom(trx, { owner, id, name, document })
        await trx
          .insertInto('inline_policy')
          .values({ owner_id: id, name, document })
          .onConflict((conflict) => conflict.columns(['owner_id', 'name']).doUpdateSet({ document }))
          .execute()
      }),

    delete: (owner, name) =>
      change(async (trx) => {
        const { id } = await lockOwner(trx, owner)
        const deleted = await trx
          .deleteFrom('inline_policy')
          .where('owner_id', '=', id)
          .where('name', '=', name)
          .returning('name')
          .executeTakeFirst()
        if (deleted === undefined) absent(owner, name)
      }),
  }
}

function absent({ kind }: OwnerRef, name: string): never {
  throw refuseEntity('EntityNotFound', { kind: `${kind} policy`, name })
}

interface Put {
  readonly owner: OwnerRef
  readonly id: string
  readonly name: string
  readonly document: string
}

async function requireRoom(trx: Transaction, { owner, id, name, document }: Put): Promise<void> {
  const others = await trx
    .selectFrom('inline_policy')
    .select('document')
    .where('owner_id', '=', id)
    .where('name', '!=', name)
    .execute()
  const size = [document, ...others.map((other) => other.document)].reduce((sum, text) => sum + documentSize(text), 0)
  const limit = most[owner.kind]
  if (size > limit) throw refuseEntity('InlinePoliciesTooLarge', { owner: owner.kind, name: owner.name, limit })
}
