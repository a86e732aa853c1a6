import type { Clock } from '#lib/clock.ts'
import { inLanes } from '#lib/in-lanes.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { IncomingBlobs } from '#registry/incoming/incoming-blobs.ts'
import { parseManifest } from '#registry/manifest.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { RemoteFailure } from '#remote/registry.ts'
import type { Arrivals } from './arrivals.ts'
import type { Budgets } from './budget.ts'
import { sourceOf } from './cached-blobs.ts'
import type { Connect } from './connect.ts'
import { type PendingManifest, readPending, readReferences } from './pending-manifests.ts'
import { findTagsFor } from './tag-state.ts'
import type { UpstreamRepository } from './upstream-name.ts'

/**
 * Brings what a pending manifest refers to, children before their index, and then makes images of them. Clients may ask for the same
 * content meanwhile: each blob has one transfer for all.
 */
export interface ImageImport {
  /**
   * Returns the tags that point to the image now.
   *
   * @throws RemoteFailure; BudgetSpent; Refusal as `ImagePush.put`
   */
  bring(importing: Importing, pending: PendingManifest): Promise<readonly Tag[]>
}

export interface Importing {
  readonly key: RepositoryKey
  readonly repositoryId: number
  readonly upstream: UpstreamRepository
  readonly signal: AbortSignal
}

/** The upstream's rate limit leaves nothing for work that no client waits for. */
export class BudgetSpent extends Error {
  readonly until: number

  constructor(until: number) {
    super('the rate limit of the upstream is nearly used up')
    this.until = until
  }
}

/** Of a manifest, which is small. */
const longestAskMs = 60_000
/** Blobs that an import fetches at once. */
const blobsAtOnce = 3
/** An index may refer to indexes. Deeper ones are no images that a client can pull. */
const deepest = 5

interface Child {
  /** The ARN of the principal that pulled the index. */
  readonly by: string
  readonly depth: number
}

export interface ImageImportParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly connect: Connect
  readonly incoming: IncomingBlobs
  readonly arrivals: Arrivals
  readonly budgets: Budgets
}

export function createImageImport({
  metadata,
  clock,
  connect,
  incoming,
  arrivals,
  budgets,
}: ImageImportParts): ImageImport {
  async function importOne(importing: Importing, pending: PendingManifest, depth: number): Promise<Tag[]> {
    const { key, repositoryId, upstream, signal } = importing
    const references = await readReferences(metadata.reader, repositoryId, pending.digest)
    for (const { digest, kind } of references) {
      signal.throwIfAborted()
      if (kind === 'manifest') await importChild(importing, digest, { by: pending.by, depth: depth + 1 })
    }
    const blobs = references.filter(({ kind }) => kind === 'config' || kind === 'layer')
    await inLanes(blobs, blobsAtOnce, async ({ digest, sizeBytes }) => {
      signal.throwIfAborted()
      if (await isLinked(repositoryId, digest)) return
      await incoming.store(key, { digest, sizeBytes }, sourceOf(connect, upstream, digest), { signal })
    })
    const { digest, body, mediaType, upstreamName, by } = pending
    const manifest = parseManifest(body, mediaType)
    const arrived = { digest, body, manifest, rule: upstream.rule, upstreamName, by }
    const tags = await findTagsFor(metadata.reader, repositoryId, digest)
    const isAsked = depth === 0
    for (const tag of tags.length === 0 ? [undefined] : tags) await arrivals.store(key, arrived, { tag, isAsked })
    return tags
  }

  async function importChild(importing: Importing, digest: Digest, { by, depth }: Child): Promise<void> {
    const { key, repositoryId, upstream, signal } = importing
    if (await isImage(repositoryId, digest)) return
    if (depth > deepest) throw new RemoteFailure('invalid', 'The index of the upstream registry is nested too deeply')
    let child = await readPending(metadata.reader, repositoryId, digest)
    if (child === undefined) {
      const from = await budgets.unaskedFrom(upstream.rule)
      if (from > clock()) throw new BudgetSpent(from)
      const remote = await (await connect(upstream.rule)).getManifest(upstream.upstreamName, digest, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(longestAskMs)]),
      })
      if (remote === undefined) {
        throw new RemoteFailure('invalid', `The upstream registry does not have ${digest}, to which its index refers`)
      }
      await arrivals.keep(key, { upstream, remote, by })
      child = await readPending(metadata.reader, repositoryId, digest)
      // A client's push was quicker.
      if (child === undefined) return
    }
    await importOne(importing, child, depth)
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

  async function isLinked(repositoryId: number, digest: Digest): Promise<boolean> {
    const row = await metadata.reader
      .selectFrom('repository_blob')
      .innerJoin('blob', 'blob.digest', 'repository_blob.digest')
      .select('blob.digest')
      .where('repository_blob.repository_id', '=', repositoryId)
      .where('repository_blob.digest', '=', digest)
      .where('blob.quarantined_at', 'is', null)
      .executeTakeFirst()
    return row !== undefined
  }

  return { bring: (importing, pending) => importOne(importing, pending, 0) }
}
