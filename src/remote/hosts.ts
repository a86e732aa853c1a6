// Which addresses the client connects to. An operator lists hosts in `LADING_UPSTREAMS`. A listed host may be private. Every other
// host must be public and is reached over HTTPS. Link-local addresses are refused for all.

import { isIP } from 'node:net'
import { isLoopback, reachOf } from '#lib/address-reach.ts'
import { RemoteFailure } from './registry.ts'

export interface ListedHost {
  /** `host[:port]`, lower-case. Without a port it stands for every port of the host. */
  readonly host: string
  /** Where the host is reached, if not at its own name. */
  readonly url: string | undefined
}

/** `LADING_UPSTREAMS`, parsed. */
export type ListedHosts = 'none' | readonly ListedHost[]

/** The addresses that a connection may have: public ones; public and private ones; those of this machine's loopback. */
export type Reach = 'public' | 'configured' | 'loopback'

export interface Destination {
  readonly url: URL
  readonly reach: Reach
}

export interface HostRules {
  mayReach(host: string): boolean
  isListed(host: string): boolean
  /** Whether a `=url` says where the host is. */
  isMapped(host: string): boolean
  /** The URL of a registry. @throws RemoteFailure `blocked` */
  baseOf(host: string): URL
  /** Where a URL is reached: an upstream, a redirect target or a token realm. @throws RemoteFailure `blocked` */
  admit(url: URL): Destination
  /** Where the target of a redirect is reached. @throws RemoteFailure `blocked` */
  admitRedirect(target: URL, from: URL): Destination
}

/** `isKnown`: whether a host is one of the registries that ECR knows. */
export function createHostRules(hosts: ListedHosts, isKnown: (host: string) => boolean): HostRules {
  const entries = hosts === 'none' ? [] : hosts.map(toEntry)
  const find = (host: string, port: string) =>
    entries.find((entry) => entry.hostname === host && entry.port === port) ??
    entries.find((entry) => entry.hostname === host && entry.port === undefined)
  const ofUrl = (url: URL) => find(url.hostname, url.port || defaultPort(url))
  const isTarget = (url: URL) => entries.some(({ target }) => target?.host === url.host)
  const saysHttp = (url: URL) => entries.some(({ target }) => target?.origin === url.origin)

  function listed(host: string) {
    const url = URL.parse(`https://${host}`)
    return url === null ? undefined : ofUrl(url)
  }

  return {
    mayReach: (host) => hosts !== 'none' && (listed(host) !== undefined || isKnown(host)),
    isListed: (host) => listed(host) !== undefined,
    isMapped: (host) => listed(host)?.target !== undefined,
    baseOf(host) {
      if (!this.mayReach(host))
        throw new RemoteFailure('blocked', `${host} is not an upstream that LADING_UPSTREAMS allows`)
      const { target } = listed(host) ?? {}
      if (target !== undefined) return new URL(target)
      const url = new URL(`https://${host}/`)
      return this.isListed(host) && isLoopbackHost(url.hostname) ? new URL(`http://${host}/`) : url
    },
    admitRedirect(target) {
      return this.admit(target)
    },
    admit(asked) {
      if (asked.protocol !== 'https:' && asked.protocol !== 'http:') throw blocked('is not one of HTTP')
      if (asked.username !== '' || asked.password !== '') throw blocked('holds a user name')
      const entry = isTarget(asked) ? undefined : ofUrl(asked)
      const url = entry?.target === undefined ? asked : moved(asked, entry.target)
      const isConfigured = entry !== undefined || isTarget(url)
      const reach = !isConfigured ? 'public' : isLoopbackHost(url.hostname) ? 'loopback' : 'configured'
      if (url.protocol === 'http:' && reach !== 'loopback' && !saysHttp(url)) throw blocked('is not one of HTTPS')
      const literal = withoutBrackets(url.hostname)
      if (isIP(literal) !== 0 && !isWithin(reach, literal)) throw blocked('may not be reached')
      return { url, reach }
    },
  }
}

/** Whether a connection of that reach may have this address. */
export function isWithin(reach: Reach, address: string): boolean {
  if (reach === 'loopback') return isLoopback(address)
  const found = reachOf(address)
  return found === 'public' || (found === 'private' && reach === 'configured')
}

interface Entry {
  readonly hostname: string
  readonly port: string | undefined
  readonly target: URL | undefined
}

function toEntry({ host, url }: ListedHost): Entry {
  const [, hostname = host, port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(host) ?? []
  return { hostname, port, target: url === undefined ? undefined : new URL(url) }
}

/** The same path and query at the target. A path of the target stands before. */
function moved(url: URL, target: URL): URL {
  const result = new URL(target)
  result.pathname = `${target.pathname.replace(/\/$/, '')}${url.pathname}`
  result.search = url.search
  return result
}

export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || isLoopback(withoutBrackets(hostname))
}

export function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '')
}

function defaultPort({ protocol }: URL): string {
  return protocol === 'http:' ? '80' : '443'
}

function blocked(why: string): RemoteFailure {
  return new RemoteFailure('blocked', `its address ${why}`)
}
