import type { Reader } from '#metadata/metadata.ts'
import type { RepositoryPrefix } from '#names/repository-prefix.ts'
import { importImage } from './import-kind.ts'
import { isUnderRule } from './rule-repositories.ts'
import type { RuleKey } from './rule-status.ts'

/** Manifests of an upstream that are no images yet, by how it goes with the content that they refer to. */
export interface ImportCounts {
  readonly waiting: number
  /** A job fetches it right now. */
  readonly running: number
  /** It could not be fetched when it was last tried. */
  readonly failed: number
}

export async function countImports(
  reader: Reader,
  rule: RuleKey,
  prefixes: readonly RepositoryPrefix[],
): Promise<ImportCounts> {
  const pending = await reader
    .selectFrom('repository')
    .innerJoin('pending_manifest', 'pending_manifest.repository_id', 'repository.id')
    .select(({ fn }) => [fn.countAll<number>().as('all'), fn.count<number>('pending_manifest.failed_at').as('failed')])
    .where((eb) => isUnderRule(eb, rule, prefixes))
    .executeTakeFirstOrThrow()
  const running = await countRunning(reader, rule, prefixes)
  const [all, failed] = [Number(pending.all), Number(pending.failed)]
  return { waiting: Math.max(0, all - failed - running), running, failed }
}

/** Few jobs run at a time, so that all of them are read. One that tries again what failed before counts as failed. */
async function countRunning(reader: Reader, rule: RuleKey, prefixes: readonly RepositoryPrefix[]): Promise<number> {
  const jobs = await reader
    .selectFrom('job')
    .select('payload')
    .where('kind', '=', importImage.kind)
    .where('state', '=', 'running')
    .execute()
  let count = 0
  for (const { payload } of jobs) {
    const { repositoryId, digest } = importImage.parse(JSON.parse(payload))
    const row = await reader
      .selectFrom('repository')
      .innerJoin('pending_manifest', 'pending_manifest.repository_id', 'repository.id')
      .select('pending_manifest.digest')
      .where((eb) => isUnderRule(eb, rule, prefixes))
      .where('repository.id', '=', repositoryId)
      .where('pending_manifest.digest', '=', digest)
      .where('pending_manifest.failed_at', 'is', null)
      .executeTakeFirst()
    if (row !== undefined) count++
  }
  return count
}
