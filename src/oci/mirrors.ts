import type { Refusal } from '#lib/refusal.ts'
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
  /** What the client asked for, in its own terms, where it named an upstream's host or is at a mirror. A denial says no more. */
  readonly asked?: string
  /** Why the request goes no further, if the caller may do what it asks. */
  readonly refusal?: Refusal
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
    const { path, registry } = asked
    if (path.family === 'base') return { path }
    if (!('name' in path)) return { path, refusal: refuse('MirrorWithoutCatalog', {}) }
    const name = nameAtMirror(mirror, path.name)
    const located = { ...renamed(asked, path, name), asked: path.name }
    const host = foreignHostIn(asked)
    if (host === undefined || !(await mirrors.isOfOtherHost(registry, host, name))) return located
    return { ...located, refusal: refuse('HostNotCached', { host, registry, repository: path.name }) }
  }

  async function byHost(asked: Asked): Promise<Located> {
    const { path, registry } = asked
    const host = hostIn(asked)
    if (host === undefined || !('name' in path)) return { path }
    const name = await mirrors.find(registry, host, path.name)
    // Without a rule, the path is the repository's own name. containerd sends `ns` also where it knows this server by another name.
    const uncachedHost = name === undefined ? foreignHostIn(asked) : undefined
    const located = name === undefined ? { path, uncachedHost } : renamed(asked, path, name)
    return foreignHostIn(asked) === undefined ? located : { ...located, asked: `${path.name} of ${host}` }
  }

  /** containerd pushes without `ns`. A push with it must not end up where pulls with it do not look. */
  function renamed(asked: Asked, path: NamedPath, name: RepositoryName): Located {
    const { registry, origin } = asked
    const host = hostIn(asked)
    const parameters: Mirrored['parameters'] = host === undefined ? {} : { [hostParameter]: host }
    const located = { path: { ...path, name }, mirrored: { name: path.name, parameters } }
    if (isPull(asked)) return located
    return { ...located, refusal: refuse('MirrorReadOnly', { endpoint: endpoints.proxyEndpoint(registry, origin) }) }
  }

  function foreignHostIn(asked: Asked): string | undefined {
    const host = hostIn(asked)
    return host === undefined || endpoints.isOwn(host, asked.origin) ? undefined : host
  }

  /** Finds the repository that a request means. @throws Refusal `NameInvalid` */
  return (asked: Asked): Promise<Located> =>
    asked.mirror === undefined ? byHost(asked) : atMirror(asked, asked.mirror)
}

type NamedPath = Extract<OciPath, { readonly name: RepositoryName }>

function hostIn({ query }: Asked): string | undefined {
  return query.get(hostParameter) || undefined
}

function isPull({ path: { family }, method }: Asked): boolean {
  return (method === 'GET' || method === 'HEAD') && family !== 'uploads' && family !== 'upload'
}
