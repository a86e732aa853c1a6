// `LADING_PEERS` names a YAML file of peers: the registries that are not in this deployment, and receive copies of images. Relative
// paths in it start at its folder. A text `${NAME}` stands for an environment variable.

import { dirname } from 'node:path'
import type { Peer } from '#names/peer.ts'
import { readYaml } from './file.ts'
import { readPeer } from './peer.ts'
import { SettingError } from './setting-error.ts'
import { showText } from './shown.ts'

export interface PeersSource {
  readonly path: string
  /** Of the flag or variable that names the file. */
  readonly name: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** @throws SettingError */
export function readPeers({ path, name, environment }: PeersSource): readonly Peer[] {
  const fail = (problem: string) => new SettingError(`${name} is ${showText(path)}: ${problem}`)
  const list = listOf(readYaml(path, { name, required: true }))
  if (list === undefined) throw fail('expected a mapping with the one key peers, a list')
  const peers = list.map((raw, index) => readPeer(raw, { index, folder: dirname(path), environment, fail }))
  requireDistinct(peers, fail)
  return Object.freeze(peers)
}

function listOf(root: unknown): readonly unknown[] | undefined {
  if (typeof root !== 'object' || root === null || Object.keys(root).join() !== 'peers') return undefined
  const peers: unknown = Object.values(root)[0]
  return Array.isArray(peers) ? peers : undefined
}

function requireDistinct(peers: readonly Peer[], fail: (problem: string) => SettingError): void {
  const names = new Set<string>()
  const owners = new Map<string, string>()
  for (const { name, registries } of peers) {
    if (names.has(name)) throw fail(`two peers are named ${name}: expected one of that name`)
    names.add(name)
    for (const { account, region } of registries) {
      const registry = `${account}/${region}`
      const owner = owners.get(registry)
      if (owner !== undefined) {
        throw fail(
          `peer ${name}: the registry ${registry} is that of peer ${owner}: expected one peer for each registry`,
        )
      }
      owners.set(registry, name)
    }
  }
}
