import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import type { ColumnTypes } from './columns.ts'
import { accounts } from './migrations/0001-accounts.ts'
import { registry } from './migrations/0002-registry.ts'
import { iam } from './migrations/0003-iam.ts'
import { settings } from './migrations/0004-settings.ts'
import { lifecycle } from './migrations/0005-lifecycle.ts'
import { upstream } from './migrations/0006-upstream.ts'
import { imageStatus } from './migrations/0007-image-status.ts'
import { secretCheck } from './migrations/0008-secret-check.ts'
import { audit } from './migrations/0009-audit.ts'
import { accountName } from './migrations/0010-account-name.ts'
import { imageStatusIndex } from './migrations/0011-image-status-index.ts'
import { retention } from './migrations/0012-retention.ts'
import { damagedManifest } from './migrations/0013-damaged-manifest.ts'
import { blobStore } from './migrations/0014-blob-store.ts'
import { foreignLayers } from './migrations/0015-foreign-layers.ts'
import { manifestContent } from './migrations/0017-manifest-content.ts'
import { compactManifests } from './migrations/0018-compact-manifests.ts'
import { auditUsage } from './migrations/0020-audit-usage.ts'
import { sessionOpener } from './migrations/0021-session-opener.ts'
import { storageUsage } from './migrations/0022-storage-usage.ts'
import { secrets } from './migrations/0023-secrets.ts'
import { cachedImages } from './migrations/0024-cached-images.ts'
import { incomingBlob } from './migrations/0025-incoming-blob.ts'
import { cacheSettings } from './migrations/0026-cache-settings.ts'
import { replication } from './migrations/0027-replication.ts'
import { replicas } from './migrations/0028-replicas.ts'
import { events } from './migrations/0029-events.ts'
import { webhooks } from './migrations/0030-webhooks.ts'
import { replicationRuns } from './migrations/0031-replication-runs.ts'
import { replicationUploads } from './migrations/0032-replication-uploads.ts'
import type { Schema } from './schema.ts'

type Step = (db: Kysely<unknown>, types: ColumnTypes) => Promise<void>

/** In order of number, and never changed once released: a database remembers which it has. */
const steps: Record<string, Step> = {
  '0001-accounts': accounts,
  '0002-registry': registry,
  '0003-iam': iam,
  '0004-settings': settings,
  '0005-lifecycle': lifecycle,
  '0006-upstream': upstream,
  '0007-image-status': imageStatus,
  '0008-secret-check': secretCheck,
  '0009-audit': audit,
  '0010-account-name': accountName,
  '0011-image-status-index': imageStatusIndex,
  '0012-retention': retention,
  '0013-damaged-manifest': damagedManifest,
  '0014-blob-store': blobStore,
  '0015-foreign-layers': foreignLayers,
  '0017-manifest-content': manifestContent,
  '0018-compact-manifests': compactManifests,
  '0020-audit-usage': auditUsage,
  '0021-session-opener': sessionOpener,
  '0022-storage-usage': storageUsage,
  '0023-secrets': secrets,
  '0024-cached-images': cachedImages,
  '0025-incoming-blob': incomingBlob,
  '0026-cache-settings': cacheSettings,
  '0027-replication': replication,
  '0028-replicas': replicas,
  '0029-events': events,
  '0030-webhooks': webhooks,
  '0031-replication-runs': replicationRuns,
  '0032-replication-uploads': replicationUploads,
}

/**
 * Brings the schema up to date, or just to `upTo`, all or nothing, in one transaction. Processes that start at once wait for one
 * another: by an advisory lock on PostgreSQL, by `begin immediate` on SQLite.
 *
 * @throws Error when the database was written by a newer version, whose migrations this one does not know
 */
export async function migrate(db: Kysely<Schema>, types: ColumnTypes, upTo?: string): Promise<void> {
  const migrations: Record<string, Migration> = {}
  for (const [name, step] of Object.entries(steps)) {
    migrations[name] = { up: (trx) => step(trx, types) }
  }
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error } = await (upTo === undefined ? migrator.migrateToLatest() : migrator.migrateTo(upTo))
  if (error === undefined) return
  requireKnown(await appliedMigrations(db), error)
  throw error
}

/** Whether they are all that there are. */
export function isCurrent(migrations: readonly string[]): boolean {
  return migrations.length >= Object.keys(steps).length
}

export function unknownMigrations(migrations: readonly string[]): string[] {
  return migrations.filter((name) => !Object.hasOwn(steps, name))
}

/** @throws Error for migrations that this version does not know: a newer one made them */
export function requireKnown(migrations: readonly string[], cause?: unknown): void {
  const unknown = unknownMigrations(migrations)
  if (unknown.length === 0) return
  throw new Error(
    `The database was written by a newer version of Lading: this one does not know its migration ${unknown.join(', ')}`,
    { cause },
  )
}

/** For whoever leaves the schema to servers. @throws Error unless it is that of this version */
export async function requireCurrent(db: Kysely<Schema>): Promise<void> {
  // A database out of reach is not an empty one.
  await sql`select 1`.execute(db)
  const applied = await appliedMigrations(db)
  requireKnown(applied)
  if (applied.length === 0) throw new Error('nobody has used it yet: the first lading serve makes its tables')
  if (!isCurrent(applied)) {
    throw new Error("its schema is an older version's: the start of lading serve of this version brings it up to date")
  }
}

export const selectAppliedMigrations = 'select name from kysely_migration order by name'

/** None for a database that nobody has used, and for one that is out of reach. */
export async function appliedMigrations(db: Kysely<Schema>): Promise<string[]> {
  const query = sql<{ name: string }>`${sql.raw(selectAppliedMigrations)}`
  const { rows } = await query.execute(db).catch(() => ({ rows: [] }))
  return rows.map(({ name }) => name)
}
