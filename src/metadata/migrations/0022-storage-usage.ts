import { type Kysely, sql } from 'kysely'
import type { ColumnTypes } from '#metadata/columns.ts'

/**
 * How many bytes each registry stores: each blob once, however many repositories link it, and the manifests of each repository. A deleted
 * repository counts for the registry that it was in, for as long as the recycle bin has it. Uploads say which registry they are in, and how many bytes they hold.
 */
export async function storageUsage(db: Kysely<unknown>, { text, integer }: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('registry_blob')
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('digest', text, (c) => c.notNull())
    .addColumn('links', integer, (c) => c.notNull())
    .addColumn('size', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('registry_blob_key', ['account', 'region', 'digest'])
    .execute()
  await db.schema
    .createTable('registry_usage')
    .addColumn('account', text, (c) => c.notNull())
    .addColumn('region', text, (c) => c.notNull())
    .addColumn('shard', integer, (c) => c.notNull())
    .addColumn('bytes', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('registry_usage_key', ['account', 'region', 'shard'])
    .execute()
  await sql`
    insert into registry_blob (account, region, digest, links, size)
    select coalesce(deleted.account, live.account), coalesce(deleted.region, live.region), link.digest, count(*), max(blob.size)
    from repository_blob as link
    join repository as live on live.id = link.repository_id
    join blob on blob.digest = link.digest
    left join deleted_repository as deleted on deleted.repository_id = live.id
    group by 1, 2, 3`.execute(db)
  await sql`
    insert into registry_usage (account, region, shard, bytes)
    select account, region, 0, sum(size) from registry_blob group by account, region`.execute(db)
  await sql`
    insert into registry_usage (account, region, shard, bytes)
    select coalesce(deleted.account, live.account), coalesce(deleted.region, live.region), 1, sum(length(content.body))
    from manifest_content as content
    join repository as live on live.id = content.repository_id
    left join deleted_repository as deleted on deleted.repository_id = live.id
    group by 1, 2`.execute(db)
  await uploads(db, { text, integer })
}

async function uploads(db: Kysely<unknown>, { text, integer }: Pick<ColumnTypes, 'text' | 'integer'>): Promise<void> {
  for (const column of ['account', 'region']) {
    await db.schema
      .alterTable('upload')
      .addColumn(column, text, (c) => c.notNull().defaultTo(''))
      .execute()
  }
  await db.schema
    .alterTable('upload')
    .addColumn('held', integer, (c) => c.notNull().defaultTo(0))
    .execute()
  await sql`
    update upload set
      account = (select account from repository where repository.id = upload.repository_id),
      region = (select region from repository where repository.id = upload.repository_id),
      held = "offset"`.execute(db)
  await db.schema.createIndex('upload_registry').on('upload').columns(['account', 'region']).execute()
}
