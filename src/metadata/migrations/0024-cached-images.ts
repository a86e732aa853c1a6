import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/** What the pull through cache holds: images and tags that came from an upstream, and manifests that are on their way. */
export async function cachedImages(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const { text, integer } = types
  await db.schema
    .createTable('cached_image')
    .addColumn('repository_id', integer, (c) => c.notNull().references('repository.id').onDelete('cascade'))
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('upstream_url', text, (c) => c.notNull())
    .addColumn('upstream_name', text, (c) => c.notNull())
    .addColumn('fetched_at', integer, (c) => c.notNull())
    .addColumn('referrers_checked_at', integer)
    .addPrimaryKeyConstraint('cached_image_key', ['repository_id', 'digest'])
    .execute()
  await db.schema
    .createTable('cached_tag')
    .addColumn('repository_id', integer, (c) => c.notNull().references('repository.id').onDelete('cascade'))
    .addColumn('tag', text, (c) => c.notNull())
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('over_digest', text)
    .addColumn('checked_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('cached_tag_key', ['repository_id', 'tag'])
    .execute()
  await pendingManifests(db, types)
  await db.schema
    .createTable('claim')
    .addColumn('key', text, (c) => c.primaryKey())
    .addColumn('holder', text, (c) => c.notNull())
    .addColumn('held_until', integer, (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('upstream_token')
    .addColumn('key', text, (c) => c.primaryKey())
    .addColumn('sealed', text, (c) => c.notNull())
    .addColumn('expires_at', integer, (c) => c.notNull())
    .execute()
}

async function pendingManifests(db: Kysely<unknown>, { text, integer, bytes }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('pending_manifest')
    .addColumn('repository_id', integer, (c) => c.notNull().references('repository.id').onDelete('cascade'))
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('media_type', text, (c) => c.notNull())
    .addColumn('body', bytes, (c) => c.notNull())
    .addColumn('upstream_url', text, (c) => c.notNull())
    .addColumn('upstream_name', text, (c) => c.notNull())
    .addColumn('requested_by', text, (c) => c.notNull())
    .addColumn('fetched_at', integer, (c) => c.notNull())
    .addColumn('failed_at', integer)
    .addColumn('failure', text)
    .addColumn('referrers_checked_at', integer)
    .addPrimaryKeyConstraint('pending_manifest_key', ['repository_id', 'digest'])
    .execute()
  await db.schema
    .createTable('pending_reference')
    .addColumn('repository_id', integer, (c) => c.notNull())
    .addColumn('parent', text, (c) => c.notNull())
    .addColumn('child', text, (c) => c.notNull())
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('size', integer)
    .addPrimaryKeyConstraint('pending_reference_key', ['repository_id', 'parent', 'child', 'kind'])
    .addForeignKeyConstraint(
      'pending_reference_parent',
      ['repository_id', 'parent'],
      'pending_manifest',
      ['repository_id', 'digest'],
      (c) => c.onDelete('cascade'),
    )
    .execute()
  await db.schema
    .createIndex('pending_reference_child')
    .on('pending_reference')
    .columns(['repository_id', 'child'])
    .execute()
}
