import { type Kysely, sql } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/**
 * Jobs, the history of tags, the recycle bin, what is in use, what is to be collected, and what-ifs of lifecycle policies. What was
 * there before has a history from now on, and what nothing refers to by now is up for collection.
 */
export async function retention(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await jobs(db, types)
  await tagHistory(db, types)
  await recycleBin(db, types)
  await inUse(db, types)
  await collection(db, types)
  await whatIfs(db, types)
  await previewPages(db, types)
}

async function jobs(db: Kysely<unknown>, { text, integer, identity }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('job')
    .addColumn('id', identity)
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('key', text, (c) => c.notNull())
    .addColumn('payload', text, (c) => c.notNull())
    .addColumn('state', text, (c) => c.notNull())
    .addColumn('run_at', integer, (c) => c.notNull())
    .addColumn('attempts', integer, (c) => c.notNull())
    .addColumn('leased_by', text)
    .addColumn('leased_until', integer)
    .addColumn('last_error', text)
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('finished_at', integer)
    .execute()
  await db.schema
    .createIndex('job_waiting')
    .on('job')
    .columns(['kind', 'key'])
    .unique()
    .where(sql<boolean>`state = 'waiting'`)
    .execute()
  await db.schema
    .createIndex('job_running')
    .on('job')
    .columns(['kind', 'key'])
    .unique()
    .where(sql<boolean>`state = 'running'`)
    .execute()
  await db.schema.createIndex('job_due').on('job').columns(['state', 'run_at']).execute()
  await db.schema.createIndex('job_finished').on('job').columns(['state', 'finished_at']).execute()
  await db.schema
    .createTable('job_schedule')
    .addColumn('name', text, (c) => c.primaryKey())
    .addColumn('next_at', integer, (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('counter')
    .addColumn('name', text, (c) => c.primaryKey())
    .addColumn('value', integer, (c) => c.notNull())
    .execute()
}

async function tagHistory(db: Kysely<unknown>, { text, integer, identity }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('tag_move')
    .addColumn('id', identity)
    .addColumn('repository_id', integer, (c) => c.notNull().references('repository.id'))
    .addColumn('tag', text, (c) => c.notNull())
    .addColumn('from_digest', text)
    .addColumn('to_digest', text)
    .addColumn('moved_at', integer, (c) => c.notNull())
    .addColumn('moved_by', text, (c) => c.notNull())
    .addColumn('cause', text, (c) => c.notNull())
    .execute()
  await sql`
    insert into tag_move (repository_id, tag, from_digest, to_digest, moved_at, moved_by, cause)
    select repository_id, tag, null, digest, moved_at, '', 'push' from tag`.execute(db)
  await db.schema.createIndex('tag_move_tag').on('tag_move').columns(['repository_id', 'tag', 'id']).execute()
  await db.schema.createIndex('tag_move_repository').on('tag_move').columns(['repository_id', 'id']).execute()
}

async function recycleBin(db: Kysely<unknown>, { text, integer, bytes }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('deleted_image')
    .addColumn('repository_id', integer, (c) => c.notNull().references('repository.id'))
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('media_type', text, (c) => c.notNull())
    .addColumn('artifact_type', text)
    .addColumn('subject', text)
    .addColumn('annotations', text)
    .addColumn('body', bytes, (c) => c.notNull())
    .addColumn('image_size', integer, (c) => c.notNull())
    .addColumn('pushed_at', integer, (c) => c.notNull())
    .addColumn('pulled_at', integer)
    .addColumn('status', text, (c) => c.notNull())
    .addColumn('archived_at', integer)
    .addColumn('activated_at', integer)
    .addColumn('tags', text, (c) => c.notNull())
    .addColumn('deleted_at', integer, (c) => c.notNull())
    .addColumn('deleted_by', text, (c) => c.notNull())
    .addColumn('cause', text, (c) => c.notNull())
    .addColumn('purge_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('deleted_image_key', ['repository_id', 'digest'])
    .execute()
  await db.schema.createIndex('deleted_image_purge').on('deleted_image').column('purge_at').execute()
  await db.schema
    .createIndex('deleted_image_time')
    .on('deleted_image')
    .columns(['repository_id', 'deleted_at', 'digest'])
    .execute()
  await db.schema
    .createIndex('deleted_image_subject')
    .on('deleted_image')
    .columns(['repository_id', 'subject', 'digest'])
    .where('subject', 'is not', null)
    .execute()
  await db.schema
    .createTable('deleted_image_reference')
    .addColumn('repository_id', integer, (c) => c.notNull())
    .addColumn('parent', text, (c) => c.notNull())
    .addColumn('child', text, (c) => c.notNull())
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('media_type', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('deleted_image_reference_key', ['repository_id', 'parent', 'child', 'kind'])
    .addForeignKeyConstraint('deleted_image_reference_parent', ['repository_id', 'parent'], 'deleted_image', [
      'repository_id',
      'digest',
    ])
    .execute()
  await db.schema
    .createIndex('deleted_image_reference_child')
    .on('deleted_image_reference')
    .columns(['repository_id', 'child'])
    .execute()
  await db.schema
    .createTable('deleted_repository')
    .addColumn('repository_id', integer, (c) => c.primaryKey().references('repository.id'))
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('deleted_at', integer, (c) => c.notNull())
    .addColumn('deleted_by', text, (c) => c.notNull())
    .addColumn('purge_at', integer, (c) => c.notNull())
    .execute()
  await db.schema
    .createIndex('deleted_repository_name')
    .on('deleted_repository')
    .columns(['account', 'region', 'name', 'repository_id'])
    .execute()
  await db.schema.createIndex('deleted_repository_purge').on('deleted_repository').column('purge_at').execute()
  // How often something was taken from the repository on which a count of its images rests.
  await db.schema
    .alterTable('repository')
    .addColumn('image_removals', integer, (c) => c.notNull().defaultTo(0))
    .execute()
}

async function inUse(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema.alterTable('repository').addColumn('keep_in_use', integer).execute()
  await db.schema
    .createTable('in_use_report')
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('cluster', text, (c) => c.notNull())
    .addColumn('reported_at', integer, (c) => c.notNull())
    .addColumn('reported_by', text, (c) => c.notNull())
    .addColumn('expires_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('in_use_report_key', ['account', 'region', 'cluster'])
    .execute()
  await db.schema
    .createTable('in_use_image')
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('cluster', text, (c) => c.notNull())
    .addColumn('repository', text, (c) => c.notNull())
    .addColumn('digest', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('in_use_image_key', ['account', 'region', 'cluster', 'repository', 'digest'])
    .addForeignKeyConstraint('in_use_image_report', ['account', 'region', 'cluster'], 'in_use_report', [
      'account',
      'region',
      'cluster',
    ])
    .execute()
  await db.schema
    .createIndex('in_use_image_digest')
    .on('in_use_image')
    .columns(['account', 'region', 'repository', 'digest'])
    .execute()
}

async function collection(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('link_candidate')
    .addColumn('repository_id', integer, (c) => c.notNull())
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('since', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('link_candidate_key', ['repository_id', 'digest'])
    .execute()
  await db.schema.createIndex('link_candidate_since').on('link_candidate').column('since').execute()
  await db.schema
    .createTable('blob_candidate')
    .addColumn('digest', text, (c) => c.primaryKey())
    .addColumn('since', integer, (c) => c.notNull())
    .execute()
  await db.schema.createIndex('blob_candidate_since').on('blob_candidate').column('since').execute()
  await sql`
    insert into link_candidate (repository_id, digest, since)
    select link.repository_id, link.digest, link.linked_at from repository_blob as link
    where not exists (
      select 1 from manifest_reference as reference
      where reference.repository_id = link.repository_id and reference.child = link.digest and reference.kind <> 'manifest'
    )`.execute(db)
  await sql`
    insert into blob_candidate (digest, since)
    select digest, stored_at from blob
    where not exists (select 1 from repository_blob as link where link.digest = blob.digest)`.execute(db)
  await db.schema
    .createTable('collection_hold')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('expires_at', integer, (c) => c.notNull())
    .execute()
  await db.schema.alterTable('blob').addColumn('quarantined_at', integer).execute()
  await db.schema
    .createIndex('blob_quarantined')
    .on('blob')
    .columns(['quarantined_at', 'digest'])
    .where('quarantined_at', 'is not', null)
    .execute()
  await db.schema.createIndex('upload_touched').on('upload').column('touched_at').execute()
}

async function whatIfs(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('lifecycle_what_if')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('repository_id', integer, (c) => c.notNull().references('repository.id').onDelete('cascade'))
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('summary', text, (c) => c.notNull())
    .execute()
  await db.schema.createIndex('lifecycle_what_if_created').on('lifecycle_what_if').column('created_at').execute()
  await db.schema
    .createTable('lifecycle_what_if_page')
    .addColumn('what_if_id', text, (c) => c.notNull().references('lifecycle_what_if.id').onDelete('cascade'))
    .addColumn('number', integer, (c) => c.notNull())
    .addColumn('document', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('lifecycle_what_if_page_key', ['what_if_id', 'number'])
    .execute()
}

/** Results of previews, many a row, as those of what-ifs. Whoever had a preview starts it anew. */
async function previewPages(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema.dropTable('lifecycle_preview_result').execute()
  await sql`delete from lifecycle_preview`.execute(db)
  await db.schema
    .createTable('lifecycle_preview_page')
    .addColumn('preview_id', integer, (c) => c.notNull().references('lifecycle_preview.id').onDelete('cascade'))
    .addColumn('number', integer, (c) => c.notNull())
    .addColumn('document', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('lifecycle_preview_page_key', ['preview_id', 'number'])
    .execute()
}
