import { createHash, randomUUID } from 'node:crypto'
import type { BlobStore } from '#blobs/store.ts'
import { Refusal } from '#lib/refusal.ts'
import { type Insert, openLoadTarget } from '#metadata/load.ts'
import { unknownMigrations } from '#metadata/migrate.ts'
import { type BackupManifest, blobName, parseManifest, secretKeyName, tableOf } from './format.ts'
import type { BackupSource, FoundBlob, WantedBlob } from './places.ts'
import { refuse } from './refusals.ts'
import { blobsOf, parseRows } from './rows.ts'

/**
 * Restores a backup into a deployment that nobody has used. Blobs come first, each proved, and are nothing to anybody without their
 * rows; then the whole database is committed at once. A restore that was cut short before that is simply made again, and goes on
 * with the blobs that it finds.
 */
export interface RestoreParts {
  /** As `LADING_DATABASE` has it. */
  readonly database: string
  readonly blobs: BlobStore
  readonly secretKey: SecretKeyPlace
}

/** The key that the target's servers will have. */
export interface SecretKeyPlace {
  /** Undefined where there is none yet. */
  find(): Promise<Buffer | undefined>
  /** Whether a text of the table `secret_check` was sealed with that key. */
  opens(key: Buffer, sealed: string): boolean
  /** Keeps the backup's key where there was none. */
  keep(key: Buffer): Promise<void>
}

export interface Restored {
  /** Of the backup. */
  readonly createdAt: string
  readonly rows: Readonly<Record<string, number>>
  readonly blobs: { readonly count: number; readonly bytes: number; readonly copied: number; readonly missing: number }
  /** Whether the servers of the target can open the secrets. */
  readonly secretKey: 'in place' | 'restored' | 'missing'
}

/** @throws Refusal `Backup…`, `TargetUnfit`, `SecretKeyDiffers` */
export async function restore(parts: RestoreParts, source: BackupSource): Promise<Restored> {
  const manifest = parseManifest(await source.manifest())
  const { createdAt, migrations, database } = manifest
  const [unknown] = unknownMigrations(migrations)
  if (unknown !== undefined) throw refuse('BackupNewer', { what: `its schema ${JSON.stringify(unknown)}` })
  await using target = await openLoadTarget(parts.database)
  const state = await target.state(migrations)
  if (state !== 'empty') throw refuse('TargetUnfit', { reason: state })
  const key = await findKey(source, parts.secretKey)

  await checkDatabase(source, manifest, (sealed) => {
    if (key.found !== undefined && !parts.secretKey.opens(key.found, sealed)) throw refuse('SecretKeyDiffers', {})
  })
  const copied = await copyBlobs(source, manifest, parts.blobs)
  const checked = await checkBlobs(source, manifest, parts.blobs)
  // Before the rows, for they are of no use without it.
  if (key.brought && key.found !== undefined) await parts.secretKey.keep(key.found)
  const loaded = await target.load(migrations, (insert) => loadRows(source, database.run, insert))
  if (!loaded) throw refuse('TargetUnfit', { reason: 'used' })
  const secretKey = key.brought ? 'restored' : key.found === undefined ? 'missing' : 'in place'
  return { createdAt, rows: database.rows, blobs: { ...checked, copied }, secretKey }
}

async function findKey(source: BackupSource, place: SecretKeyPlace) {
  const text = await source.secretKey()
  const inBackup = text && Buffer.from(Buffer.from(text).toString().trim(), 'base64')
  if (inBackup !== undefined && inBackup.byteLength !== 32) throw refuse('BackupDamaged', { what: secretKeyName })
  const found = await place.find()
  if (found !== undefined && inBackup !== undefined && !found.equals(inBackup)) throw refuse('SecretKeyDiffers', {})
  return { found: found ?? inBackup, brought: found === undefined && inBackup !== undefined }
}

/** Answers how many were not in the store yet. */
async function copyBlobs(source: BackupSource, manifest: BackupManifest, store: BlobStore): Promise<number> {
  const missing = new Set<string>(manifest.blobs.missing)
  let copied = 0
  for await (const blob of source.blobs(wantedBlobs(source, manifest.database.run))) {
    if (missing.has(blob.digest)) continue
    const present = await store.stat(blob.digest)
    if (present?.sizeBytes === blob.sizeBytes) continue
    await copyBlob(blob, store)
    copied += 1
  }
  return copied
}

async function* wantedBlobs(source: BackupSource, run: string): AsyncGenerator<WantedBlob, void, void> {
  for await (const { name, bytes } of source.database(run)) {
    if (tableOf(name) === 'blob') yield* blobsOf(parseRows(bytes, name))
  }
}

/** The store proves the digest. */
async function copyBlob({ digest, chunks }: FoundBlob, store: BlobStore): Promise<void> {
  const draft = await store.createDraft(randomUUID())
  try {
    await draft.append(chunks())
    await draft.commit([digest])
  } catch (error) {
    if (error instanceof Refusal && error.code === 'DigestMismatch')
      throw refuse('BackupDamaged', { what: blobName(digest) })
    throw error
  } finally {
    await draft.discard()
  }
}

/** Reads all of it once before anything is copied, which may take hours: it is what was written. */
async function checkDatabase(
  source: BackupSource,
  { database }: BackupManifest,
  checkKey: (sealed: string) => void,
): Promise<void> {
  const hash = createHash('sha256')
  const counts: Record<string, number> = {}
  for await (const { name, bytes } of source.database(database.run)) {
    hash.update(bytes)
    const table = tableOf(name)
    const rows = parseRows(bytes, name)
    counts[table] = (counts[table] ?? 0) + rows.length
    if (table === 'secret_check') for (const { sealed } of rows) checkKey(String(sealed))
  }
  const whole = Object.entries(database.rows).every(([table, count]) => (counts[table] ?? 0) === count)
  if (!whole || hash.digest('hex') !== database.sha256) throw refuse('BackupDamaged', { what: 'the database in it' })
}

/** Each blob that the database knows is in the store by now, but for those that the backup lacks. */
async function checkBlobs(source: BackupSource, { database, blobs: { missing } }: BackupManifest, store: BlobStore) {
  const lacking = new Set<string>(missing)
  const blobs = { count: 0, bytes: 0, missing: 0 }
  for await (const { digest, sizeBytes } of wantedBlobs(source, database.run)) {
    const present = (await store.stat(digest))?.sizeBytes === sizeBytes
    if (!present && !lacking.has(digest)) throw refuse('BackupDamaged', { what: blobName(digest) })
    blobs.count += present ? 1 : 0
    blobs.bytes += present ? sizeBytes : 0
    blobs.missing += present ? 0 : 1
  }
  return blobs
}

async function loadRows(source: BackupSource, run: string, insert: Insert): Promise<void> {
  for await (const { name, bytes } of source.database(run)) {
    const table = tableOf(name)
    // A store of which it has a copy is not its own: it may serve the other database still.
    if (table !== 'blob_store') await insert(table, parseRows(bytes, name))
  }
}
