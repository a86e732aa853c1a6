import type { Clock } from '#lib/clock.ts'
import { createWriteBehind, type WriteBehind } from '#lib/write-behind.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'

/**
 * Remembers when images were pulled, in memory, and writes it in batches: a pull waits for no commit. ECR too shows the time
 * late (API reference, `lastRecordedPullTime`); what a crash loses is the last second's. Whose pulls do not count is asked when a
 * batch is written (`pull-time-exclusions.ts`), so that a pull does not wait for that either.
 */
export interface Pulls extends WriteBehind {
  /** `by` is the ARN of the user or role that pulled. */
  record(repositoryId: number, digest: Digest, by: string): void
}

/** The last pull of an image by one principal. */
interface Pull {
  readonly by: string
  readonly repositoryId: number
  readonly digest: Digest
  readonly at: number
}

const batchMs = 1_000

export function createPulls({
  metadata,
  clock,
  onError,
}: {
  metadata: Metadata
  clock: Clock
  onError: (error: unknown) => void
}): Pulls {
  /** By principal, repository and digest, so that recording builds no key. */
  let recorded = new Map<string, Map<number, Map<Digest, number>>>()

  async function write(): Promise<void> {
    if (recorded.size === 0) return
    const batch = [...pullsIn(recorded)].sort(inOneOrder)
    recorded = new Map()
    await metadata.transaction(async (trx) => {
      for (const pull of batch) await writePull(trx, pull)
    })
  }

  // A lost batch costs times of pulls, which are advisory.
  return {
    ...createWriteBehind({ everyMs: batchMs, write, onError }),
    record(repositoryId, digest, by) {
      const repositories = getOrAdd(recorded, by)
      getOrAdd(repositories, repositoryId).set(digest, clock())
    },
  }
}

function getOrAdd<Key, InnerKey, Value>(maps: Map<Key, Map<InnerKey, Value>>, key: Key): Map<InnerKey, Value> {
  let map = maps.get(key)
  if (map === undefined) {
    map = new Map()
    maps.set(key, map)
  }
  return map
}

function* pullsIn(recorded: ReadonlyMap<string, ReadonlyMap<number, ReadonlyMap<Digest, number>>>): Generator<Pull> {
  for (const [by, repositories] of recorded)
    for (const [repositoryId, images] of repositories)
      for (const [digest, at] of images) yield { by, repositoryId, digest, at }
}

/** The same everywhere, so that two processes cannot wait for one another's rows. */
function inOneOrder(a: Pull, b: Pull): number {
  if (a.repositoryId !== b.repositoryId) return a.repositoryId - b.repositoryId
  return a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0
}

/** Unless the registry excludes the principal, or knows of a later pull. */
async function writePull(trx: Transaction, { by, repositoryId, digest, at }: Pull): Promise<void> {
  await trx
    .updateTable('manifest')
    .set({ pulled_at: at })
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .where((where) => where.or([where('pulled_at', 'is', null), where('pulled_at', '<', at)]))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('repository')
            .innerJoin('pull_time_update_exclusion as exclusion', (join) =>
              join
                .onRef('exclusion.account', '=', 'repository.account')
                .onRef('exclusion.region', '=', 'repository.region'),
            )
            .select('repository.id')
            .where('repository.id', '=', repositoryId)
            .where('exclusion.principal_arn', '=', by),
        ),
      ),
    )
    .execute()
}
