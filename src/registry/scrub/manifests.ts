import { createHash } from 'node:crypto'
import { addToCounter } from '#jobs/counters.ts'
import type { Reader } from '#metadata/metadata.ts'
import { type Digest, digestAlgorithm, digestHex, parseDigest } from '#names/digest.ts'
import type { ScrubWork } from './blobs.ts'

/** Where a part of a round ends: after that manifest of that repository. */
export interface ManifestPlace {
  readonly repositoryId: number
  readonly digest: string
}

export interface DamagedManifest {
  readonly repositoryId: number
  readonly digest: Digest
}

const manifestsAtOnce = 50

/**
 * Reads the bodies of manifests, which the database keeps, and answers those that do not hash to their digest, and where to go on:
 * nowhere once there are no more. They are only told, since there is nothing that could take their place.
 */
export async function scrubManifests(
  { metadata, pace, signal }: ScrubWork,
  after: ManifestPlace,
): Promise<{ readonly damaged: readonly DamagedManifest[]; readonly next: ManifestPlace | undefined }> {
  const rows = await readAfter(metadata.reader, after)
  const damaged: DamagedManifest[] = []
  for (const { repository_id: repositoryId, digest: text, body } of rows) {
    const digest = parseDigest(text)
    const computed = createHash(digestAlgorithm(digest)).update(body).digest('hex')
    if (computed !== digestHex(digest)) damaged.push({ repositoryId, digest })
    await pace.spend(body.length, signal)
  }
  await metadata.transaction((trx) => addToCounter(trx, 'lading_scrub_damaged_total', damaged.length))
  const last = rows.length < manifestsAtOnce ? undefined : rows.at(-1)
  return { damaged, next: last && { repositoryId: last.repository_id, digest: last.digest } }
}

function readAfter(reader: Reader, { repositoryId, digest }: ManifestPlace) {
  return reader
    .selectFrom('manifest')
    .select(['repository_id', 'digest', 'body'])
    .where(({ or, and, eb }) =>
      or([
        eb('repository_id', '>', repositoryId),
        and([eb('repository_id', '=', repositoryId), eb('digest', '>', digest)]),
      ]),
    )
    .orderBy('repository_id')
    .orderBy('digest')
    .limit(manifestsAtOnce)
    .execute()
}
