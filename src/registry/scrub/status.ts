import { readCounters } from '#jobs/counters.ts'
import { type FoundJob, findLastJob } from '#jobs/find.ts'
import type { Reader } from '#metadata/metadata.ts'
import { type Digest, digestAlgorithm, digestHex, parseDigest } from '#names/digest.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { parseKey, selectKeys } from './affected.ts'
import { scrubStore } from './jobs.ts'

/** How far the scrub is, and what is in quarantine. Times are milliseconds since the epoch. */
export interface ScrubStatus {
  /** Of the last round; `undefined` if there was none for as long as jobs are remembered. */
  readonly round: Pick<FoundJob, 'state' | 'finishedAt' | 'lastError'> | undefined
  readonly beganAt: number | undefined
  /** Between 0 and 1: the part of the blobs that the round has read. */
  readonly progress: number | undefined
  /** Since the beginning, over all rounds. */
  readonly bytesRead: number
  readonly damaged: number
  /** The first of them by digest. */
  readonly quarantined: readonly Digest[]
  /** As the last round found them, or this one did. */
  readonly damagedManifests: readonly (RepositoryKey & { readonly digest: Digest })[]
}

const mostShown = 1_000

export async function readScrubStatus(reader: Reader): Promise<ScrubStatus> {
  const round = await findLastJob(reader, { kind: scrubStore.kind, key: scrubStore.key({}) })
  const { beganAt, after } = round === undefined ? {} : scrubStore.parse(round.document)
  const counters = await readCounters(reader)
  const rows = await reader
    .selectFrom('blob')
    .select('digest')
    .where('quarantined_at', 'is not', null)
    .orderBy('digest')
    .limit(mostShown)
    .execute()
  const manifests = await selectKeys(reader)
    .innerJoin('damaged_manifest', 'damaged_manifest.repository_id', 'repository.id')
    .select('damaged_manifest.digest')
    .orderBy('damaged_manifest.repository_id')
    .orderBy('damaged_manifest.digest')
    .limit(mostShown)
    .execute()
  return {
    round,
    beganAt,
    progress: round && (round.state === 'done' ? 1 : after === undefined ? 0 : progressAt(after)),
    bytesRead: counters.get('lading_scrub_bytes_total') ?? 0,
    damaged: counters.get('lading_scrub_damaged_total') ?? 0,
    quarantined: rows.map(({ digest }) => parseDigest(digest)),
    damagedManifests: manifests.map((row) => ({ ...parseKey(row), digest: parseDigest(row.digest) })),
  }
}

/** Digests are spread evenly; there is hardly one that is no SHA-256. */
function progressAt(after: { readonly blob: string } | object): number {
  if (!('blob' in after)) return 1
  if (after.blob === '') return 0
  const digest = parseDigest(after.blob)
  return digestAlgorithm(digest) === 'sha256' ? Number.parseInt(digestHex(digest).slice(0, 8), 16) / 2 ** 32 : 1
}
