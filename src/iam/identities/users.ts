import type { Selectable } from 'kysely'
import type { ChangeIam } from '#iam/changes.ts'
import { type InUse, refuseEntity } from '#iam/entity-refusals.ts'
import { lockAttachable } from '#iam/policies/attachable.ts'
import type { PrincipalChange } from '#iam/policy/rename-principal.ts'
import type { PrincipalChanged } from '#iam/principal-changes.ts'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { UserTable } from '#metadata/schema/iam.ts'
import type { AccountId } from '#names/account.ts'
import { type IdentityListing, underPath } from './listing.ts'
import { holdNames, lockOwner, type NameChange, nameKey, ownerArn, renameOwner, requireFree } from './owners.ts'
import { type Tag, type Tags, withoutTags, withTags } from './tags.ts'
import { uniqueId } from './unique-id.ts'

/** The users of an account: people and programs that have access keys of their own. One that has anything is not deleted. */
export interface User {
  /** `AIDA…` */
  readonly id: string
  readonly name: string
  readonly path: string
  readonly arn: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly boundaryArn: string | undefined
  readonly tags: Tags
}

export interface NewUser {
  readonly name: string
  readonly path: string
  readonly tags: readonly Tag[]
  readonly boundaryArn: string | undefined
}

export interface Users {
  /** @throws Refusal `EntityExists`, `BoundaryUnknown`, `PolicyArnInvalid` and those of tags */
  create(account: AccountId, user: NewUser): Promise<User>
  /** @throws Refusal `EntityNotFound` */
  get(account: AccountId, name: string): Promise<User>
  /** By name. */
  list(account: AccountId, listing: IdentityListing): Promise<Page<User, string>>
  /** Renames or moves one, which keeps its id and all that it has. @throws Refusal `EntityNotFound`, `EntityExists` */
  update(account: AccountId, name: string, changed: NameChange): Promise<void>
  /** @throws Refusal `EntityNotFound`, `EntityInUse` */
  delete(account: AccountId, name: string): Promise<void>
  /** @throws Refusal `EntityNotFound` and those of tags */
  addTags(account: AccountId, name: string, tags: readonly Tag[]): Promise<void>
  /** @throws Refusal `EntityNotFound` */
  removeTags(account: AccountId, name: string, keys: readonly string[]): Promise<void>
}

export interface UserParts {
  readonly reader: Reader
  readonly change: ChangeIam
  readonly clock: Clock
  readonly principalChanged: readonly PrincipalChanged[]
}

export function createUsers({ reader, change, clock, principalChanged }: UserParts): Users {
  async function announce(trx: Transaction, changed: PrincipalChange): Promise<void> {
    for (const listener of principalChanged) await listener(trx, changed)
  }

  function changeTags(account: AccountId, name: string, changed: (tags: Tags) => Tags): Promise<void> {
    return change(async (trx) => {
      const { id } = await lockOwner(trx, { account, kind: 'user', name })
      const { tags } = await trx.selectFrom('iam_user').select('tags').where('id', '=', id).executeTakeFirstOrThrow()
      await trx
        .updateTable('iam_user')
        .set({ tags: JSON.stringify(changed(JSON.parse(tags))) })
        .where('id', '=', id)
        .execute()
    })
  }

  return {
    create: (account, user) => change((trx) => insertUser(trx, account, user, clock())),

    async get(account, name) {
      const row = await reader
        .selectFrom('iam_user')
        .selectAll()
        .where('account', '=', account)
        .where('name_key', '=', nameKey(name))
        .executeTakeFirst()
      if (row === undefined) throw refuseEntity('EntityNotFound', { kind: 'user', name })
      return parseUser(row)
    },

    async list(account, { pathPrefix, limit, after = '' }) {
      const rows = await reader
        .selectFrom('iam_user')
        .selectAll()
        .where('account', '=', account)
        .where('name_key', '>', after)
        .where(underPath(pathPrefix))
        .orderBy('name_key')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseUser), limit, ({ name }) => nameKey(name))
    },

    update: (account, name, changed) =>
      change(async (trx) => announce(trx, await renameOwner(trx, { account, kind: 'user', name }, changed))),

    delete: (account, name) =>
      change(async (trx) => {
        const owner = await lockOwner(trx, { account, kind: 'user', name })
        const { id } = owner
        const by = await hangingOn(trx, id)
        if (by !== undefined) throw refuseEntity('EntityInUse', { by })
        await trx.deleteFrom('iam_user').where('id', '=', id).execute()
        await announce(trx, { from: ownerArn(owner), to: id })
      }),

    addTags: (account, name, added) => changeTags(account, name, (tags) => withTags(tags, added)),
    removeTags: (account, name, keys) => changeTags(account, name, (tags) => withoutTags(tags, keys)),
  }
}

async function insertUser(trx: Transaction, account: AccountId, user: NewUser, now: number): Promise<User> {
  const { name, path, tags, boundaryArn } = user
  await holdNames(trx, account)
  await requireFree(trx, { account, kind: 'user', name })
  if (boundaryArn !== undefined) await lockAttachable(trx, account, boundaryArn, 'boundary')
  const row = {
    ...{ id: uniqueId('AIDA'), account, name, name_key: nameKey(name), path, created_at: now },
    boundary_arn: boundaryArn ?? null,
    tags: JSON.stringify(withTags({}, tags)),
  }
  await trx.insertInto('iam_user').values(row).execute()
  return parseUser(row)
}

/** What keeps a user from being deleted, in the order in which one would take it away. */
async function hangingOn(trx: Transaction, id: string): Promise<InUse | undefined> {
  const { keys, groups, inline, attached } = await trx
    .selectNoFrom((eb) => [
      eb.exists(eb.selectFrom('access_key').select('id').where('user_id', '=', id)).as('keys'),
      eb.exists(eb.selectFrom('iam_group_member').select('group_id').where('user_id', '=', id)).as('groups'),
      eb.exists(eb.selectFrom('inline_policy').select('name').where('owner_id', '=', id)).as('inline'),
      eb.exists(eb.selectFrom('policy_attachment').select('policy_arn').where('owner_id', '=', id)).as('attached'),
    ])
    .executeTakeFirstOrThrow()
  if (keys) return 'access keys'
  if (groups) return 'group memberships'
  if (inline) return 'inline policies'
  return attached ? 'attached policies' : undefined
}

export function parseUser(row: Selectable<UserTable>): User {
  // Written with an account that was parsed.
  const account = row.account as AccountId
  return {
    id: row.id,
    name: row.name,
    path: row.path,
    arn: ownerArn({ account, kind: 'user', path: row.path, name: row.name }),
    createdAt: row.created_at,
    boundaryArn: row.boundary_arn ?? undefined,
    tags: JSON.parse(row.tags),
  }
}
