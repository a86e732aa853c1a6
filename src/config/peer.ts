// One peer of the file of peers.

import type { Peer, PeerHours, PeerKey } from '#names/peer.ts'
import type { Registry } from '#names/registry.ts'
import { certificateIn, peerGrammars } from './peer-grammars.ts'
import { keysOf, type PeerKeys, type PeerPlace } from './peer-keys.ts'

/** @throws SettingError */
export function readPeer(raw: unknown, { index, ...place }: PeerPlace & { readonly index: number }): Peer {
  const unnamed = `peer ${index + 1}`
  const name = keysOf(raw, unnamed, place)?.required('name', peerGrammars.name)
  const keys = name === undefined ? undefined : keysOf(raw, `peer ${name}`, place)
  if (name === undefined || keys === undefined) throw place.fail(`${unnamed}: expected a mapping`)
  const kind = keys.required('kind', peerGrammars.kind)
  keys.restrict([...keysOfAny, ...keysOfKind[kind]])
  const certificate = keys.optional('certificateFile', certificateIn(place.folder))
  const shared = {
    name,
    registries: registriesOf(keys, name, place),
    certificates: certificate === undefined ? [] : [certificate],
    bytesPerSecond: keys.optional('bandwidth', peerGrammars.bandwidth),
    hours: hoursOf(keys),
  }
  return Object.freeze({ ...shared, ...readers[kind](keys, shared) })
}

const keysOfAny = ['name', 'kind', 'registries', 'url', 'certificateFile', 'bandwidth', 'hours', 'timeZone']
const keysOfKey = ['accessKeyId', 'secretAccessKey', 'secretAccessKeyFile', 'roleArn']

const keysOfKind = {
  lading: keysOfKey,
  ecr: keysOfKey,
  registry: ['username', 'password', 'passwordFile', 'prefix', 'tokenServer'],
} satisfies Record<Peer['kind'], readonly string[]>

type Shared = Pick<Peer, 'name' | 'registries' | 'certificates' | 'bytesPerSecond' | 'hours'>

const readers: { readonly [Kind in Peer['kind']]: (keys: PeerKeys, shared: Shared) => Peer } = {
  lading(keys, shared) {
    const url = keys.required('url', peerGrammars.url)
    const key = keyOf(keys)
    if (key === undefined) throw keys.fail('accessKeyId and secretAccessKey are missing: expected both')
    return { ...shared, kind: 'lading', url, key, roleArn: keys.optional('roleArn', peerGrammars.roleArn) }
  },

  ecr: (keys, shared) => ({
    ...shared,
    kind: 'ecr',
    url: keys.optional('url', peerGrammars.url),
    key: keyOf(keys),
    roleArn: keys.optional('roleArn', peerGrammars.roleArn),
  }),

  registry(keys, shared) {
    const username = keys.optional('username', peerGrammars.username)
    const password = keys.secret('password', peerGrammars.password)
    requireBoth(keys, ['username', username], ['password', password])
    const prefix = keys.optional('prefix', peerGrammars.prefix)
    requireOwnNames(keys, shared.registries, prefix)
    return {
      ...shared,
      kind: 'registry',
      url: keys.required('url', peerGrammars.url),
      login: username === undefined || password === undefined ? undefined : { username, password },
      prefix,
      tokenServer: keys.optional('tokenServer', peerGrammars.origin),
    }
  },
}

function keyOf(keys: PeerKeys): PeerKey | undefined {
  const accessKeyId = keys.optional('accessKeyId', peerGrammars.accessKeyId)
  const secretAccessKey = keys.secret('secretAccessKey', peerGrammars.secretAccessKey)
  requireBoth(keys, ['accessKeyId', accessKeyId], ['secretAccessKey', secretAccessKey])
  return accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey }
}

type Named = readonly [name: string, value: string | undefined]

function requireBoth(keys: PeerKeys, one: Named, other: Named): void {
  const [present, missing] = one[1] === undefined ? [other, one] : [one, other]
  if (present[1] === undefined || missing[1] !== undefined) return
  throw keys.fail(`${present[0]} is set without ${missing[0]}: expected both or neither`)
}

/** A registry has one set of names. Two of ours would overwrite each other's tags there. */
function requireOwnNames(keys: PeerKeys, registries: readonly Registry[], prefix = ''): void {
  const differing = (part: keyof Registry) => new Set(registries.map((registry) => registry[part])).size > 1
  const needed = (['account', 'region'] as const).filter(differing).map((part) => `{${part}}`)
  if (needed.every((placeholder) => prefix.includes(placeholder))) return
  throw keys.fail(`registries has ${registries.length} entries: expected one, or a prefix with ${needed.join(' and ')}`)
}

function registriesOf(keys: PeerKeys, name: string, place: PeerPlace): readonly Registry[] {
  const raw = keys.raw('registries')
  const list: readonly unknown[] = Array.isArray(raw) ? raw : []
  if (list.length === 0) throw keys.fail('registries: expected a list of at least one account and region')
  return list.map((entry, index) => {
    const about = `peer ${name}: registries: entry ${index + 1}`
    const own = keysOf(entry, about, place)
    if (own === undefined) throw place.fail(`${about}: expected a mapping of account and region`)
    own.restrict(['account', 'region'])
    return {
      account: own.required('account', peerGrammars.account),
      region: own.required('region', peerGrammars.region),
    }
  })
}

function hoursOf(keys: PeerKeys): PeerHours | undefined {
  const hours = keys.optional('hours', peerGrammars.hours)
  const timeZone = keys.optional('timeZone', peerGrammars.timeZone)
  if (hours === undefined && timeZone !== undefined) throw keys.fail('timeZone is set without hours: expected both')
  return hours && { ...hours, timeZone: timeZone ?? 'UTC' }
}
