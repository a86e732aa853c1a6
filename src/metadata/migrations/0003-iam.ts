import { type Kysely, sql } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Users, groups, roles, their policies and their temporary credentials. */
export async function iam(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await identities(db, types)
  await policies(db, types)
  await credentials(db, types)
}

/** Users, groups and roles: named in their account, without regard to case, and with a path. */
function identityTable(db: Kysely<unknown>, name: string, { text, integer }: ColumnTypes) {
  return db.schema
    .createTable(name)
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('account', text, (c) => c.notNull().references('account.id'))
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('name_key', text, (c) => c.notNull())
    .addColumn('path', text, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addUniqueConstraint(`${name}_name`, ['account', 'name_key'])
}

async function identities(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { text, integer } = types
  await identityTable(db, 'iam_user', types)
    .addColumn('boundary_arn', text)
    .addColumn('tags', text, (c) => c.notNull())
    .execute()
  await identityTable(db, 'iam_group', types).execute()
  await db.schema
    .createTable('iam_group_member')
    .addColumn('group_id', text, (c) => c.notNull().references('iam_group.id'))
    .addColumn('user_id', text, (c) => c.notNull().references('iam_user.id'))
    .addPrimaryKeyConstraint('iam_group_member_key', ['group_id', 'user_id'])
    .execute()
  await db.schema.createIndex('iam_group_member_user').on('iam_group_member').column('user_id').execute()
  await identityTable(db, 'iam_role', types)
    .addColumn('description', text)
    .addColumn('trust_policy', text, (c) => c.notNull())
    .addColumn('max_session_seconds', integer, (c) => c.notNull())
    .addColumn('boundary_arn', text)
    .addColumn('tags', text, (c) => c.notNull())
    .addColumn('last_used_at', integer)
    .addColumn('last_used_region', text)
    .execute()
  await db.schema
    .createTable('oidc_provider')
    .addColumn('arn', text, (c) => c.primaryKey())
    .addColumn('account', text, (c) => c.notNull().references('account.id'))
    .addColumn('url', text, (c) => c.notNull())
    .addColumn('client_ids', text, (c) => c.notNull())
    .addColumn('thumbprints', text, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('tags', text, (c) => c.notNull())
    .execute()
}

async function policies(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('managed_policy')
    .addColumn('arn', text, (c) => c.primaryKey())
    .addColumn('id', text, (c) => c.notNull())
    .addColumn('account', text, (c) => c.notNull().references('account.id'))
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('name_key', text, (c) => c.notNull())
    .addColumn('path', text, (c) => c.notNull())
    .addColumn('description', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('updated_at', integer, (c) => c.notNull())
    .addColumn('default_version', integer, (c) => c.notNull())
    .addColumn('last_version', integer, (c) => c.notNull())
    .addColumn('tags', text, (c) => c.notNull())
    .addUniqueConstraint('managed_policy_name', ['account', 'name_key'])
    .execute()
  await db.schema
    .createTable('managed_policy_version')
    .addColumn('policy_arn', text, (c) => c.notNull().references('managed_policy.arn'))
    .addColumn('version', integer, (c) => c.notNull())
    .addColumn('document', text, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('managed_policy_version_key', ['policy_arn', 'version'])
    .execute()
  await db.schema
    .createTable('inline_policy')
    .addColumn('owner_id', text, (c) => c.notNull())
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('document', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('inline_policy_key', ['owner_id', 'name'])
    .execute()
  await db.schema
    .createTable('policy_attachment')
    .addColumn('owner_id', text, (c) => c.notNull())
    .addColumn('policy_arn', text, (c) => c.notNull())
    .addColumn('attached_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('policy_attachment_key', ['owner_id', 'policy_arn'])
    .execute()
  await db.schema.createIndex('policy_attachment_policy').on('policy_attachment').column('policy_arn').execute()
}

async function credentials(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .alterTable('access_key')
    .addColumn('user_id', text, (c) => c.references('iam_user.id'))
    .execute()
  await db.schema
    .alterTable('access_key')
    .addColumn('status', text, (c) => c.notNull().defaultTo(sql`'Active'`))
    .execute()
  for (const [name, type] of [
    ['last_used_at', integer],
    ['last_used_service', text],
    ['last_used_region', text],
  ] as const) {
    await db.schema.alterTable('access_key').addColumn(name, type).execute()
  }
  await db.schema.createIndex('access_key_user').on('access_key').column('user_id').execute()
  await db.schema
    .createTable('session')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('secret', text, (c) => c.notNull())
    .addColumn('token_hash', text, (c) => c.notNull())
    .addColumn('account', text, (c) => c.notNull().references('account.id'))
    .addColumn('owner_kind', text, (c) => c.notNull())
    .addColumn('owner_id', text, (c) => c.notNull())
    .addColumn('name', text)
    .addColumn('policies', text, (c) => c.notNull())
    .addColumn('facts', text, (c) => c.notNull())
    .addColumn('issued_at', integer, (c) => c.notNull())
    .addColumn('expires_at', integer, (c) => c.notNull())
    .execute()
  await db.schema.createIndex('session_expiry').on('session').column('expires_at').execute()
}
