import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** Secrets with the credentials for upstream registries, their versions, and the labels that say which version counts. */
export async function secrets(db: Kysely<unknown>, { text, integer, identity }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('secret')
    .addColumn('id', identity)
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('suffix', text, (c) => c.notNull())
    .addColumn('description', text)
    .addColumn('kms_key', text)
    .addColumn('tags', text, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('changed_at', integer, (c) => c.notNull())
    .addColumn('accessed_at', integer)
    .addColumn('deleted_at', integer)
    .addColumn('purge_at', integer)
    .execute()
  await db.schema.createIndex('secret_name').on('secret').columns(['account', 'region', 'name']).unique().execute()
  await db.schema.createIndex('secret_purge').on('secret').column('purge_at').execute()
  await db.schema
    .createTable('secret_version')
    .addColumn('secret_id', integer, (c) => c.notNull().references('secret.id'))
    .addColumn('version_id', text, (c) => c.notNull())
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('sealed', text, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('accessed_at', integer)
    .addPrimaryKeyConstraint('secret_version_key', ['secret_id', 'version_id'])
    .execute()
  await db.schema
    .createTable('secret_stage')
    .addColumn('secret_id', integer, (c) => c.notNull())
    .addColumn('stage', text, (c) => c.notNull())
    .addColumn('version_id', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('secret_stage_key', ['secret_id', 'stage'])
    .addForeignKeyConstraint('secret_stage_version', ['secret_id', 'version_id'], 'secret_version', [
      'secret_id',
      'version_id',
    ])
    .execute()
}
