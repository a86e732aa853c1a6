// `LADING_PEERS` names a YAML file of peers: the registries that are not in this deployment, and receive copies of images. Relative
// paths in it start at its folder. A text `${NAME}` stands for an environment variable.

import { dirname } from 'node:path'
import type { Registry } from '#names/registry.ts'
import { readYaml } from './file.ts'
import { readPeer } from './peer.ts'
import { SettingError } from './setting-error.ts'
import { showText } from './shown.ts'

export type Peer = LadingPeer | EcrPeer | RegistryPeer

interface AnyPeer {
  /** Unique in the file. */
  readonly name: string
  /** No other peer has one of them. */
  readonly registries: readonly Registry[]
  /** In PEM, trusted for this peer. */
  readonly certificates: readonly string[]
  /** Of all transfers to the peer together. */
  readonly bytesPerSecond: number | undefined
  /** When transfers may run, if not always. */
  readonly hours: PeerHours | undefined
}

/** Another deployment of Lading. */
export interface LadingPeer extends AnyPeer {
  readonly kind: 'lading'
  /** `{account}` and `{region}` in it stand for those of the registry. */
  readonly url: string
  readonly key: PeerKey
  readonly roleArn: string | undefined
}

/** Amazon ECR. */
export interface EcrPeer extends AnyPeer {
  readonly kind: 'ecr'
  /** Of a stand-in for AWS. */
  readonly url: string | undefined
  /** Without one, the server's own AWS credentials are used. */
  readonly key: PeerKey | undefined
  readonly roleArn: string | undefined
}

/** Any registry with the distribution API. */
export interface RegistryPeer extends AnyPeer {
  readonly kind: 'registry'
  readonly url: string
  readonly login: { readonly username: string; readonly password: string } | undefined
  /** Stands with a slash before each repository's name. `{account}` and `{region}` in it stand for those of the registry. */
  readonly prefix: string | undefined
  /** An origin. */
  readonly tokenServer: string | undefined
}

export interface PeerKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A part of each day. It passes midnight if its end is before its start. */
export interface PeerHours {
  /** Minutes after midnight. */
  readonly start: number
  /** The first minute after the part: up to 1,440. */
  readonly end: number
  readonly timeZone: string
}

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
