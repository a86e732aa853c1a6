import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import { RemoteFailure } from '#remote/registry.ts'
import { refuse } from './refusals.ts'
import type { UpstreamRepository } from './upstream-name.ts'

/** What a client is to know of a failure upstream. Any other error is as it is. */
export function asRefusal(error: unknown, key: RepositoryKey, { rule }: UpstreamRepository): unknown {
  if (!(error instanceof RemoteFailure)) return error
  const facts = { ...inRepository(key), upstreamUrl: rule.upstreamUrl, reason: error.message }
  switch (error.reason) {
    case 'limited':
      return refuse('UpstreamLimited', { ...facts, retryAfterMs: error.retryAfterMs })
    case 'unauthorized':
    case 'forbidden':
      return refuse('UpstreamDenied', { ...facts, isLogin: error.reason === 'unauthorized' })
    case 'unreachable':
    case 'invalid':
    case 'blocked':
    case 'missing':
    case 'immutable':
    case 'upload':
      return refuse('UpstreamUnavailable', facts)
  }
}
