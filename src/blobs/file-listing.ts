import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ifPresent } from '#lib/system-error.ts'
import { type Digest, digestAlgorithms, isDigest } from '#names/digest.ts'
import type { StoredDraft } from './store.ts'

/** What lies in the folders of the file driver, for whoever looks for what nobody knows of. Other names are not ours, and left alone. */

export const uploadId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Folder by folder: of a hundred thousand blobs each holds some four hundred. */
export async function* listBlobs(root: string): AsyncGenerator<readonly Digest[]> {
  for (const algorithm of digestAlgorithms) {
    for (const shard of await readdir(join(root, algorithm))) {
      const names = (await ifPresent(readdir(join(root, algorithm, shard)))) ?? []
      const digests = names.map((name) => `${algorithm}:${name}`).filter(isDigest)
      if (digests.length > 0) yield digests
    }
  }
}

export async function* listDrafts(folder: string): AsyncGenerator<StoredDraft> {
  for (const id of (await readdir(folder)).filter((name) => uploadId.test(name))) {
    const draft = join(folder, id)
    const paths = [draft, ...((await ifPresent(readdir(draft))) ?? []).map((name) => join(draft, name))]
    let changedAt = 0
    for (const path of paths) changedAt = Math.max(changedAt, (await ifPresent(stat(path)))?.ctimeMs ?? 0)
    yield { id, changedAt }
  }
}
