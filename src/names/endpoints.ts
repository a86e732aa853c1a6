import { isAccountId } from './account.ts'
import { isRegion } from './region.ts'
import type { Registry } from './registry.ts'
import type { RepositoryName } from './repository-name.ts'

/** Where clients reach registries: the addresses that answers name, and the registry that an address names. */
export interface Endpoints {
  /** Scheme, host and port that reach everything, without a slash at the end. */
  publicUrl(): string
  /** `<scheme>://<host>` of a registry, ECR's `proxyEndpoint`: what `docker login` takes. */
  proxyEndpoint(registry: Registry): string
  /** ECR's `repositoryUri`: what `docker push` takes, without scheme. */
  repositoryUri(registry: Registry, name: RepositoryName): string
  /**
   * The registry that a `Host` header names; `undefined` where it names none and the token's counts. `unresolvable` for a host that
   * is shaped like a registry's and is none: whoever meant another registry must not get the token's.
   */
  registryAt(host: string | undefined): Registry | 'unresolvable' | undefined
}

/**
 * With a domain, registries are at `<account>.dkr.ecr.<region>.<domain>`, with the port of the public URL (as at AWS, ECR user
 * guide, "Registries"). The URL is asked for when it is needed, since a port may be known only once the server listens.
 */
export function createEndpoints({
  publicUrl,
  domain,
}: {
  publicUrl: () => string
  domain?: string | undefined
}): Endpoints {
  const suffix = domain === undefined ? undefined : `.${domain.toLowerCase()}`
  function hostOf({ account, region }: Registry): string {
    const { host, port } = new URL(publicUrl())
    if (domain === undefined) return host
    return `${account}.dkr.ecr.${region}.${domain}${port === '' ? '' : `:${port}`}`
  }

  return {
    publicUrl,
    proxyEndpoint: (registry) => `${new URL(publicUrl()).protocol}//${hostOf(registry)}`,
    repositoryUri: (registry, name) => `${hostOf(registry)}/${name}`,
    registryAt(host) {
      if (suffix === undefined || host === undefined) return undefined
      const name = host.replace(/\.?(?::\d+)?$/, '').toLowerCase()
      if (!name.endsWith(suffix)) return undefined
      const [, account, region] = /^(.*)\.dkr\.ecr\.(.*)$/.exec(name.slice(0, -suffix.length)) ?? []
      if (account === undefined || region === undefined) return undefined
      return isAccountId(account) && isRegion(region) ? { account, region } : 'unresolvable'
    },
  }
}
