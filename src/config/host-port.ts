export interface HostPort {
  /** Lower-case. An IPv6 address stands in brackets. */
  readonly hostname: string
  /** `undefined` where the text has none. */
  readonly port: number | undefined
}

/** The parts of `host[:port]`. */
export function parseHostPort(text: string): HostPort | undefined {
  const [, name = '', port] = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?$/i.exec(text) ?? []
  const url = URL.parse(`https://${name}`)
  // A URL writes `0x7f.1` as `127.0.0.1`, which is then not what the text names.
  if (url === null || url.hostname !== name.toLowerCase() || name.length > longestHost) return undefined
  if (port === undefined) return { hostname: url.hostname, port: undefined }
  return Number(port) >= 1 && Number(port) <= 65_535 ? { hostname: url.hostname, port: Number(port) } : undefined
}

/** RFC 1035 section 2.3.4. */
const longestHost = 253

/** Several of `host[:port]`, separated by commas, each once. */
export function parseHostPorts(text: string): readonly HostPort[] | undefined {
  const parsed = text.split(',').map((entry) => parseHostPort(entry.trim()))
  const hosts = parsed.filter((host) => host !== undefined)
  if (hosts.length < parsed.length) return undefined
  return new Set(hosts.map(({ hostname, port }) => `${hostname}:${port}`)).size === hosts.length ? hosts : undefined
}
