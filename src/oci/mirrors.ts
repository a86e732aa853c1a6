import type { ClientOrigin, Endpoints } from '#names/endpoints.ts'
import { type Mirror, nameAtMirror } from '#names/mirror.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import { refuse } from './refusals.ts'
import type { OciPath } from './url.ts'

/**
 * Clients may name a repository as its upstream does: at a host of `LADING_MIRRORS`, or with the upstream's host as `?ns=`, as containerd
 * does. Here such a name becomes the repository's own, before anything is authorized. A named host is looked up among rules, and nothing
 * ever connects to it.
 */
export interface Mirrors {
  /** The repository that is a copy of the host's repository of that name; `undefined` where no rule caches it. */
  find(registry: Registry, host: string, name: RepositoryName): Found | Promise<Found>
  /** Whether a rule makes the repository a copy from another host. */
  isOfOtherHost(registry: Registry, host: string, name: RepositoryName): boolean | Promise<boolean>
}

type Found = RepositoryName | undefined

/** What a client that asks as at the upstream knows, and so what answers to it say. */
export interface Mirrored {
  readonly name: RepositoryName
  /** What the link to a further page repeats. */
  readonly parameters: Readonly<Record<string, string>>
}

export interface Located {
  readonly path: OciPath
  readonly mirrored?: Mirrored
  /** Named as `ns`, and no rule caches it. */
  readonly uncachedHost?: string | undefined
}

export interface Asked {
  readonly path: OciPath
  readonly method: string
  readonly query: URLSearchParams
  readonly registry: Registry
  /** What the request's host is. */
  readonly mirror: Mirror | undefined
  readonly origin: ClientOrigin
}

/** containerd's parameter (containerd, "Registry Host Namespace"). It sends it wherever it reaches a registry under another name. */
const hostParameter = 'ns'

export function createLocate({ mirrors, endpoints }: { mirrors: Mirrors; endpoints: Endpoints }) {
  async function atMirror(asked: Asked, mirror: Mirror): Promise<Located> {
    const { path, registry, origin } = asked
    if (path.family === 'base') return { path }
    if (!('name' in path)) throw refuse('MirrorWithoutCatalog', {})
    if (!isPull(asked)) throw refuse('MirrorReadOnly', { endpoint: endpoints.proxyEndpoint(registry, origin) })
    const name = nameAtMirror(mirror, path.name)
    const host = hostIn(asked)
    const foreign = host !== undefined && !endpoints.isOwn(host, origin)
    if (foreign && (await mirrors.isOfOtherHost(registry, host, name))) {
      throw refuse('HostNotCached', { host, registry, repository: name })
    }
    return { path: { ...path, name }, mirrored: { name: path.name, parameters: parametersOf(host) } }
  }

  /** Finds the repository that a request means. @throws Refusal `MirrorReadOnly`, `MirrorWithoutCatalog`, `HostNotCached`, `NameInvalid` */
  return async function locate(asked: Asked): Promise<Located> {
    const { path, registry, mirror, origin } = asked
    if (mirror !== undefined) return atMirror(asked, mirror)
    const host = hostIn(asked)
    if (host === undefined || !('name' in path)) return { path }
    const name = await mirrors.find(registry, host, path.name)
    // The path is then the repository's own name. containerd sends `ns` also where it knows this server by another name.
    if (name === undefined) return { path, uncachedHost: endpoints.isOwn(host, origin) ? undefined : host }
    // containerd pushes without `ns`. A push with it must not end up where pulls with it do not look.
    if (!isPull(asked)) throw refuse('MirrorReadOnly', { endpoint: endpoints.proxyEndpoint(registry, origin) })
    return { path: { ...path, name }, mirrored: { name: path.name, parameters: parametersOf(host) } }
  }
}

function hostIn({ query }: Asked): string | undefined {
  return query.get(hostParameter) || undefined
}

function isPull({ path: { family }, method }: Asked): boolean {
  return (method === 'GET' || method === 'HEAD') && family !== 'uploads' && family !== 'upload'
}

function parametersOf(host: string | undefined): Readonly<Record<string, string>> {
  return host === undefined ? {} : { [hostParameter]: host }
}
