import { Refusal } from '#lib/refusal.ts'
import type { Digest } from '#names/digest.ts'
import type { IncomingBlobs } from '#registry/incoming/incoming-blobs.ts'
import type { BlobSource } from '#registry/incoming/source.ts'
import type { LinkedBlobs } from '#registry/linked-blobs.ts'
import type { Puller } from '#registry/puller.ts'
import type { ContentRefusals, LayerRefusals } from '#registry/refusals.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import { RemoteFailure } from '#remote/registry.ts'
import type { Connect } from './connect.ts'
import { asRefusal } from './failure-refusals.ts'
import type { PendingManifests } from './pending-manifests.ts'
import { refuse } from './refusals.ts'
import type { RememberedRules } from './remembered-rules.ts'
import { findUpstream, type UpstreamRepository } from './upstream-name.ts'

/**
 * The blobs of a registry, with those of its upstreams: a blob that is not here is fetched once for all who want it, and sent to them
 * while it arrives. Clients are never redirected to an upstream.
 */
export interface CachedBlobParts {
  /** The blobs that are here. */
  readonly linkedBlobs: LinkedBlobs
  readonly incoming: IncomingBlobs
  readonly rules: RememberedRules
  readonly pending: PendingManifests
  readonly connect: Connect
}

type BlobReader = Awaited<ReturnType<LinkedBlobs['open']>>

interface Wanted {
  readonly upstream: UpstreamRepository
  readonly sizeBytes: number | undefined
}

export function createCachedBlobs({ linkedBlobs, incoming, rules, pending, connect }: CachedBlobParts): LinkedBlobs {
  /** Where a blob that is not here comes from; nothing where the caller may not have it fetched. */
  async function findWanted(key: RepositoryKey, digest: Digest, by: Puller): Promise<Wanted | undefined> {
    const upstream = findUpstream(await rules.find(key.registry), key.name)
    if (upstream === undefined) return undefined
    // The caller who pulled the manifest was allowed to import what it refers to.
    const awaited = await pending.findBlob(key, digest)
    if (awaited !== undefined) return { upstream, ...awaited }
    return (await by.may('ecr:BatchImportUpstreamImage')) ? { upstream, sizeBytes: undefined } : undefined
  }

  async function open(key: RepositoryKey, digest: Digest, { upstream, sizeBytes }: Wanted): Promise<BlobReader> {
    try {
      return await incoming.open(key, { digest, sizeBytes }, sourceOf(connect, upstream, digest))
    } catch (error) {
      if (error instanceof AbsentUpstream) throw refuseAbsent(key, digest)
      throw asRefusal(error, key, upstream)
    }
  }

  return {
    ...linkedBlobs,

    async stat(key, digest, by) {
      try {
        return await linkedBlobs.stat(key, digest, by)
      } catch (error) {
        if (!isMissing(error)) throw error
        const wanted = await findWanted(key, digest, by)
        if (wanted?.sizeBytes !== undefined) return { sizeBytes: wanted.sizeBytes }
        throw error
      }
    },

    async open(key, digest, by) {
      try {
        return await linkedBlobs.open(key, digest, by)
      } catch (error) {
        if (!isMissing(error)) throw error
        const wanted = await findWanted(key, digest, by)
        if (wanted === undefined) throw error
        return open(key, digest, wanted)
      }
    },

    async requireReferenced(key, digest, by) {
      try {
        return await linkedBlobs.requireReferenced(key, digest, by)
      } catch (error) {
        const inaccessible =
          error instanceof Refusal && error.code === ('BlobInaccessible' satisfies keyof LayerRefusals)
        if (!isMissing(error) && !inaccessible) throw error
        const wanted = await findWanted(key, digest, by)
        if (wanted?.sizeBytes === undefined) throw error
        // The layer begins to arrive before the client asks for it by the link, and a failure reaches the caller here.
        const reader = await open(key, digest, wanted)
        await reader.close()
      }
    },
  }
}

/** A blob of an upstream as a transfer asks for it. */
export function sourceOf(connect: Connect, { rule, upstreamName }: UpstreamRepository, digest: Digest): BlobSource {
  return async (offset, signal) => {
    const remote = await connect(rule)
    const blob = await remote.openBlob(upstreamName, digest, { offset, signal })
    if (blob === undefined) throw new AbsentUpstream()
    return blob
  }
}

/** The upstream does not have a blob that its own manifest refers to. */
export class AbsentUpstream extends RemoteFailure {
  constructor() {
    super('invalid', 'The upstream registry does not have this content')
  }
}

function refuseAbsent(key: RepositoryKey, digest: Digest): Refusal {
  return refuse('UpstreamBlobMissing', { ...inRepository(key), digest })
}

function isMissing(error: unknown): error is Refusal {
  if (!(error instanceof Refusal)) return false
  return (
    error.code === ('BlobNotFound' satisfies keyof ContentRefusals) ||
    error.code === ('RepositoryNotFound' satisfies keyof ContentRefusals)
  )
}
