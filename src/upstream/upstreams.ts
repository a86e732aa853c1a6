import { isAccountId } from '#names/account.ts'
import { isRegion } from '#names/region.ts'
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

/** What a deployment says of hosts beside those that ECR knows. A host has no scheme and no path, and a port only where it needs one. */
export interface UpstreamHosts {
  /** The deployment allows no upstream at all. */
  readonly areForbidden: boolean
  /** Whether the operator lists the host. A listed host may be any registry, and needs no credentials. */
  readonly isListed: (host: string) => boolean
  /** The registry of this deployment that has this host. */
  readonly ownRegistryAt: (host: string) => Registry | undefined
}

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
/** ECR's form of a registry's host. */
const ecrForm = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.(.+)$/

/** Docker Hub's registry by the names that image references have for it. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['docker.io', hosts['docker-hub']],
  ['index.docker.io', hosts['docker-hub']],
])

/** The address of the upstream that clients name so, in the form that rules have it. */
export function upstreamHostOf(named: string): string {
  const host = named.toLowerCase()
  return otherNames.get(host) ?? host
}

/** `other` for a listed host that is none of ECR's upstreams, and `undefined` for what is no upstream. */
export function kindOfUpstream(host: string, known: UpstreamHosts): UpstreamKind | 'other' | undefined {
  if (host.length > longestHost) return undefined
  if (ecrRegistryAt(host, known) !== undefined) return 'ecr'
  if (azureHost.test(host)) return 'azure-container-registry'
  return kinds.get(host) ?? (known.isListed(host) ? 'other' : undefined)
}

/** RFC 1035 section 2.3.4. */
const longestHost = 253

/** The registry at a host of ECR, of this deployment, or of another one that is listed and has ECR's form. */
export function ecrRegistryAt(host: string, known: UpstreamHosts): Registry | undefined {
  const own = known.ownRegistryAt(host)
  if (own !== undefined) return own
  const [, account = '', region = '', domain] = ecrForm.exec(host) ?? []
  if (!isAccountId(account) || !isRegion(region)) return undefined
  return domain === 'amazonaws.com' || known.isListed(host) ? { account, region } : undefined
}

const withSecret: ReadonlySet<UpstreamKind | 'other'> = new Set([
  'docker-hub',
  'github-container-registry',
  'gitlab-container-registry',
  'azure-container-registry',
  'chainguard',
] as const)

/** Registries of these kinds have no repository without an owner, such as `library` or an organization, before its name. */
const withOwners: ReadonlySet<UpstreamKind> = new Set([
  'docker-hub',
  'ecr-public',
  'quay',
  'github-container-registry',
  'gitlab-container-registry',
  'chainguard',
] as const)

/** Whether an upstream of that kind may have a repository of that name. */
export function mayBeNamed(kind: UpstreamKind | undefined, upstreamName: string): boolean {
  return kind === undefined || !withOwners.has(kind) || upstreamName.includes('/')
}

/** Whether a rule needs a secret with the credentials of an account there, as ECR asks. */
export function needsCredential(host: string, known: UpstreamHosts): boolean {
  const kind = kindOfUpstream(host, known)
  return kind !== undefined && withSecret.has(kind) && !known.isListed(host)
}

/** Whether a rule needs a role with which to read there, as ECR asks for the registry of another account. */
export function needsRole(host: string, registry: Registry, known: UpstreamHosts): boolean {
  const upstream = ecrRegistryAt(host, known)
  return upstream !== undefined && upstream.account !== registry.account && !known.isListed(host)
}

/**
 * Whether the host is that of the registry itself: the cache would look for an image in itself, and so on. A listed host of ECR is
 * that of AWS, where a registry may have the same account and region.
 */
export function isOwnRegistry(host: string, registry: Registry, known: UpstreamHosts): boolean {
  const own = known.ownRegistryAt(host) ?? (known.isListed(host) ? undefined : ecrRegistryAt(host, known))
  return own?.account === registry.account && own.region === registry.region
}
