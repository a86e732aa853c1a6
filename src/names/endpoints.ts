import { isAccountId } from './account.ts'
import { isRegion } from './region.ts'
import type { Registry } from './registry.ts'
import type { RepositoryName } from './repository-name.ts'

/** Where clients reach registries: the addresses that answers name, and the registry that an address names. */
export interface Endpoints {
  /** Scheme, host and port for everything, without a slash at the end. */
  readonly publicUrl: string
  /** `<scheme>://<host>` of a registry, ECR's `proxyEndpoint`: what `docker login` takes. */
  proxyEndpoint(registry: Registry): string
  /** ECR's `repositoryUri`: what `docker push` takes, without scheme. */
  repositoryUri(registry: Registry, name: RepositoryName): string
  /** The registry that a `Host` header names; `undefined` where it names none and the token's counts. */
  registryAt(host: string | undefined): Registry | undefined
}

/** With a domain, registries are at `<account>.dkr.ecr.<region>.<domain>`, with the port of `publicUrl` (as at AWS, ECR user guide, "Registries"). */
export function createEndpoints({ publicUrl, domain }: { publicUrl: string; domain?: string | undefined }): Endpoints {
  const { protocol, host, port, origin } = new URL(publicUrl)
  const portSuffix = port === '' ? '' : `:${port}`
  const hostOf = ({ account, region }: Registry) =>
    domain === undefined ? host : `${account}.dkr.ecr.${region}.${domain}${portSuffix}`
  const suffix = domain === undefined ? undefined : `.${domain.toLowerCase()}`

  return {
    publicUrl: origin,
    proxyEndpoint: (registry) => `${protocol}//${hostOf(registry)}`,
    repositoryUri: (registry, name) => `${hostOf(registry)}/${name}`,
    registryAt(given) {
      if (suffix === undefined || given === undefined) return undefined
      const name = given.replace(/:\d+$/, '').toLowerCase()
      if (!name.endsWith(suffix)) return undefined
      const [, account = '', region = ''] = /^([^.]+)\.dkr\.ecr\.([^.]+)$/.exec(name.slice(0, -suffix.length)) ?? []
      return isAccountId(account) && isRegion(region) ? { account, region } : undefined
    },
  }
}
