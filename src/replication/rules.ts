import type { Reader } from '#metadata/metadata.ts'
import { isSameRegistry, type Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import { readSetting } from '#registry/settings.ts'
import { type ReplicationRule, replicationSetting } from './configuration.ts'
import type { ReplicationItem } from './item.ts'

/** Where the rules of a registry copy a repository to, each destination once (ECR user guide, "Private image replication"). */
export function destinationsOf(rules: readonly ReplicationRule[], name: RepositoryName): readonly Registry[] {
  const covering = rules.filter(({ filters }) => filters.length === 0 || filters.some((one) => name.startsWith(one)))
  const found = new Map(covering.flatMap(({ destinations }) => destinations.map((one) => [registryText(one), one])))
  return [...found.values()]
}

/** `111111111111/eu-west-1` */
export function registryText({ account, region }: Registry): string {
  return `${account}/${region}`
}

/** Of items those of live repositories that a rule still asks for. A rule that went stops what it asked for. */
export function createFindWanted(reader: Reader) {
  return async (items: readonly ReplicationItem[]): Promise<readonly ReplicationItem[]> => {
    const live = await findLive(reader, items)
    const sources = new Map(items.map(({ source: { registry } }) => [registryText(registry), registry]))
    const rules = new Map<string, readonly ReplicationRule[]>()
    for (const [text, registry] of sources) rules.set(text, await readSetting(reader, registry, replicationSetting))
    return items.filter(({ repositoryId, source, destination }) => {
      const covering = destinationsOf(rules.get(registryText(source.registry)) ?? [], source.name)
      return live.has(repositoryId) && covering.some((one) => isSameRegistry(one, destination))
    })
  }
}

async function findLive(reader: Reader, items: readonly ReplicationItem[]): Promise<ReadonlySet<number>> {
  const ids = new Set(items.map(({ repositoryId }) => repositoryId))
  if (ids.size === 0) return ids
  const rows = await reader
    .selectFrom('repository')
    .leftJoin('deleted_repository as bin', 'bin.repository_id', 'repository.id')
    .select('repository.id')
    .where('repository.id', 'in', [...ids])
    .where('bin.repository_id', 'is', null)
    .execute()
  return new Set(rows.map(({ id }) => id))
}
