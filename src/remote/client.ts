// Requests to one registry, signed in. What they ask for and how it is proved stands in `manifests.ts`, `blobs.ts` and
// `referrers.ts`.

import type { Clock } from '#lib/clock.ts'
import type { Authorize } from './authorization.ts'
import { failureOfAnswer } from './failures.ts'
import { rateLimitOf } from './rate-limit.ts'
import type { Answered, Send } from './redirects.ts'
import { RemoteFailure, type RemoteHooks } from './registry.ts'

export interface Client {
  /** The answer, unless it is a refusal. @throws RemoteFailure */
  ask(request: ClientRequest): Promise<Answered>
  /** Where a path of the distribution API stands. */
  urlOf(repository: string, kind: 'manifests' | 'blobs' | 'referrers', reference: string): URL
  readonly clock: Clock
}

export interface ClientRequest {
  readonly method: 'GET' | 'HEAD'
  readonly url: URL
  /** `undefined` for what belongs to no repository. */
  readonly repository: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
  /** Further statuses, beside 200, that the caller understands. */
  readonly statuses?: readonly number[]
}

export interface ClientParts {
  readonly base: URL
  readonly send: Send
  readonly authorize: Authorize
  readonly clock: Clock
  readonly hooks: RemoteHooks
}

export function createClient({ base, send, authorize, clock, hooks }: ClientParts): Client {
  const { root, prefix } = placesOf(base)
  const nameOf = (repository: string) => (prefix === '' ? repository : `${prefix}/${repository}`)

  return {
    clock,
    urlOf(repository, kind, reference) {
      const segments = [...nameOf(repository).split('/'), kind, reference]
      if (segments.some((each) => each === '' || each === '.' || each === '..')) {
        throw new RemoteFailure('invalid', 'a name has an empty part')
      }
      const url = new URL(base.origin)
      url.pathname = `${root}/v2/${segments.map(encodeSegment).join('/')}`
      return url
    },
    async ask({ repository, statuses = [], ...request }) {
      const scope = repository === undefined ? undefined : `repository:${nameOf(repository)}:pull`
      let attempt = await untilAborted(authorize(scope), request.signal)
      for (let tries = 1; ; tries++) {
        const answer = await send({ ...request, authorization: attempt.header })
        if (answer.atOrigin) report(answer)
        if (answer.status === 200 || statuses.includes(answer.status)) return answer
        await answer.discard()
        if (answer.status !== 401 || !answer.atOrigin || tries === mostTries) throw failureOfAnswer(answer, clock())
        attempt = await untilAborted(attempt.next(answer.headers.get('www-authenticate')), request.signal)
      }
    },
  }

  function report(answer: Answered): void {
    const limit = rateLimitOf(answer, clock())
    if (limit !== undefined) hooks.onRateLimit?.(limit)
  }
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
