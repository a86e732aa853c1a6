import { isAccountId } from './account.ts'
import type { Mirror } from './mirror.ts'
import { isRegion } from './region.ts'
import type { Registry } from './registry.ts'
import type { RepositoryName } from './repository-name.ts'

/** How a client reached the server: over TLS or not, and the `Host` header it sent, which AWS clients sign. */
export interface ClientOrigin {
  readonly secure: boolean
  readonly host: string | undefined
}

/** Where clients reach registries: the addresses that responses name, and the registry that an address names. */
export interface Endpoints {
  /** Scheme, host and port that reach every registry, without a slash at the end. */
  baseUrl(origin: ClientOrigin): string
  /** `<scheme>://<host>` of a registry, ECR's `proxyEndpoint`: what `docker login` takes. */
  proxyEndpoint(registry: Registry, origin: ClientOrigin): string
  /** ECR's `repositoryUri`: what `docker push` takes, without scheme. */
  repositoryUri(registry: Registry, name: RepositoryName, origin: ClientOrigin): string
  /**
   * The registry that a `Host` header names; `undefined` where it names none and the token's counts. `unresolvable` for a host that
   * is shaped like a registry's and is none: whoever meant another registry must not get the token's.
   */
  registryAt(host: string | undefined): Registry | 'unresolvable' | undefined
  /** The registry of this deployment at a host that a text names. Its port must be one where the deployment is served, or absent. */
  ownRegistryAt(host: string): Registry | undefined
  /** The mirror that a `Host` header names. Runs for each request: `bench` figure "manifest GET by tag". */
  mirrorAt(host: string | undefined): Mirror | undefined
  /** `<scheme>://<host>` of a mirror. */
  mirrorEndpoint(mirror: Mirror, origin: ClientOrigin): string
  /** Whether a text names this deployment: the host that the client used, the public one, or one at or below the domain. */
  isOwn(host: string, origin: ClientOrigin): boolean
}

export interface EndpointSettings {
  /** The configured public URL. Without one, the base URL is what the client used. */
  readonly publicUrl?: string | undefined
  /** For a request without a usable `Host`. A function, because a port may be known only once the server listens. */
  readonly listeningUrl: () => string
  readonly domain?: string | undefined
  /** Each at `<label>.<domain>`. */
  readonly mirrors?: readonly Mirror[]
}

/**
 * With a domain, registries are at `<account>.dkr.ecr.<region>.<domain>`, with the port of the base URL (as at AWS, ECR user
 * guide, "Registries").
 */
export function createEndpoints({ publicUrl, listeningUrl, domain, mirrors = [] }: EndpointSettings): Endpoints {
  const suffix = domain === undefined ? undefined : `.${domain.toLowerCase()}`
  const baseUrl = (origin: ClientOrigin) => publicUrl ?? usedUrl(origin) ?? listeningUrl()
  function hostOf({ account, region }: Registry, base: URL): string {
    if (domain === undefined) return base.host
    return `${account}.dkr.ecr.${region}.${domain}${portOf(base)}`
  }
  const mirrorsByHost = new Map(suffix === undefined ? [] : mirrors.map((mirror) => [mirror.label + suffix, mirror]))

  const registryAt: Endpoints['registryAt'] = (host) => {
    if (suffix === undefined || host === undefined) return undefined
    const name = nameOf(host)
    if (!name.endsWith(suffix)) return undefined
    const [, account, region] = /^(.*)\.dkr\.ecr\.(.*)$/.exec(name.slice(0, -suffix.length)) ?? []
    if (account === undefined || region === undefined) return undefined
    return isAccountId(account) && isRegion(region) ? { account, region } : 'unresolvable'
  }

  return {
    baseUrl,
    proxyEndpoint(registry, origin) {
      const base = new URL(baseUrl(origin))
      return `${base.protocol}//${hostOf(registry, base)}`
    },
    repositoryUri: (registry, name, origin) => `${hostOf(registry, new URL(baseUrl(origin)))}/${name}`,
    registryAt,
    ownRegistryAt(host) {
      const [, port] = /^[a-z0-9.-]+(?::(\d+))?$/.exec(host) ?? []
      const ports = [publicUrl, listeningUrl()].map((url) => url && new URL(url).port)
      const registry = port === undefined || ports.includes(port) ? registryAt(host) : undefined
      return registry === 'unresolvable' || host.endsWith('.') ? undefined : registry
    },
    mirrorAt: (host) => (mirrorsByHost.size === 0 || host === undefined ? undefined : mirrorsByHost.get(nameOf(host))),
    mirrorEndpoint({ label }, origin) {
      const base = new URL(baseUrl(origin))
      return `${base.protocol}//${label}${suffix}${portOf(base)}`
    },
    isOwn(host, origin) {
      const named = host.toLowerCase()
      if (named === origin.host?.toLowerCase() || named === (publicUrl && new URL(publicUrl).host)) return true
      return suffix !== undefined && `.${nameOf(named)}`.endsWith(suffix)
    },
  }
}

/** Without the dot and the port that may follow it. */
function nameOf(host: string): string {
  return host.replace(/\.?(?::\d+)?$/, '').toLowerCase()
}

function portOf({ port }: URL): string {
  return port === '' ? '' : `:${port}`
}

/** A host and a port and nothing else. A client controls the header, and responses quote it. */
const hostForm = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

function usedUrl({ secure, host }: ClientOrigin): string | undefined {
  if (host === undefined || !hostForm.test(host)) return undefined
  return URL.parse(`${secure ? 'https' : 'http'}://${host}`)?.origin
}
