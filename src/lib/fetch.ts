import { lookup as lookupAddress } from 'node:dns/promises'
import { request } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { getCACertificates } from 'node:tls'
import { reachOf } from './address-reach.ts'
import { AddressRefused, guardedLookup, type LookUp } from './guarded-lookup.ts'
import { Lanes } from './lanes.ts'

/**
 * The one client for what this program asks of others over the network: small documents at HTTPS addresses. It follows no
 * redirect. It bounds bytes and time. It never connects to a link-local address, where clouds keep their credentials.
 * It connects to a private address only where its caller allows that.
 */
export type Fetch = (url: URL, options: FetchOptions) => Promise<Fetched>

export interface FetchOptions {
  /** `configured`: a person named this host, and it may be private. `public`: it must have a public address. */
  readonly address: 'configured' | 'public'
  readonly maxBytes: number
  /** The party that asks. For each, one name is looked up at a time. */
  readonly party: string
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

export interface FetchParts {
  /** In PEM, trusted beside those that Node trusts, which `NODE_EXTRA_CA_CERTS` adds to. */
  readonly certificates?: readonly string[]
  /** Of the operating system by default. */
  readonly lookUp?: LookUp
}

/**
 * The operating system's look-up cannot be cancelled, and takes half a minute where a name server is silent. Node makes two at once:
 * further ones wait, those of the database's host too.
 */
const lookUpBySystem: LookUp = (hostname, options) => lookupAddress(hostname, { ...options, all: true })

export function createFetch({ certificates = [], lookUp = lookUpBySystem }: FetchParts = {}): Fetch {
  const ca = certificates.length === 0 ? undefined : [...getCACertificates(), ...certificates]
  const lookups = new Lanes(1)
  return async (url, { address, maxBytes, party, deadlineMs }) => {
    if (url.protocol !== 'https:') throw new FetchFailure('its address is not one of HTTPS')
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && !isReachable(host, address)) throw new FetchFailure('its address may not be reached')
    const signal = AbortSignal.timeout(deadlineMs)
    try {
      const admits = (each: string) => isReachable(each, address)
      const lookup = guardedLookup(admits, async (hostname, options) => {
        const leave = await lookups.enter(party, signal)
        return lookUp(hostname, options).finally(leave)
      })
      return await exchange(url, { ca, lookup, signal, maxBytes })
    } catch (cause) {
      if (cause instanceof FetchFailure) throw cause
      if (cause instanceof AddressRefused) throw new FetchFailure(cause.message)
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

function isReachable(address: string, kind: FetchOptions['address']): boolean {
  const reach = reachOf(address)
  return reach === 'public' || (reach === 'private' && kind === 'configured')
}
