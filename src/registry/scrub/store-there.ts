import { randomBytes } from 'node:crypto'
import type { BlobStore } from '#blobs/store.ts'
import { hasCode } from '#lib/system-error.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'

const looks = 16

/**
 * Whether one of some blobs, chosen at random, can be read. Where none can, the folder is not mounted, is another or is on a disk that
 * fails, and it would be wrong to say of each blob that it is lost: once the folder is back all of them are whole. Of a store with a
 * handful of blobs nobody can tell.
 *
 * @throws Error where none can be read
 */
export async function requireStore({ metadata, blobs }: { metadata: Metadata; blobs: BlobStore }): Promise<void> {
  const some = await metadata.reader.selectFrom('blob').select('digest').limit(looks).execute()
  if (some.length < looks) return
  for (let look = 0; look < looks; look++) {
    const digest = await pick(metadata)
    if (digest !== undefined && (await isReadable(blobs, digest))) return
  }
  throw new Error('no blob of many can be read: is the folder of blobs the right one, and its disk in order?')
}

async function pick({ reader }: Metadata): Promise<Digest | undefined> {
  const from = `sha256:${randomBytes(32).toString('hex')}`
  const select = reader.selectFrom('blob').select('digest').orderBy('digest').limit(1)
  const row = (await select.where('digest', '>=', from).executeTakeFirst()) ?? (await select.executeTakeFirst())
  return row && parseDigest(row.digest)
}

async function isReadable(blobs: BlobStore, digest: Digest): Promise<boolean> {
  await using reader = await blobs.open(digest)
  if (reader === undefined) return false
  try {
    await Array.fromAsync(reader.chunks({ start: 0, end: Math.min(reader.sizeBytes, 4_096) }))
    return true
  } catch (error) {
    if (hasCode(error, 'EIO')) return false
    throw error
  }
}
