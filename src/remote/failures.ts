import { parseRetryAfter } from './rate-limit.ts'
import type { Answered } from './redirects.ts'
import { RemoteFailure } from './registry.ts'

/** What an answer means that is none of those that the caller understands. */
export function failureOfAnswer({ status, headers, atOrigin }: Answered, now: number): RemoteFailure {
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), now)
  if (status === 429) return new RemoteFailure('limited', 'it receives too many requests', { retryAfterMs })
  if (status >= 500) return new RemoteFailure('unreachable', `it answers ${status}`, { retryAfterMs })
  if (!atOrigin) return new RemoteFailure('unreachable', `the server that it redirects to answers ${status}`)
  if (status === 401) return new RemoteFailure('unauthorized', 'it asks for credentials')
  if (status === 403) return new RemoteFailure('forbidden', 'it forbids this')
  return new RemoteFailure('invalid', `it answers ${status}`)
}

/** The same failure, with the registry's name before its message. */
export function named(host: string, error: unknown): unknown {
  if (!(error instanceof RemoteFailure)) return error
  const { reason, message, retryAfterMs, said } = error
  return new RemoteFailure(reason, `${host}: ${message}`, { cause: error.cause ?? error, retryAfterMs, said })
}
