import { readInSteps } from '#lib/slices.ts'
import type { Reader } from '#metadata/metadata.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import { parseRepository, selectRepositories } from '#registry/repository.ts'
import { type ScanFrequency, type ScanningConfiguration, scanningOf } from './configuration.ts'

/** A repository that a new configuration of its registry scans otherwise than the one before. */
export interface FrequencyChange {
  readonly name: RepositoryName
  readonly frequency: ScanFrequency
  readonly previous: ScanFrequency
}

/** Each repository is compared with up to a hundred filters of each rule. */
const rowsAtOnce = 200

/** By name. */
export async function findFrequencyChanges(
  reader: Reader,
  registry: Registry,
  { before, after }: { readonly before: ScanningConfiguration; readonly after: ScanningConfiguration },
): Promise<readonly FrequencyChange[]> {
  const changes: FrequencyChange[] = []
  const read = (last: { readonly name: string } | undefined, limit: number) =>
    selectRepositories(reader, registry)
      .$if(last !== undefined, (query) => query.where('name', '>', last?.name ?? ''))
      .orderBy('name')
      .limit(limit)
      .execute()
  for await (const rows of readInSteps<Awaited<ReturnType<typeof read>>[number]>(rowsAtOnce, read)) {
    for (const repository of rows.map(parseRepository)) {
      const [previous, { frequency }] = [scanningOf(before, repository).frequency, scanningOf(after, repository)]
      if (frequency !== previous) changes.push({ name: repository.name, frequency, previous })
    }
  }
  return changes
}
