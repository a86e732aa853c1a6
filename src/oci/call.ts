import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '#iam/principal.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import { pushCreating, replicateCreating } from '#registry/create-on-push.ts'
import type { Puller } from '#registry/puller.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import type { Mirrored } from './mirrors.ts'
import { refuse } from './refusals.ts'
import type { Family, OciPath } from './url.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A request of the distribution API whose sender is known and may do what it asks. */
export interface OciCall<F extends Family> {
  readonly path: Extract<OciPath, { family: F }>
  readonly registry: Registry
  /** How the client names the repository, where it does so as its upstream does. */
  readonly mirrored: Mirrored | undefined
  /** Whose token it is; `undefined` where a download link stands in for one, which opens blobs alone. */
  readonly caller: Caller | undefined
  /** The registry that the request replicates from, if it does. */
  readonly source: Registry | undefined
  readonly query: URLSearchParams
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Whether the caller may also do this, where a refusal is no error. */
  may(action: string, name: RepositoryName): Promise<boolean>
  /** @throws Refusal `AccessDenied` */
  require(action: string, name: RepositoryName): Promise<void>
  /** Has the audit trail record that the request created its repository. */
  noteCreation(): void
}

/** What serves one method of a family of URLs. */
export interface Route<F extends Family> {
  /** What the caller must be allowed to do: all of these, of each any one. None: a valid token suffices. */
  readonly actions: readonly (readonly [string, ...string[]])[]
  /** Whether a request that replicates may use it, with `ecr:ReplicateImage` in place of `actions`. It then reads no content. */
  readonly replicates?: boolean
  readonly handle: (call: OciCall<F>) => Promise<unknown>
}

/** What a family of URLs serves, by method. */
export type FamilyRoutes<F extends Family> = Partial<Record<Method, Route<F>>>

/** The repository that a path names, in the registry of the call. */
export function repositoryOf({
  path,
  registry,
}: {
  readonly path: { readonly name: RepositoryName }
  readonly registry: Registry
}): RepositoryKey {
  return { registry, name: path.name }
}

/** The name of the repository that the client asked for, in the client's terms. */
export function shownNameOf({ path, mirrored }: OciCall<'tags'> | OciCall<'referrers'>): RepositoryName {
  return mirrored?.name ?? path.name
}

/**
 * A push to the repository that the path names, made again once the repository was created if there was none and the caller may create it.
 * A push is not `repeatable` once its body was read.
 */
export function pushCreatingFor<T>(
  repositories: Repositories,
  call: OciCall<'manifest'> | OciCall<'uploads'>,
  push: () => Promise<T>,
  repeatable?: () => boolean,
): Promise<T> {
  const { name } = call.path
  const pusher = { key: repositoryOf(call), ...(repeatable && { repeatable }) }
  if (call.source === undefined) {
    return pushCreating(repositories, { ...pusher, mayCreate: () => call.may(creation, name) }, push)
  }
  const requireMayCreate = () => call.require(creation, name)
  return replicateCreating(repositories, { ...pusher, requireMayCreate, onCreated: call.noteCreation }, push)
}

const creation = 'ecr:CreateRepository'

/** The caller as one that pulls from the repository that its path names. Flat on purpose: `bench` figure "manifest GET by tag". */
export function pullerOf(call: OciCall<'manifest'> | OciCall<'blob'> | OciCall<'referrers'>): Puller {
  const { caller, path } = call
  return {
    arn: caller?.arn ?? '',
    identityArn: caller?.identityArn ?? '',
    may: (action) => call.may(action, path.name),
  }
}

/** The number of entries that `n` asks for, at most `most`, which also counts without it. @throws Refusal `ParameterInvalid` */
export function parseCount(query: URLSearchParams, most: number): number {
  const n = query.get('n')
  if (n === null) return most
  if (!/^\d{1,9}$/.test(n)) throw refuse('ParameterInvalid', { parameter: 'n', expected: 'a number of entries' })
  return Math.min(Number(n), most)
}

/** A parameter as it was given, to be compared with what is kept. @throws Refusal `ParameterInvalid` */
export function parseText(query: URLSearchParams, parameter: string): string | undefined {
  const text = query.get(parameter) ?? undefined
  if (text?.includes('\0')) throw refuse('ParameterInvalid', { parameter, expected: 'a text without NUL characters' })
  return text
}

/** The `Link` header to the next page (distribution specification, "Listing Tags"; RFC 5988). */
export function nextLink(
  { mirrored }: Pick<OciCall<Family>, 'mirrored'>,
  path: string,
  count: number,
  last: string,
  more: Readonly<Record<string, string>> = {},
): string {
  return `<${path}?${new URLSearchParams({ ...mirrored?.parameters, ...more, n: String(count), last })}>; rel="next"`
}
