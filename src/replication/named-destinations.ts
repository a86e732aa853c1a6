import type { Reader } from '#metadata/metadata.ts'
import { isSameRegistry, type Registry } from '#names/registry.ts'
import { readSetting } from '#registry/settings.ts'
import { replicationSetting } from './configuration.ts'
import { refuse } from './refusals.ts'
import { registryText } from './rules.ts'

/** The destinations that rules of a registry name, each once, in one order. */
export async function readDestinations(reader: Reader, source: Registry): Promise<readonly Registry[]> {
  const rules = await readSetting(reader, source, replicationSetting)
  const named = rules.flatMap(({ destinations }) => destinations)
  const all = new Map(named.map((each) => [registryText(each), each]))
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
}

/** @throws Refusal `ReplicationDestinationNotFound` */
export async function requireDestination(reader: Reader, source: Registry, destination: Registry): Promise<void> {
  const named = await readDestinations(reader, source)
  if (named.some((each) => isSameRegistry(each, destination))) return
  throw refuse('ReplicationDestinationNotFound', { source, destination })
}
