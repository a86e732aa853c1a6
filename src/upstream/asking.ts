import { setTimeout as delay } from 'node:timers/promises'
import type { Claims } from '#jobs/claims.ts'
import { enqueueIfNone } from '#jobs/queue.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import { lockRepository, type RepositoryKey } from '#registry/repository.ts'
import { RemoteFailure, type RemoteManifest, type RemoteRegistry } from '#remote/registry.ts'
import type { Arrivals } from './arrivals.ts'
import { ruleName } from './cache-rules.ts'
import type { Connect } from './connect.ts'
import { importImage } from './import-kind.ts'
import { markArriving, type PendingManifests, retryFailed } from './pending-manifests.ts'
import type { FailureScope, RecentFailures } from './recent-failures.ts'
import { recordTag, type TagStates } from './tag-state.ts'
import type { UpstreamRepository } from './upstream-name.ts'

/** Asking upstreams for manifests: once for all clients and processes that wait, and not again for seconds where it failed. */
export interface Asking {
  /**
   * What the upstream says of a tag is kept. `known` is what the tag is known to point to: then HEAD may do, which costs no rate limit.
   * `absent`: the upstream has no such tag.
   *
   * @throws RemoteFailure; Refusal of a repository that cannot be created, or of a quota
   */
  tag(ask: AskedTag): Promise<'kept' | 'absent'>
  /** Has the import of a manifest begin again, if it failed a while ago. */
  retry(key: RepositoryKey, digest: Digest): Promise<void>
  /** Fetches a manifest by digest, which is pending or an image afterwards. @throws as `tag` */
  digest(ask: AskedDigest): Promise<'kept' | 'absent'>
}

interface Asked {
  readonly key: RepositoryKey
  readonly upstream: UpstreamRepository
  /** The ARN of the principal that pulls. */
  readonly by: string
}

export interface AskedTag extends Asked {
  readonly tag: Tag
  readonly known: Digest | undefined
  /** When the tag was last checked, as the caller knows. A newer check by another process answers as well. */
  readonly checkedAt: number | undefined
}

export interface AskedDigest extends Asked {
  readonly digest: Digest
}

/** A manifest is small, so that one that takes longer is that of an upstream which sends it byte by byte. */
const longestAskMs = 60_000
/** After so long a pull has a failed import begin again. */
const retriedAfterMs = 10_000

/** So long a request waits for a rate limit to end, since clients take 429 as final. */
const longestHoldMs = 4_000

/** A time limit that passed is a failure of the upstream, too. */
function asFailure(error: unknown): RemoteFailure | undefined {
  if (error instanceof RemoteFailure) return error
  const isTimeout = error instanceof DOMException && error.name === 'TimeoutError'
  return isTimeout
    ? new RemoteFailure('unreachable', `The upstream registry did not send it within ${longestAskMs} ms`)
    : undefined
}

export function createAsking({
  metadata,
  clock,
  connect,
  claims,
  arrivals,
  tagStates,
  pending,
  hasImage,
  failures,
  onFailure,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly connect: Connect
  readonly claims: Claims
  readonly arrivals: Arrivals
  readonly tagStates: TagStates
  readonly pending: PendingManifests
  readonly hasImage: (key: RepositoryKey, digest: Digest) => Promise<boolean>
  readonly failures: RecentFailures
  readonly onFailure: (ask: Asked & { readonly tag?: Tag; readonly digest?: Digest }, failure: RemoteFailure) => void
}): Asking {
  /** Runs what asks an upstream, unless it failed a moment ago. */
  async function guarded(
    scope: FailureScope,
    report: (failure: RemoteFailure) => void,
    ask: () => Promise<'kept' | 'absent'>,
  ): Promise<'kept' | 'absent'> {
    const recent = failures.find(scope)
    if (recent === 'absent') return recent
    if (recent !== undefined) throw recent
    try {
      const answer = await ask()
      failures.forget(scope)
      if (answer === 'absent') failures.remember(scope, answer)
      return answer
    } catch (error) {
      const failure = asFailure(error)
      if (failure !== undefined) {
        failures.remember(scope, failure)
        report(failure)
      }
      throw failure ?? error
    }
  }

  async function askTag({ key, upstream, tag, known, by }: AskedTag): Promise<'kept' | 'absent'> {
    const remote = await connect(upstream.rule)
    const { upstreamName } = upstream
    const head =
      known === undefined
        ? undefined
        : await remote.headManifest(upstreamName, tag, { signal: AbortSignal.timeout(longestAskMs) })
    // The image stays although its tag is gone upstream.
    if (known !== undefined && (head === undefined || head.digest === known)) {
      await confirm(key, tag, known)
      return 'kept'
    }
    const found = await fetch(remote, upstreamName, head?.digest ?? tag)
    if (found === undefined) return 'absent'
    await arrivals.take(key, { upstream, remote: found, tag, by })
    return 'kept'
  }

  /** A manifest that still waits for its content is tried again, since the upstream answers. */
  async function confirm(key: RepositoryKey, tag: Tag, digest: Digest): Promise<void> {
    await metadata.transaction(async (trx) => {
      const { id } = await lockRepository(trx, key, 'shared')
      await recordTag(trx, id, tag, { digest, now: clock() })
      if (await markArriving(trx, id, digest)) {
        await enqueueIfNone(trx, importImage, { repositoryId: id, digest }, { at: clock() })
      }
    })
  }

  /** A short limit is waited for. */
  async function fetch(remote: RemoteRegistry, name: string, reference: string): Promise<RemoteManifest | undefined> {
    try {
      return await remote.getManifest(name, reference, { signal: AbortSignal.timeout(longestAskMs) })
    } catch (error) {
      const waitMs = error instanceof RemoteFailure && error.reason === 'limited' ? error.retryAfterMs : undefined
      if (waitMs === undefined || waitMs > longestHoldMs) throw error
      await delay(waitMs)
      return remote.getManifest(name, reference, { signal: AbortSignal.timeout(longestAskMs) })
    }
  }

  return {
    retry: (key, digest) =>
      metadata.transaction(async (trx) => {
        const { id } = await lockRepository(trx, key, 'shared')
        if (!(await retryFailed(trx, id, digest, clock() - retriedAfterMs))) return
        await enqueueIfNone(trx, importImage, { repositoryId: id, digest }, { at: clock() })
      }),

    tag(ask) {
      const { key, upstream, tag } = ask
      const scope = { rule: ruleName(upstream.rule), about: `${key.name}:${tag}` }
      const find = async () => {
        const { cached } = await tagStates.find(key, tag)
        return cached?.checkedAt === ask.checkedAt ? undefined : ('kept' as const)
      }
      return guarded(
        scope,
        (failure) => onFailure(ask, failure),
        () => claims.share(`tag ${scope.rule} ${scope.about}`, find, () => askTag(ask)),
      )
    },

    digest(ask) {
      const { key, upstream, digest, by } = ask
      const scope = { rule: ruleName(upstream.rule), about: `${key.name}@${digest}` }
      const find = async () =>
        (await pending.find(key, digest)) !== undefined || (await hasImage(key, digest)) ? ('kept' as const) : undefined
      const work = async () => {
        const found = await fetch(await connect(upstream.rule), upstream.upstreamName, digest)
        if (found === undefined) return 'absent' as const
        await arrivals.take(key, { upstream, remote: found, by })
        return 'kept' as const
      }
      return guarded(
        scope,
        (failure) => onFailure(ask, failure),
        () => claims.share(`digest ${scope.rule} ${scope.about}`, find, work),
      )
    },
  }
}
