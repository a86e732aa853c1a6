import type { Selectable } from 'kysely'
import type { ChangeIam } from '#iam/changes.ts'
import { type InUse, refuseEntity } from '#iam/entity-refusals.ts'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { GroupTable } from '#metadata/schema/iam.ts'
import type { AccountId } from '#names/account.ts'
import { type IdentityListing, underPath } from './listing.ts'
import {
  getOwner,
  holdNames,
  lockOwner,
  type NameChange,
  nameKey,
  ownerArn,
  renameOwner,
  requireFree,
} from './owners.ts'
import { uniqueId } from './unique-id.ts'
import { parseUser, type User } from './users.ts'

/**
 * The groups of an account: users who share policies. A group is no principal, and is deleted only once it is empty. Whoever
 * joins a user and a group holds the group's row first.
 */
export interface Group {
  /** `AGPA…` */
  readonly id: string
  readonly name: string
  readonly path: string
  readonly arn: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

export interface Groups {
  /** @throws Refusal `EntityExists` */
  create(account: AccountId, group: { readonly name: string; readonly path: string }): Promise<Group>
  /** @throws Refusal `EntityNotFound` */
  get(account: AccountId, name: string): Promise<Group>
  /** By name. */
  list(account: AccountId, listing: IdentityListing): Promise<Page<Group, string>>
  /** Renames or moves one, which keeps its id and all that it has. @throws Refusal `EntityNotFound`, `EntityExists` */
  update(account: AccountId, name: string, changed: NameChange): Promise<void>
  /** @throws Refusal `EntityNotFound`, `EntityInUse` */
  delete(account: AccountId, name: string): Promise<void>
  /** One who is a member already stays one. @throws Refusal `EntityNotFound`, `EntityQuotaExceeded` */
  addUser(account: AccountId, group: string, user: string): Promise<void>
  /** @throws Refusal `EntityNotFound`, for who is no member too */
  removeUser(account: AccountId, group: string, user: string): Promise<void>
  /** The members by name. @throws Refusal `EntityNotFound` */
  listUsers(account: AccountId, group: string, page: Omit<IdentityListing, 'pathPrefix'>): Promise<Page<User, string>>
  /** The groups of a user by name. @throws Refusal `EntityNotFound` */
  listOfUser(account: AccountId, user: string, page: Omit<IdentityListing, 'pathPrefix'>): Promise<Page<Group, string>>
}

/** Imposed by IAM ("IAM and AWS STS quotas"). */
const mostGroupsOfUser = 10

export function createGroups(parts: { reader: Reader; change: ChangeIam; clock: Clock }): Groups {
  const { reader, change, clock } = parts
  return {
    create: (account, group) => change((trx) => insertGroup(trx, account, group, clock())),

    async get(account, name) {
      const row = await reader
        .selectFrom('iam_group')
        .selectAll()
        .where('account', '=', account)
        .where('name_key', '=', nameKey(name))
        .executeTakeFirst()
      if (row === undefined) throw refuseEntity('EntityNotFound', { kind: 'group', name })
      return parseGroup(row)
    },

    async list(account, { pathPrefix, limit, after = '' }) {
      const rows = await reader
        .selectFrom('iam_group')
        .selectAll()
        .where('account', '=', account)
        .where('name_key', '>', after)
        .where(underPath(pathPrefix))
        .orderBy('name_key')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseGroup), limit, ({ name }) => nameKey(name))
    },

    update: (account, name, changed) =>
      change(async (trx) => void (await renameOwner(trx, { account, kind: 'group', name }, changed))),

    delete: (account, name) =>
      change(async (trx) => {
        const { id } = await lockOwner(trx, { account, kind: 'group', name })
        const by = await hangingOn(trx, id)
        if (by !== undefined) throw refuseEntity('EntityInUse', { by })
        await trx.deleteFrom('iam_group').where('id', '=', id).execute()
      }),

    addUser: (account, group, user) =>
      change(async (trx) => {
        // IAM names a missing user before a missing group. The group's row is still the first that is held.
        await getOwner(trx, { account, kind: 'user', name: user })
        const { id: groupId } = await lockOwner(trx, { account, kind: 'group', name: group })
        const { id: userId } = await lockOwner(trx, { account, kind: 'user', name: user })
        await insertMember(trx, groupId, userId)
      }),

    removeUser: (account, group, user) =>
      change(async (trx) => {
        const { id: userId } = await getOwner(trx, { account, kind: 'user', name: user })
        const { id: groupId } = await lockOwner(trx, { account, kind: 'group', name: group })
        const removed = await trx
          .deleteFrom('iam_group_member')
          .where('group_id', '=', groupId)
          .where('user_id', '=', userId)
          .returning('user_id')
          .executeTakeFirst()
        if (removed === undefined) throw refuseEntity('EntityNotFound', { kind: 'group member', name: user })
      }),

    async listUsers(account, group, { limit, after = '' }) {
      const { id } = await getOwner(reader, { account, kind: 'group', name: group })
      const rows = await reader
        .selectFrom('iam_group_member as member')
        .innerJoin('iam_user as user', 'user.id', 'member.user_id')
        .selectAll('user')
        .where('member.group_id', '=', id)
        .where('user.name_key', '>', after)
        .orderBy('user.name_key')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseUser), limit, ({ name }) => nameKey(name))
    },

    async listOfUser(account, user, { limit, after = '' }) {
      const { id } = await getOwner(reader, { account, kind: 'user', name: user })
      const rows = await reader
        .selectFrom('iam_group_member as member')
        .innerJoin('iam_group as group', 'group.id', 'member.group_id')
        .selectAll('group')
        .where('member.user_id', '=', id)
        .where('group.name_key', '>', after)
        .orderBy('group.name_key')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseGroup), limit, ({ name }) => nameKey(name))
    },
  }
}

async function insertGroup(
  trx: Transaction,
  account: AccountId,
  { name, path }: { readonly name: string; readonly path: string },
  now: number,
): Promise<Group> {
  await holdNames(trx, account)
  await requireFree(trx, { account, kind: 'group', name })
  const row = { id: uniqueId('AGPA'), account, name, name_key: nameKey(name), path, created_at: now }
  await trx.insertInto('iam_group').values(row).execute()
  return parseGroup(row)
}

async function insertMember(trx: Transaction, group_id: string, user_id: string): Promise<void> {
  const rows = await trx.selectFrom('iam_group_member').select('group_id').where('user_id', '=', user_id).execute()
  if (rows.some((row) => row.group_id === group_id)) return
  if (rows.length >= mostGroupsOfUser) {
    throw refuseEntity('EntityQuotaExceeded', { quota: 'groups of a user', limit: mostGroupsOfUser })
  }
  await trx.insertInto('iam_group_member').values({ group_id, user_id }).execute()
}

/** What keeps a group from being deleted, in the order in which one would take it away. */
async function hangingOn(trx: Transaction, id: string): Promise<InUse | undefined> {
  const { members, inline, attached } = await trx
    .selectNoFrom((eb) => [
      eb.exists(eb.selectFrom('iam_group_member').select('user_id').where('group_id', '=', id)).as('members'),
      eb.exists(eb.selectFrom('inline_policy').select('name').where('owner_id', '=', id)).as('inline'),
      eb.exists(eb.selectFrom('policy_attachment').select('policy_arn').where('owner_id', '=', id)).as('attached'),
    ])
    .executeTakeFirstOrThrow()
  if (members) return 'group members'
  if (inline) return 'inline policies'
  return attached ? 'attached policies' : undefined
}

function parseGroup(row: Selectable<GroupTable>): Group {
  // Written with an account that was parsed.
  const account = row.account as AccountId
  const { id, name, path } = row
  return { id, name, path, arn: ownerArn({ account, kind: 'group', path, name }), createdAt: row.created_at }
}
