import type { Registry } from '#names/registry.ts'

/**
 * The upstream registries that ECR knows, by its names for them, and the addresses that each has (ECR API reference,
 * CreatePullThroughCacheRule; user guide, "Creating a pull through cache rule in Amazon ECR").
 */
export type UpstreamKind =
  | 'ecr'
  | 'ecr-public'
  | 'quay'
  | 'k8s'
  | 'docker-hub'
  | 'github-container-registry'
  | 'azure-container-registry'
  | 'gitlab-container-registry'
  | 'chainguard'

/** A host, without scheme and path. */
const hosts: Readonly<Record<Exclude<UpstreamKind, 'ecr' | 'azure-container-registry'>, string>> = {
  'ecr-public': 'public.ecr.aws',
  k8s: 'registry.k8s.io',
  quay: 'quay.io',
  'docker-hub': 'registry-1.docker.io',
  'github-container-registry': 'ghcr.io',
  'gitlab-container-registry': 'registry.gitlab.com',
  chainguard: 'cgr.dev',
}

const kinds: ReadonlyMap<string, UpstreamKind> = new Map(
  Object.entries(hosts).map(([kind, host]) => [host, kind as keyof typeof hosts]),
)

/** A registry's name has 5 to 50 characters; a hash may follow a hyphen (Azure, "Registry naming"). */
const azureHost = /^[a-z0-9](?:[a-z0-9-]{3,61})[a-z0-9]\.azurecr\.io$/
const ecrHost = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$/

/** `undefined` for what is the address of none. */
export function kindOfUpstream(url: string): UpstreamKind | undefined {
  if (url.length > longestHost) return undefined
  if (ecrHost.test(url)) return 'ecr'
  if (azureHost.test(url)) return 'azure-container-registry'
  return kinds.get(url)
}

/** RFC 1035 section 2.3.4. */
const longestHost = 253

/** The registry at an address of ECR. */
function ecrRegistryAt(url: string): { readonly account: string; readonly region: string } | undefined {
  const [, account, region] = ecrHost.exec(url) ?? []
  return account === undefined || region === undefined ? undefined : { account, region }
}

const withSecret: ReadonlySet<UpstreamKind> = new Set([
  'docker-hub',
  'github-container-registry',
  'gitlab-container-registry',
  'azure-container-registry',
  'chainguard',
] as const)

/** Whether ECR asks for a secret with the credentials of an account there. */
export function needsCredential(kind: UpstreamKind): boolean {
  return withSecret.has(kind)
}

/** Whether ECR asks for a role with which to read there: in another account than the registry's own. */
export function needsRole(url: string, registry: Registry): boolean {
  const upstream = ecrRegistryAt(url)
  return upstream !== undefined && upstream.account !== registry.account
}

/** An image that a registry caches from itself would be looked for in the cache, and so on. */
export function isOwnRegistry(url: string, registry: Registry): boolean {
  const upstream = ecrRegistryAt(url)
  return upstream?.account === registry.account && upstream.region === registry.region
}
