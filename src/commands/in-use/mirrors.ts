import { isRepositoryName } from '#names/repository-name.ts'
import type { Reference } from './references.ts'

/**
 * A cluster's mirror setting, such as containerd's `hosts.toml`: it pulls images of `host` from this registry, below `prefix`, and still
 * names them after `host`.
 */
export interface Mirror {
  readonly host: string
  /** Without a slash at its end. Empty where repositories have the same names here as there. */
  readonly prefix: string
}

const dockerHub = 'docker.io'

/** `<host>=<prefix>`, such as `docker.io=docker-hub/`. `undefined` for any other text. */
export function parseMirror(text: string): Mirror | undefined {
  const [, host = '', rest = ''] = /^([^\s/=]+)=([^=]*)$/.exec(text) ?? []
  const prefix = rest.replace(/\/$/, '')
  if (host === '' || (prefix !== '' && !isRepositoryName(`${prefix}/name`))) return undefined
  return { host: upstreamHost(host.toLowerCase()), prefix }
}

/** The names that an image has in this registry, if it was pulled through one of these mirrors. */
export function mirroredReferences(reference: Reference, mirrors: readonly Mirror[]): readonly Reference[] {
  const host = upstreamHost(reference.host)
  const repository = upstreamRepository(host, reference.repository)
  return mirrors
    .filter((mirror) => mirror.host === host)
    .map(({ prefix }) => ({ ...reference, repository: prefix === '' ? repository : `${prefix}/${repository}` }))
}

/** Runtimes pull a name without a host from Docker Hub, which has a second name (distribution reference normalization). */
function upstreamHost(host: string | undefined): string {
  return host === undefined || host === 'index.docker.io' ? dockerHub : host
}

/** `nginx` of Docker Hub is `library/nginx`. */
function upstreamRepository(host: string, repository: string): string {
  return host === dockerHub && !repository.includes('/') ? `library/${repository}` : repository
}
