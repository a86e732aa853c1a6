import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Puller } from '#registry/puller.ts'
import type { Referrers } from '#registry/referrers.ts'
import { getRepository, type RepositoryKey } from '#registry/repository.ts'
import { RemoteFailure, type RemoteRegistry } from '#remote/registry.ts'
import type { Arrivals } from './arrivals.ts'
import { ruleName } from './cache-rules.ts'
import type { Connect } from './connect.ts'
import { asRefusal } from './failure-refusals.ts'
import type { ImageImport } from './image-import.ts'
import { readPending } from './pending-manifests.ts'
import type { FailureScope, RecentFailures } from './recent-failures.ts'
import type { RememberedRules } from './remembered-rules.ts'
import { isFresh } from './rule-settings.ts'
import { findUpstream, type UpstreamRepository } from './upstream-name.ts'

/**
 * The referrers of images, with those that the upstream of a cached image has: signatures, SBOMs and the like. They are imported when a
 * client asks what refers to the image, and again when that answer is old.
 */
export interface CachedReferrerParts {
  readonly metadata: Metadata
  readonly clock: Clock
  /** Those that are here. */
  readonly referrers: Referrers
  readonly rules: RememberedRules
  readonly connect: Connect
  readonly arrivals: Arrivals
  readonly imageImport: ImageImport
  readonly failures: RecentFailures
}

/** So long a client waits for the import of what the upstream lists. What comes later is listed the next time. */
const patienceMs = 20_000
/** Referrers of one image that are imported. An upstream may list any number. */
const mostReferrers = 200
const atOnce = 4

export function createCachedReferrers(parts: CachedReferrerParts): Referrers {
  const { metadata, clock, referrers, rules, connect, arrivals, imageImport, failures } = parts
  const running = new Map<string, Promise<void>>()

  /** When the upstream was asked last; `undefined` for an image that a client pushed. */
  async function findChecked(repositoryId: number, subject: Digest): Promise<{ at: number | undefined } | undefined> {
    for (const table of ['cached_image', 'pending_manifest'] as const) {
      const row = await metadata.reader
        .selectFrom(table)
        .select('referrers_checked_at')
        .where('repository_id', '=', repositoryId)
        .where('digest', '=', subject)
        .executeTakeFirst()
      if (row !== undefined) return { at: row.referrers_checked_at ?? undefined }
    }
    return (await isImage(repositoryId, subject)) ? undefined : { at: undefined }
  }

  async function isImage(repositoryId: number, digest: Digest): Promise<boolean> {
    const row = await metadata.reader
      .selectFrom('manifest')
      .select('digest')
      .where('repository_id', '=', repositoryId)
      .where('digest', '=', digest)
      .executeTakeFirst()
    return row !== undefined
  }

  async function refresh(key: RepositoryKey, subject: Digest, by: Puller): Promise<void> {
    const upstream = findUpstream(await rules.find(key.registry), key.name)
    if (upstream === undefined) return
    const { id } = await getRepository(metadata.reader, key)
    const checked = await findChecked(id, subject)
    if (checked === undefined) return
    if (checked.at !== undefined && isFresh(checked.at, upstream.rule.settings, clock())) return
    if (!(await by.may('ecr:BatchImportUpstreamImage'))) return
    const scope = { rule: ruleName(upstream.rule), about: `${key.name}@${subject} referrers` }
    try {
      const recent = failures.find(scope)
      if (recent === 'absent') return
      if (recent instanceof RemoteFailure) throw recent
      await once(scope.about + scope.rule, () =>
        importAll({ key, repositoryId: id, upstream, scope, subject, by: by.arn }),
      )
    } catch (error) {
      if (error instanceof RemoteFailure) failures.remember(scope, error)
      // A list that was complete before is served. One that never was would hide a signature.
      if (checked.at === undefined) throw asRefusal(error, key, upstream)
    }
  }

  /** All requests of this process that wait for the same list share it. */
  function once(key: string, work: () => Promise<void>): Promise<void> {
    const present = running.get(key)
    if (present !== undefined) return present
    const started = work().finally(() => running.delete(key))
    running.set(key, started)
    return started
  }

  async function importAll(listing: Listing): Promise<void> {
    const { upstream, scope, subject, repositoryId } = listing
    const signal = AbortSignal.timeout(patienceMs)
    const remote = await connect(upstream.rule)
    const listed = await remote.listReferrers(upstream.upstreamName, subject, { signal })
    const wanted = listed.slice(0, mostReferrers).map(({ digest }) => digest)
    const lanes = Array.from({ length: atOnce }, async () => {
      for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
        await importOne(listing, remote, next, signal)
      }
    })
    await Promise.all(lanes)
    const isHere = await recordCheck(repositoryId, subject)
    // The time of this answer has no row. Clients that repeat the question must not use up the limit of the upstream.
    if (!isHere) failures.remember(scope, 'absent')
  }

  /** An image that is pending becomes a cached one, and keeps the time. False for an image that is neither. */
  async function recordCheck(repositoryId: number, subject: Digest): Promise<boolean> {
    return metadata.transaction(async (trx) => {
      let isHere = false
      for (const table of ['pending_manifest', 'cached_image'] as const) {
        const { numUpdatedRows } = await trx
          .updateTable(table)
          .set({ referrers_checked_at: clock() })
          .where('repository_id', '=', repositoryId)
          .where('digest', '=', subject)
          .executeTakeFirst()
        isHere ||= numUpdatedRows > 0n
      }
      return isHere
    })
  }

  async function importOne(
    { key, repositoryId, upstream, by }: Listing,
    remote: RemoteRegistry,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<void> {
    if (await isImage(repositoryId, digest)) return
    let waiting = await readPending(metadata.reader, repositoryId, digest)
    if (waiting === undefined) {
      const found = await remote.getManifest(upstream.upstreamName, digest, { signal })
      // A list may name what is gone.
      if (found === undefined) return
      await arrivals.take(key, { upstream, remote: found, by })
      waiting = await readPending(metadata.reader, repositoryId, digest)
    }
    if (waiting !== undefined) await imageImport.bring({ key, repositoryId, upstream, signal }, waiting)
  }

  return {
    async list(key, subject, request, by) {
      // Further pages go on with what the first one brought.
      if (request.after === undefined) await refresh(key, subject, by)
      return referrers.list(key, subject, request, by)
    },
  }
}

interface Listing {
  readonly key: RepositoryKey
  readonly repositoryId: number
  readonly upstream: UpstreamRepository
  readonly scope: FailureScope
  readonly subject: Digest
  readonly by: string
}
