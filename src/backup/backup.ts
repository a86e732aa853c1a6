import { createHash, randomBytes } from 'node:crypto'
import type { BlobReader, BlobStore } from '#blobs/store.ts'
import type { Clock } from '#lib/clock.ts'
import { type Snapshot, withSnapshot } from '#metadata/snapshot.ts'
import { type Digest, digestAlgorithm, digestHex } from '#names/digest.ts'
import { blobName, databaseFileName, printManifest, secretKeyName, tableOf } from './format.ts'
import type { BackupTarget, WantedBlob } from './places.ts'
import { refuse } from './refusals.ts'
import { blobsOf, parseRows, printRow } from './rows.ts'

/**
 * Backs up a deployment while it serves: the database as it was at one time, and then the blobs that it knew by then. What is
 * pushed meanwhile is left to the next backup.
 */
export interface BackupParts {
  /** As `LADING_DATABASE` has it. */
  readonly database: string
  readonly blobs: BlobStore
  readonly clock: Clock
  /** The key under which secrets are sealed, if it is to be in the backup. */
  readonly secretKey: Buffer | undefined
}

export interface BackedUp {
  readonly createdAt: string
  /** By table. */
  readonly rows: Readonly<Record<string, number>>
  readonly blobs: CopiedBlobs
}

interface CopiedBlobs {
  readonly count: number
  readonly bytes: number
  /** How many of them no earlier backup had brought there. */
  readonly copied: number
  /** Those that the store has not, or not whole. */
  readonly missing: readonly Digest[]
}

/** Of one file of rows, roughly. */
const fileBytes = 4 * 1024 * 1024

/** A store that lacks more than so many is the wrong one. */
const mostMissing = 100

/** @throws Refusal `BlobsMissing`; Error where the database is a newer version's */
export async function backUp(parts: BackupParts, target: BackupTarget): Promise<BackedUp> {
  const { database, blobs, clock, secretKey } = parts
  const createdAt = new Date(clock()).toISOString()
  // Runs sort as they began.
  const run = `${createdAt.replaceAll(/\D/g, '')}-${randomBytes(4).toString('hex')}`
  const { blobFiles, ...written } = await withSnapshot(database, (snapshot) => writeDatabase(snapshot, run, target))
  const copied = await copyBlobs(blobFiles, blobs, target)
  if (secretKey !== undefined) await target.write(secretKeyName, Buffer.from(`${secretKey.toString('base64')}\n`))
  const { dialect, migrations, files, sha256, rows } = written
  const manifest = printManifest({
    ...{ createdAt, dialect, migrations },
    database: { run, files, sha256, rows },
    blobs: { count: copied.count, bytes: copied.bytes, missing: copied.missing },
    secretKey: secretKey !== undefined,
  })
  await target.commit(manifest, run)
  return { createdAt, rows, blobs: copied }
}

async function writeDatabase(snapshot: Snapshot, run: string, target: BackupTarget) {
  const { dialect, migrations, tables } = snapshot
  const hash = createHash('sha256')
  const rows: Record<string, number> = {}
  const names: string[] = []
  for (const table of tables) {
    let lines: string[] = []
    let bytes = 0
    const flush = async () => {
      if (lines.length === 0) return
      const content = Buffer.from(lines.join(''))
      const name = databaseFileName(run, names.length + 1, table)
      lines = []
      bytes = 0
      hash.update(content)
      names.push(name)
      await target.write(name, content)
    }
    let count = 0
    for await (const row of snapshot.rows(table)) {
      const line = printRow(row)
      lines.push(line)
      bytes += line.length
      count += 1
      if (bytes >= fileBytes) await flush()
    }
    await flush()
    rows[table] = count
  }
  const blobFiles = names.filter((name) => tableOf(name) === 'blob')
  return { dialect, migrations, files: names.length, sha256: hash.digest('hex'), rows, blobFiles }
}

/** By what was just written, for the database may have gone on. */
async function copyBlobs(files: readonly string[], store: BlobStore, target: BackupTarget): Promise<CopiedBlobs> {
  let [count, bytes, copied] = [0, 0, 0]
  const missing: Digest[] = []
  for (const file of files) {
    for (const blob of blobsOf(parseRows(await target.read(file), file))) {
      const present = await target.holds(blobName(blob.digest), blob.sizeBytes)
      if (!present && !(await copyBlob(blob, store, target))) {
        missing.push(blob.digest)
        if (missing.length > mostMissing)
          throw refuse('BlobsMissing', { count: missing.length, first: missing[0] ?? '' })
        continue
      }
      count += 1
      bytes += blob.sizeBytes
      if (!present) copied += 1
    }
  }
  return { count, bytes, copied, missing }
}

/** False where the store has it not, or not whole. */
async function copyBlob({ digest, sizeBytes }: WantedBlob, store: BlobStore, target: BackupTarget): Promise<boolean> {
  await using reader = await store.open(digest)
  if (reader?.sizeBytes !== sizeBytes) return false
  const hash = createHash(digestAlgorithm(digest))
  let proof: string | undefined
  const proved = () => {
    proof ??= hash.digest('hex')
    return proof === digestHex(digest)
  }
  await target.writeBlob(
    blobName(digest),
    sizeBytes,
    hashed(reader, (chunk) => hash.update(chunk)),
    proved,
  )
  return proved()
}

async function* hashed(reader: BlobReader, update: (chunk: Uint8Array) => void) {
  for await (const chunk of reader.chunks()) {
    update(chunk)
    yield chunk
  }
}
