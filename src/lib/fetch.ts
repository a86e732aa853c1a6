import { lookup as lookupAddress } from 'node:dns'
import { request } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { getCACertificates } from 'node:tls'

/**
 * The one client for what this program asks of others over the network: documents that are small, at HTTPS addresses that
 * somebody configured. It follows no redirect, takes no more bytes and no more time than it is told, reaches no link-local
 * address, where clouds keep their credentials, and no private one unless its caller says that it may.
 */
export type Fetch = (url: URL, options: FetchOptions) => Promise<Fetched>

export interface FetchOptions {
  /** `configured`: somebody who may do so named this very host. `public`: another host's answer named it. */
  readonly address: 'configured' | 'public'
  readonly maxBytes: number
  /** For everything, from the look-up of the name to the last byte. */
  readonly deadlineMs: number
}

export interface Fetched {
  readonly status: number
  readonly body: Buffer
}

/** Nothing came, or nothing that may be taken. The message names the reason and nothing that was received. */
export class FetchFailure extends Error {
  override readonly name = 'FetchFailure'
}

/** `certificates`, in PEM, are trusted beside those that Node trusts, which `NODE_EXTRA_CA_CERTS` adds to. */
export function createFetch({ certificates = [] }: { certificates?: readonly string[] } = {}): Fetch {
  const ca = certificates.length === 0 ? undefined : [...getCACertificates(), ...certificates]
  return async (url, { address, maxBytes, deadlineMs }) => {
    if (url.protocol !== 'https:') throw new FetchFailure('its address is not one of HTTPS')
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && !isReachable(host, address)) throw new FetchFailure('its address may not be reached')
    const signal = AbortSignal.timeout(deadlineMs)
    try {
      return await exchange(url, { ca, lookup: guardedLookup(address), signal, maxBytes })
    } catch (cause) {
      if (cause instanceof FetchFailure) throw cause
      throw new FetchFailure(signal.aborted ? `no answer within ${deadlineMs} ms` : 'no answer', { cause })
    }
  }
}

interface ExchangeOptions {
  readonly ca: string[] | undefined
  readonly lookup: LookupFunction
  readonly signal: AbortSignal
  readonly maxBytes: number
}

function exchange(url: URL, { ca, lookup, signal, maxBytes }: ExchangeOptions): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    // A connection of its own: a kept one would outlive the decision about its address.
    const sent = request(url, {
      agent: false,
      ...(ca && { ca }),
      lookup,
      signal,
      headers: { accept: 'application/json' },
    })
    sent.on('error', reject)
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      let received = 0
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => {
        received += chunk.byteLength
        if (received > maxBytes) response.destroy(new FetchFailure(`the answer is larger than ${maxBytes} bytes`))
        else chunks.push(chunk)
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }))
    })
    sent.end()
  })
}

/** Decides by the address that is connected to: a name may resolve to another one each time that it is looked up. */
function guardedLookup(address: FetchOptions['address']): LookupFunction {
  return (hostname, options, callback) => {
    lookupAddress(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '')
      const reachable = found.filter((each) => isReachable(each.address, address))
      const [first] = reachable
      if (first === undefined) return callback(new FetchFailure('its address may not be reached'), '')
      if (options.all) callback(null, reachable)
      else callback(null, first.address, first.family)
    })
  }
}

const linkLocal = new BlockList()
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4')
linkLocal.addSubnet('fe80::', 10, 'ipv6')
// The same as a gateway from IPv6 to IPv4 translates it (RFC 6052, section 2.1; RFC 3056).
linkLocal.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
linkLocal.addSubnet('2002:a9fe::', 32, 'ipv6')
// Where Amazon's metadata service listens on IPv6.
linkLocal.addSubnet('fd00:ec2::', 32, 'ipv6')

/** IANA's registries of special-purpose addresses, as far as they are not globally reachable. */
const internal = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  internal.addSubnet(network, prefix, 'ipv4')
}
for (const [network, prefix] of [
  ['::', 127],
  ['64:ff9b:1::', 48],
  ['fc00::', 7],
  ['ff00::', 8],
] as const) {
  internal.addSubnet(network, prefix, 'ipv6')
}

/** `BlockList` knows an IPv4 address in its IPv6 form, `::ffff:10.0.0.1`, for what it is. */
function isReachable(address: string, kind: FetchOptions['address']): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (linkLocal.check(address, family)) return false
  return kind === 'configured' || !internal.check(address, family)
}
