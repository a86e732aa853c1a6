// Requests to one registry, signed in. What they ask for and how it is proved stands in `manifests.ts`, `blobs.ts` and
// `referrers.ts`.

import type { Clock } from '#lib/clock.ts'
import type { Attempt, Authorize } from './authorization.ts'
import { failureOfAnswer } from './failures.ts'
import { isExpiredToken, readError } from './push-failures.ts'
import { rateLimitOf } from './rate-limit.ts'
import type { Answered, Send } from './redirects.ts'
import { RemoteFailure, type RemoteHooks } from './registry.ts'
import { isStream, type TransportRequest } from './transport.ts'

export interface Client {
  /** The answer, unless it is a refusal. @throws RemoteFailure */
  ask(request: ClientRequest): Promise<Answered>
  /** Where a path of the distribution API stands. */
  urlOf(repository: string, kind: 'manifests' | 'blobs' | 'referrers', reference: string): URL
  /** Where uploads begin. */
  uploadsOf(repository: string): URL
  /** The name that the registry has for a repository. */
  nameOf(repository: string): string
  readonly base: URL
  readonly clock: Clock
}

export interface ClientRequest {
  readonly method: TransportRequest['method']
  readonly url: URL
  /** `undefined` for what belongs to no repository. */
  readonly repository: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
  readonly body?: TransportRequest['body'] | undefined
  /** For a repository: `pull` by default. */
  readonly actions?: 'pull' | 'pull,push'
  /** Another repository that the request reads. */
  readonly from?: string
  readonly keepsRedirect?: boolean
  readonly isRepeatable?: boolean
  readonly workMs?: number
  /** Reads a refusal. By default its status alone counts. */
  readonly failureOf?: (answer: Answered, now: number) => Promise<RemoteFailure>
  /** Further statuses, beside 200, that the caller understands. */
  readonly statuses?: readonly number[]
}

export interface ClientParts {
  readonly base: URL
  readonly send: Send
  readonly authorize: Authorize
  readonly clock: Clock
  readonly hooks: RemoteHooks
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>
}

export function createClient({ base, send, authorize, clock, hooks, headers: own = {} }: ClientParts): Client {
  const { root, prefix } = placesOf(base)
  const nameOf = (repository: string) => (prefix === '' ? repository : `${prefix}/${repository}`)

  function urlOfPath(repository: string, ...path: readonly string[]): URL {
    const segments = [...nameOf(repository).split('/'), ...path]
    if (segments.some((each) => each === '' || each === '.' || each === '..')) {
      throw new RemoteFailure('invalid', 'a name has an empty part')
    }
    const url = new URL(base.origin)
    url.pathname = `${root}/v2/${segments.map(encodeSegment).join('/')}`
    return url
  }

  function scopeOf({ repository, actions = 'pull', from }: ClientRequest): string | undefined {
    if (repository === undefined) return undefined
    const scope = `repository:${nameOf(repository)}:${actions}`
    return from === undefined ? scope : `${scope} repository:${nameOf(from)}:pull`
  }

  return {
    base,
    clock,
    nameOf,
    urlOf: (repository, kind, reference) => urlOfPath(repository, kind, reference),
    uploadsOf(repository) {
      const url = urlOfPath(repository, 'blobs', 'uploads')
      url.pathname += '/'
      return url
    },
    async ask(asked) {
      const { statuses = [], failureOf = failureOfStatus, repository: _, actions: __, from: ___, ...request } = asked
      // An upload at another server has its proof in its URL.
      if (request.url.origin !== base.origin) {
        const answer = await send({ ...request, authorization: undefined })
        if (answer.status === 200 || statuses.includes(answer.status)) return answer
        throw await failureOf(answer, clock())
      }
      const headers = { ...own, ...request.headers }
      const scope = scopeOf(asked)
      let attempt = await untilAborted(authorize(scope), request.signal)
      for (let tries = 1; ; tries++) {
        const answer = await send({ ...request, headers, authorization: attempt.header })
        if (answer.atOrigin) report(answer)
        if (answer.status === 200 || statuses.includes(answer.status)) return answer
        const mayRetry = answer.atOrigin && tries < mostTries
        if (answer.status === 401 && mayRetry) {
          await answer.discard()
          attempt = await untilAborted(attempt.next(answer.headers.get('www-authenticate')), request.signal)
        } else {
          const failure = await failureOf(answer, clock())
          if (answer.status !== 403 || !mayRetry) throw failure
          const renewed = await untilAborted(renew(attempt, request.method, failure), request.signal)
          if (renewed === undefined) throw failure
          attempt = renewed
        }
        // Its bytes are gone. The caller looks how many arrived, and the next request has the new token.
        if (isStream(request.body)) throw new RemoteFailure('upload', 'it asks for credentials again')
      }
    },
  }

  function report(answer: Answered): void {
    const limit = rateLimitOf(answer, clock())
    if (limit !== undefined) hooks.onRateLimit?.(limit)
  }
}

/** An answer to HEAD has no text that says why. */
async function renew(attempt: Attempt, method: string, { said }: RemoteFailure): Promise<Attempt | undefined> {
  const isPlain = isExpiredToken(said)
  return isPlain || method === 'HEAD' ? attempt.renew?.(isPlain) : undefined
}

async function failureOfStatus(answer: Answered, now: number): Promise<RemoteFailure> {
  const { reason, message, retryAfterMs } = failureOfAnswer(answer, now)
  if (answer.status === 403) return new RemoteFailure(reason, message, { said: await readError(answer), retryAfterMs })
  await answer.discard()
  return new RemoteFailure(reason, message, { retryAfterMs })
}

/** Without credentials, with a token that has just expired, and with a new one. */
const mostTries = 3

/** A path with `/v2` holds the start of the names of all repositories, as mirrors that serve several registries have it. */
function placesOf({ pathname }: URL): { root: string; prefix: string } {
  const path = pathname.replace(/\/+$/, '')
  const [, root = path, prefix = ''] = /^(.*)\/v2(?:\/(.+))?$/.exec(path) ?? []
  return { root, prefix }
}

/** Colons stay as they are, since some registries do not decode them. */
function encodeSegment(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':')
}

/** Several requests may wait for one token, so a signal ends the wait and not the fetch. */
function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise
  if (signal.aborted) {
    promise.catch(() => {})
    return Promise.reject(signal.reason)
  }
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', stop))
}
