// What lies in a backup, be it a folder or a tar archive. Both databases read it, whichever wrote it.
//
//   database/<run>/000001-account.jsonl    rows of one table, a few MiB; one JSON object a line; tables in an order that can be loaded
//   blobs/sha256/ab/cdef…                  contents, by digest
//   secret.key                             only if it was asked for
//   backup.json                            written last: what has none is no backup

import { type Digest, digestAlgorithm, digestHex, digestOf, isDigest } from '#names/digest.ts'
import { refuse } from './refusals.ts'

export const manifestName = 'backup.json'
export const secretKeyName = 'secret.key'
export const databaseFolder = 'database'
export const blobsFolder = 'blobs'

const format = 'lading-backup-1'

export interface BackupManifest {
  readonly format: typeof format
  /** When the database was read. ISO 8601. */
  readonly createdAt: string
  readonly dialect: 'sqlite' | 'postgres'
  /** Those of the schema, in their order. */
  readonly migrations: readonly string[]
  readonly database: {
    /** Its name in the folder `database`. */
    readonly run: string
    readonly files: number
    /** Of all its files one after the other. */
    readonly sha256: string
    readonly rows: Readonly<Record<string, number>>
  }
  readonly blobs: {
    readonly count: number
    readonly bytes: number
    /** Digests that the database has and the store had not, or not whole. */
    readonly missing: readonly string[]
  }
  readonly secretKey: boolean
}

export function printManifest(manifest: Omit<BackupManifest, 'format'>): Buffer {
  return Buffer.from(`${JSON.stringify({ format, ...manifest }, undefined, 2)}\n`)
}

/** @throws Refusal `BackupDamaged`, `BackupNewer` */
export function parseManifest(bytes: Uint8Array): BackupManifest {
  // Anything that somebody wrote; `isWhole` looks.
  const parsed = parseJson(bytes) as (Partial<BackupManifest> & { readonly format?: string }) | null
  if (typeof parsed?.format === 'string' && parsed.format !== format) {
    throw refuse('BackupNewer', { what: `its format ${JSON.stringify(String(parsed.format).slice(0, 40))}` })
  }
  if (parsed === null || !isWhole(parsed)) throw refuse('BackupDamaged', { what: manifestName })
  return parsed
}

function isWhole(parsed: Partial<BackupManifest>): parsed is BackupManifest {
  const { migrations, database, blobs } = parsed
  return (
    parsed.format === format &&
    Array.isArray(migrations) &&
    /^[\w-]+$/.test(database?.run ?? '') &&
    typeof database?.sha256 === 'string' &&
    typeof database.rows === 'object' &&
    typeof blobs?.count === 'number' &&
    Array.isArray(blobs.missing) &&
    typeof parsed.createdAt === 'string'
  )
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return null
  }
}

export function databaseFileName(run: string, number: number, table: string): string {
  return `${databaseFolder}/${run}/${String(number).padStart(6, '0')}-${table}.jsonl`
}

/** The table that a file of the database holds rows of. */
export function tableOf(name: string): string {
  return /\/\d{6}-(\w+)\.jsonl$/.exec(name)?.[1] ?? ''
}

/** In pieces that tar has room for. */
export function blobName(digest: Digest): string {
  const hex = digestHex(digest)
  const rest = hex.slice(2).match(/.{1,64}/g) ?? []
  return [blobsFolder, digestAlgorithm(digest), hex.slice(0, 2), ...rest].join('/')
}

/** `undefined` for a name that no blob has. */
export function digestOfName(name: string): Digest | undefined {
  const [folder, algorithm = '', ...pieces] = name.split('/')
  const digest = `${algorithm}:${pieces.join('')}`
  if (folder !== blobsFolder || !isDigest(digest)) return undefined
  const found = digestOf(digestAlgorithm(digest), digestHex(digest))
  return blobName(found) === name ? found : undefined
}
