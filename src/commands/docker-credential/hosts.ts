/**
 * Which hosts the credential helper answers for. A helper that sent its password to any host that asks for it would leak it: docker
 * asks for every host if the helper is its `credsStore`. Pure.
 */
export interface KnownHosts {
  readonly endpoint: URL
  /** Further hosts that the user names, with their ports. */
  readonly named: readonly string[]
}

/** A host as image names have it, with a port, or a scheme and a path around it. Clients read anything else in different ways. */
const serverForm = /^(?:(https?):\/\/)?((?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d+)?)(?:\/[^@\\]*)?$/i

/**
 * The host of what docker calls a server. `undefined` for no host, and for HTTP where the endpoint has HTTPS: the password would be sent in the
 * open.
 */
export function hostOf(server: string, { protocol }: Pick<URL, 'protocol'>): string | undefined {
  const [, scheme, authority] = serverForm.exec(server.trim()) ?? []
  if (authority === undefined) return undefined
  if (scheme?.toLowerCase() === 'http' && protocol === 'https:') return undefined
  // The default port of the endpoint's scheme counts as none, also under another scheme.
  return URL.parse(`${protocol}//${authority}`)?.host
}

/** Known without a question to the server. */
export function isKnown(host: string, { endpoint, named }: KnownHosts): boolean {
  return host === endpoint.host || named.some((name) => hostOf(name, endpoint) === host)
}

/** A host as registries of ECR have it. */
export interface RegistryHost {
  readonly region: string
  /** With the port. */
  readonly domain: string
}

export function registryHostOf(host: string): RegistryHost | undefined {
  const [, region, domain] = /^\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.(.+)$/.exec(host) ?? []
  return region === undefined || domain === undefined ? undefined : { region, domain }
}

/**
 * Whether a server that names its registry so serves the host too: the same, or another registry of its domain. Behind a proxy that it does not
 * know of, a server names HTTP.
 */
export function isServedBy(host: string, proxyEndpoint: string, endpoint: URL): boolean {
  const own = hostOf(proxyEndpoint.replace(/^https?:\/\//i, ''), endpoint)
  if (own === undefined) return false
  const [asked, known] = [registryHostOf(host), registryHostOf(own)]
  return host === own || (asked !== undefined && asked.domain === known?.domain)
}
