import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { addToCounter } from '#jobs/counters.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import { type Digest, digestAlgorithm, digestHex, parseDigest } from '#names/digest.ts'
import type { DamagedManifest, ScrubWork } from './blobs.ts'

/** Where a part of a round ends: after that manifest of that repository. */
export interface ManifestPlace {
  readonly repositoryId: number
  readonly digest: string
}

const manifestsAtOnce = 50

/**
 * Reads the bodies of manifests, which the database keeps, and answers those that do not hash to their digest and were not known to,
 * and where to go on: nowhere once there are no more. The recycle bin's are among them. They are only told, since there is nothing
 * that could take their place. `round` names the round.
 */
export async function scrubManifests(
  work: ScrubWork,
  { after, round }: { readonly after: ManifestPlace; readonly round: number },
): Promise<{ readonly damaged: readonly DamagedManifest[]; readonly next: ManifestPlace | undefined }> {
  const { metadata, pace, signal } = work
  const rows = await readAfter(metadata.reader, after)
  const damaged: DamagedManifest[] = []
  for (const { repository_id: repositoryId, digest: text } of rows) {
    const digest = parseDigest(text)
    const body = await readBody(metadata.reader, repositoryId, digest)
    // It was deleted meanwhile.
    if (body === undefined) continue
    const computed = createHash(digestAlgorithm(digest)).update(body).digest('hex')
    if (computed !== digestHex(digest) && (await note(work, { repositoryId, digest }, round))) {
      damaged.push({ repositoryId, digest })
    }
    await pace.spend(body.length, signal)
    // One body at a time: a body has up to 4 MiB.
    await setImmediate()
  }
  const last = rows.length < manifestsAtOnce ? undefined : rows.at(-1)
  return { damaged, next: last && { repositoryId: last.repository_id, digest: last.digest } }
}

/** At the end of a round: those that it did not find damaged are whole by now, or gone. */
export async function forgetOtherRounds(metadata: Metadata, round: number): Promise<void> {
  await metadata.transaction((trx) => trx.deleteFrom('damaged_manifest').where('round', '!=', round).execute())
}

/** Whether it was not known. */
async function note(
  { metadata, clock, onManifestDamaged }: ScrubWork,
  { repositoryId, digest }: DamagedManifest,
  round: number,
): Promise<boolean> {
  return metadata.transaction(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('damaged_manifest')
      .set({ round })
      .where('repository_id', '=', repositoryId)
      .where('digest', '=', digest)
      .executeTakeFirst()
    if (numUpdatedRows > 0n) return false
    await trx
      .insertInto('damaged_manifest')
      .values({ repository_id: repositoryId, digest, found_at: clock(), round })
      .execute()
    await addToCounter(trx, 'lading_scrub_damaged_total', 1)
    await onManifestDamaged(trx, { repositoryId, digest })
    return true
  })
}

function readAfter(reader: Reader, { repositoryId, digest }: ManifestPlace) {
  return reader
    .selectFrom('manifest_content')
    .select(['repository_id', 'digest'])
    .where(({ eb, refTuple, tuple }) => eb(refTuple('repository_id', 'digest'), '>', tuple(repositoryId, digest)))
    .orderBy('repository_id')
    .orderBy('digest')
    .limit(manifestsAtOnce)
    .execute()
}

async function readBody(reader: Reader, repositoryId: number, digest: Digest): Promise<Uint8Array | undefined> {
  const row = await reader
    .selectFrom('manifest_content')
    .select('body')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst()
  return row?.body
}
