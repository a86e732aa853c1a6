import type { Kysely } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

export async function registry(db: Kysely<unknown>, { text, integer, bytes, identity }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('repository')
    .addColumn('id', identity)
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('name', text, (c) => c.notNull())
    .addColumn('created_at', integer, (c) => c.notNull())
    .addColumn('tag_mutability', text, (c) => c.notNull())
    .addColumn('tag_mutability_exclusions', text, (c) => c.notNull())
    .addColumn('scan_on_push', integer, (c) => c.notNull())
    .addColumn('encryption_type', text, (c) => c.notNull())
    .addColumn('kms_key', text)
    .addColumn('resource_tags', text, (c) => c.notNull())
    .addUniqueConstraint('repository_name', ['account', 'region', 'name'])
    .execute()

  await db.schema
    .createTable('blob')
    .addColumn('digest', text, (c) => c.primaryKey())
    .addColumn('size', integer, (c) => c.notNull())
    .addColumn('stored_at', integer, (c) => c.notNull())
    .execute()

  await db.schema
    .createTable('repository_blob')
    .addColumn('repository_id', integer, (c) => c.notNull().references('repository.id'))
    .addColumn('digest', text, (c) => c.notNull().references('blob.digest'))
    .addColumn('linked_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('repository_blob_key', ['repository_id', 'digest'])
    .execute()
  await db.schema.createIndex('repository_blob_digest').on('repository_blob').column('digest').execute()

  await db.schema
    .createTable('manifest')
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
    .addPrimaryKeyConstraint('manifest_key', ['repository_id', 'digest'])
    .execute()
  await db.schema
    .createIndex('manifest_subject')
    .on('manifest')
    .columns(['repository_id', 'subject', 'digest'])
    .where('subject', 'is not', null)
    .execute()

  await db.schema
    .createTable('manifest_reference')
    .addColumn('repository_id', integer, (c) => c.notNull())
    .addColumn('parent', text, (c) => c.notNull())
    .addColumn('child', text, (c) => c.notNull())
    .addColumn('kind', text, (c) => c.notNull())
    .addColumn('media_type', text, (c) => c.notNull())
    .addPrimaryKeyConstraint('manifest_reference_key', ['repository_id', 'parent', 'child', 'kind'])
    .addForeignKeyConstraint('manifest_reference_parent', ['repository_id', 'parent'], 'manifest', [
      'repository_id',
      'digest',
    ])
    .execute()
  await db.schema
    .createIndex('manifest_reference_child')
    .on('manifest_reference')
    .columns(['repository_id', 'child'])
    .execute()

  await db.schema
    .createTable('tag')
    .addColumn('repository_id', integer, (c) => c.notNull())
    .addColumn('tag', text, (c) => c.notNull())
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('moved_at', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('tag_key', ['repository_id', 'tag'])
    .addForeignKeyConstraint('tag_manifest', ['repository_id', 'digest'], 'manifest', ['repository_id', 'digest'])
    .execute()
  await db.schema.createIndex('tag_digest').on('tag').columns(['repository_id', 'digest', 'tag']).execute()

  await db.schema
    .createTable('upload')
    .addColumn('id', text, (c) => c.primaryKey())
    .addColumn('repository_id', integer, (c) => c.notNull().references('repository.id'))
    .addColumn('offset', integer, (c) => c.notNull())
    .addColumn('writer', text)
    .addColumn('short_part', text, (c) => c.notNull())
    .addColumn('started_at', integer, (c) => c.notNull())
    .addColumn('touched_at', integer, (c) => c.notNull())
    .execute()
  await db.schema.createIndex('upload_repository').on('upload').column('repository_id').execute()
}
