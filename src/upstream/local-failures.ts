import type { NotAllowed, Verdict } from '#iam/policy/evaluate.ts'
import { Refusal } from '#lib/refusal.ts'
import type { ContentRefusals } from '#registry/refusals.ts'
import { RemoteFailure } from '#remote/registry.ts'
import type { UpstreamContentRefusals } from './refusals.ts'

type Missing = Extract<keyof ContentRefusals | keyof UpstreamContentRefusals, string>

const missing: ReadonlySet<string> = new Set<Missing>([
  'RepositoryNotFound',
  'ImageNotFound',
  'ImageArchived',
  'BlobNotFound',
  'UpstreamBlobMissing',
])

/** `undefined` where the registry does not have it. @throws RemoteFailure for any other refusal */
export async function presentOrMissing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (missing.has(error.code)) return undefined
    throw failureOfCache(error)
  }
}

/** The registry is a cache itself. What its own upstream is does not concern the callers of another registry. */
function failureOfCache(error: Refusal): RemoteFailure {
  switch (error.code as keyof UpstreamContentRefusals) {
    case 'UpstreamLimited': {
      // Facts fit their code.
      const { retryAfterMs } = error.facts as UpstreamContentRefusals['UpstreamLimited']
      return new RemoteFailure('limited', 'Its own upstream registry limits the rate of requests', { retryAfterMs })
    }
    case 'UpstreamDenied':
    case 'UpstreamCredentialsUnusable':
      return new RemoteFailure('forbidden', 'Its own upstream registry denies access', { cause: error })
    default:
      return new RemoteFailure('unreachable', 'It is a cache, and cannot fetch the image now', { cause: error })
  }
}

/** What a denial says to the caller that pulls: the action, and where it has to be allowed. It names no policy. */
export function denial(action: string, resource: string, verdict: Exclude<Verdict, { allowed: true }>): RemoteFailure {
  const about = resource === '*' ? action : `${action} on ${resource}`
  return new RemoteFailure('forbidden', `The pull through cache may not perform ${about}: ${reasonOf(verdict)}`)
}

function reasonOf(verdict: Exclude<Verdict, { allowed: true }>): string {
  if (verdict.reason === 'explicit deny') return 'a policy denies it'
  if (verdict.reason === 'too many steps') return 'the policies take too many steps to evaluate'
  return missingAllowance[verdict.type]
}

const missingAllowance = {
  'identity-based policy': "no policy of the rule's role allows it",
  'resource-based policy': 'no policy of the upstream repository or registry allows it to the role or to its account',
  'permissions boundary': "the permissions boundary of the rule's role does not allow it",
  'session policy': "no policy of the rule's role allows it",
} as const satisfies Record<NotAllowed['type'], string>
