import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ifPresent } from '#lib/system-error.ts'
import { type Digest, digestAlgorithms, isDigest } from '#names/digest.ts'
import type { StoredDraft } from './store.ts'

/** What lies in the folders of the file driver, for whoever looks for what nobody knows of. Other names are not ours, and left alone. */

const shardFolder = /^[0-9a-f]{2}$/

export const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** What a query may ask for at once. */
const partSize = 500

/** Folder by folder: of a hundred thousand blobs each holds some four hundred. */
export async function* listBlobs(root: string): AsyncGenerator<readonly Digest[]> {
  for (const algorithm of digestAlgorithms) {
    for (const shard of (await readdir(join(root, algorithm))).filter((name) => shardFolder.test(name))) {
      const names = (await ifPresent(readdir(join(root, algorithm, shard)))) ?? []
      const digests = names.map((name) => `${algorithm}:${name}`).filter(isDigest)
      for (let at = 0; at < digests.length; at += partSize) yield digests.slice(at, at + partSize)
    }
  }
}

export async function* listDrafts(folder: string): AsyncGenerator<StoredDraft> {
  for (const id of (await readdir(folder)).filter((name) => uuid.test(name))) {
    const draft = join(folder, id)
    const paths = [draft, ...((await ifPresent(readdir(draft))) ?? []).map((name) => join(draft, name))]
    let changedAt = 0
    for (const path of paths) changedAt = Math.max(changedAt, (await ifPresent(stat(path)))?.ctimeMs ?? 0)
    yield { id, changedAt }
  }
}
