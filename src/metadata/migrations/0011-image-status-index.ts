import type { Kysely } from 'kysely'

/** Whoever lists the archived images of a repository finds them without reading all that are not. */
export async function imageStatusIndex(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('manifest_status').on('manifest').columns(['repository_id', 'status', 'digest']).execute()
}
