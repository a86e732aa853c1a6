// The grammar of `LADING_UPSTREAMS`: `none`, or several of `host[:port][=url]`, separated by commas.

import { parseHostPort } from './host-port.ts'

export interface UpstreamHost {
  /** Lower-case, without a port where the text has none. IPv6 addresses stand in brackets. */
  readonly host: string
  /** Where the host is reached, if not at its own name. */
  readonly url: string | undefined
}

/** `none`: no host may be an upstream, not even one of those that ECR knows. */
export type Upstreams = 'none' | readonly UpstreamHost[]

export function parseUpstreams(text: string): Upstreams | undefined {
  if (text.trim() === 'none') return 'none'
  const entries = text.split(',').map((entry) => parseEntry(entry.trim()))
  const hosts = entries.filter((entry) => entry !== undefined)
  if (hosts.length < entries.length) return undefined
  return new Set(hosts.map(({ host }) => host)).size === hosts.length ? hosts : undefined
}

function parseEntry(text: string): UpstreamHost | undefined {
  const [, named = '', urlText] = /^([^=]+)(?:=(.*))?$/.exec(text) ?? []
  const host = parseHost(named)
  if (host === undefined) return undefined
  if (urlText === undefined) return { host, url: undefined }
  const url = parseUrl(urlText)
  return url === undefined ? undefined : { host, url }
}

/** `docker.io` and `index.docker.io` are names of Docker Hub that its registry does not answer at. */
const dockerHub = 'registry-1.docker.io'
const otherNames: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io'])

function parseHost(text: string): string | undefined {
  const found = parseHostPort(text)
  if (found === undefined) return undefined
  const { hostname, port } = found
  const host = otherNames.has(hostname) ? dockerHub : hostname
  return port === undefined ? host : `${host}:${port}`
}

function parseUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || !/^https?:\/\//i.test(text)) return undefined
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '' ? url.href : undefined
}
