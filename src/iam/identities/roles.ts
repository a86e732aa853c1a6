import type { Selectable } from 'kysely'
import type { ChangeIam } from '#iam/changes.ts'
import { refuseEntity } from '#iam/entity-refusals.ts'
import { findManagedPolicy, lockManagedPolicy } from '#iam/policies/managed-policy.ts'
import type { PrincipalChanged } from '#iam/principal-changes.ts'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { RoleTable } from '#metadata/schema/iam.ts'
import { type AccountId, isAccountId } from '#names/account.ts'
import { type IdentityListing, underPath } from './listing.ts'
import { nameKey, ownerArn } from './owners.ts'
import { type Tag, type Tags, withoutTags, withTags } from './tags.ts'
import { requireTrustPolicy } from './trust-policy.ts'
import { uniqueId } from './unique-id.ts'

/**
 * Roles: identities without credentials of their own, which those whom a role trusts take on for a while. Names are unique in an
 * account without regard to case.
 */
export interface Role {
  /** `AROA…` */
  readonly id: string
  readonly arn: string
  readonly account: AccountId
  readonly name: string
  readonly path: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly description: string | undefined
  /** The text that was given. */
  readonly trustPolicy: string
  readonly maxSessionSeconds: number
  readonly boundaryArn: string | undefined
  readonly tags: Tags
  readonly lastUsed: { readonly at: number; readonly region: string } | undefined
}

export interface NewRole {
  readonly name: string
  readonly path: string
  readonly description: string | undefined
  readonly trustPolicy: string
  readonly maxSessionSeconds: number
  readonly boundaryArn: string | undefined
  readonly tags: readonly Tag[]
}

export interface Roles {
  /** @throws Refusal `EntityExists`, `BoundaryUnknown`, those of tags and of trust policies */
  create(account: AccountId, role: NewRole): Promise<Role>
  /** @throws Refusal `EntityNotFound` */
  get(account: AccountId, name: string): Promise<Role>
  /** By name. */
  list(account: AccountId, listing: IdentityListing): Promise<Page<Role, string>>
  /** What is undefined stays as it is. @throws Refusal `EntityNotFound` */
  update(
    account: AccountId,
    name: string,
    changes: { readonly description?: string | undefined; readonly maxSessionSeconds?: number | undefined },
  ): Promise<Role>
  /** @throws Refusal `EntityNotFound` and those of trust policies */
  putTrustPolicy(account: AccountId, name: string, trustPolicy: string): Promise<void>
  /** @throws Refusal `EntityNotFound`, `EntityInUse` while it has policies */
  delete(account: AccountId, name: string): Promise<void>
  /** @throws Refusal `EntityNotFound` and those of tags */
  addTags(account: AccountId, name: string, tags: readonly Tag[]): Promise<void>
  /** @throws Refusal `EntityNotFound` */
  removeTags(account: AccountId, name: string, keys: readonly string[]): Promise<void>
}

export interface RoleParts {
  readonly reader: Reader
  readonly change: ChangeIam
  readonly clock: Clock
  readonly principalChanged: readonly PrincipalChanged[]
}

export function createRoles({ reader, change, clock, principalChanged }: RoleParts): Roles {
  function update(
    account: AccountId,
    name: string,
    changed: (role: Role, trx: Transaction) => Promise<Partial<RoleColumns>>,
  ): Promise<Role> {
    return change(async (trx) => {
      const role = await lockRole(trx, account, name, 'changed')
      const row = await trx
        .updateTable('iam_role')
        .set({ name: role.name, ...(await changed(role, trx)) })
        .where('id', '=', role.id)
        .returningAll()
        .executeTakeFirstOrThrow()
      return parseRole(row)
    })
  }

  return {
    create: (account, role) => change((trx) => insertRole(trx, account, role, clock())),

    async get(account, name) {
      const role = await findRole(reader, account, name)
      if (role === undefined) throw missing(name)
      return role
    },

    async list(account, { pathPrefix, limit, after = '' }) {
      const rows = await reader
        .selectFrom('iam_role')
        .selectAll()
        .where('account', '=', account)
        .where('name_key', '>', after)
        .where(underPath(pathPrefix))
        .orderBy('name_key')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseRole), limit, ({ name }) => nameKey(name))
    },

    update: (account, name, { description, maxSessionSeconds }) =>
      update(account, name, async () => ({
        ...(description !== undefined && { description }),
        ...(maxSessionSeconds !== undefined && { max_session_seconds: maxSessionSeconds }),
      })),

    async putTrustPolicy(account, name, trustPolicy) {
      await update(account, name, async (_, trx) => {
        await requireTrustPolicy(trx, trustPolicy)
        return { trust_policy: trustPolicy }
      })
    },

    delete: (account, name) =>
      change(async (trx) => {
        const { id, arn } = await lockRole(trx, account, name, 'deleted')
        for (const [table, by] of [
          ['policy_attachment', 'attached policies'],
          ['inline_policy', 'inline policies'],
        ] as const) {
          const held = await trx.selectFrom(table).select('owner_id').where('owner_id', '=', id).executeTakeFirst()
          if (held !== undefined) throw refuseEntity('EntityInUse', { by })
        }
        await trx.deleteFrom('iam_role').where('id', '=', id).execute()
        for (const listener of principalChanged) await listener(trx, { from: arn, to: id })
      }),

    async addTags(account, name, added) {
      await update(account, name, async ({ tags }) => ({ tags: JSON.stringify(withTags(tags, added)) }))
    },
    async removeTags(account, name, keys) {
      await update(account, name, async ({ tags }) => ({ tags: JSON.stringify(withoutTags(tags, keys)) }))
    },
  }
}

type RoleColumns = Pick<RoleTable, 'description' | 'max_session_seconds' | 'trust_policy' | 'tags'>

async function findRole(reader: Reader, account: AccountId, name: string): Promise<Role | undefined> {
  const row = await selectRole(reader, account, name).executeTakeFirst()
  return row && parseRole(row)
}

const arnPattern = /^arn:aws:iam::(\d{12}):role\/(?:[\x21-\x7e]+\/)?([\w+=,.@-]{1,64})$/

/** What the ARN of a role says; `undefined` for a text that is none. */
export function parseRoleArn(arn: string): { readonly account: AccountId; readonly name: string } | undefined {
  const [, account = '', name = ''] = arnPattern.exec(arn) ?? []
  return isAccountId(account) ? { account, name } : undefined
}

/** The role whose ARN is that, letter by letter. */
export async function findRoleByArn(reader: Reader, arn: string): Promise<Role | undefined> {
  const parsed = parseRoleArn(arn)
  const role = parsed && (await findRole(reader, parsed.account, parsed.name))
  return role?.arn === arn ? role : undefined
}

/**
 * Holds the role still until the transaction ends: whoever gives it a policy and whoever deletes it wait for one another. Policies
 * that name it do not wait for its changes, or two roles that come to trust one another at once would wait for ever.
 *
 * @throws Refusal `EntityNotFound`
 */
async function lockRole(trx: Transaction, account: AccountId, name: string, to: 'changed' | 'deleted'): Promise<Role> {
  const query = selectRole(trx, account, name)
  const row = await (to === 'deleted' ? query.forUpdate() : query.forNoKeyUpdate()).executeTakeFirst()
  if (row === undefined) throw missing(name)
  return parseRole(row)
}

async function insertRole(trx: Transaction, account: AccountId, role: NewRole, now: number): Promise<Role> {
  const { name, path, description, trustPolicy, maxSessionSeconds, boundaryArn, tags } = role
  await requireTrustPolicy(trx, trustPolicy)
  if (boundaryArn !== undefined) {
    if (!(await findManagedPolicy(trx, account, boundaryArn)))
      throw refuseEntity('BoundaryUnknown', { arn: boundaryArn })
    await lockManagedPolicy(trx, account, boundaryArn)
  }
  const row = await trx
    .insertInto('iam_role')
    .values({
      ...{ id: uniqueId('AROA'), account, name, name_key: nameKey(name), path, created_at: now },
      ...{ description: description ?? null, trust_policy: trustPolicy, max_session_seconds: maxSessionSeconds },
      ...{ boundary_arn: boundaryArn ?? null, tags: JSON.stringify(withTags({}, tags)) },
    })
    .onConflict((conflict) => conflict.columns(['account', 'name_key']).doNothing())
    .returningAll()
    .executeTakeFirst()
  if (row === undefined) throw refuseEntity('EntityExists', { kind: 'role', name })
  return parseRole(row)
}

function selectRole(reader: Reader, account: AccountId, name: string) {
  return reader.selectFrom('iam_role').selectAll().where('account', '=', account).where('name_key', '=', nameKey(name))
}

function parseRole(row: Selectable<RoleTable>): Role {
  const { path, name, last_used_at: at, last_used_region: region } = row
  // Written by `create`, which takes no other text than an account's.
  const account = row.account as AccountId
  return {
    id: row.id,
    arn: ownerArn({ account, kind: 'role', path, name }),
    account,
    name,
    path,
    createdAt: row.created_at,
    description: row.description ?? undefined,
    trustPolicy: row.trust_policy,
    maxSessionSeconds: row.max_session_seconds,
    boundaryArn: row.boundary_arn ?? undefined,
    tags: JSON.parse(row.tags),
    lastUsed: at === null || region === null ? undefined : { at, region },
  }
}

function missing(name: string) {
  return refuseEntity('EntityNotFound', { kind: 'role', name })
}
