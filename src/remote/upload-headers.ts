// `Location` and `Range` of uploads (distribution specification, "Pushing a blob in chunks").

import type { Digest } from '#names/digest.ts'

/**
 * How many bytes a registry has of an upload. Distribution says `0-0` for none as well as for one: `expected` is what the sender counts.
 */
export function offsetIn(range: string | undefined, expected: number): number | undefined {
  const [, last] = /^(?:bytes=)?0-(-?\d{1,15})$/.exec(range?.trim() ?? '') ?? []
  if (last === undefined) return undefined
  if (Number(last) === 0 && expected === 1) return 1
  return Number(last) <= 0 ? 0 : Number(last) + 1
}

/** The state that a registry puts into the location stays as it is. */
export function withDigest(location: string, digest: Digest): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
}

/**
 * Where an upload is. A registry behind a proxy that ends TLS may not know its own scheme or port: at the peer's host, those of the peer
 * count. `undefined` if it is no address.
 */
export function locationOf(header: string | undefined, asked: URL, base: URL): URL | undefined {
  const url = header === undefined ? null : URL.parse(header, asked)
  if (url === null) return undefined
  const isHttp = url.protocol === 'https:' || url.protocol === 'http:'
  const isSamePort = url.port === '' || url.port === (base.port || defaultPorts[base.protocol])
  if (!isHttp || url.hostname !== base.hostname || url.protocol === base.protocol || !isSamePort) return url
  url.protocol = base.protocol
  url.port = base.port
  return url
}

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }
