import { inLanes } from '#lib/in-lanes.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Digest } from '#names/digest.ts'
import type { LinkedBlobs } from '#registry/linked-blobs.ts'
import type { Puller } from '#registry/puller.ts'
import type { ContentRefusals } from '#registry/refusals.ts'
import { type PeerRegistry, RemoteFailure } from '#remote/registry.ts'
import type { ReplicationItem } from '#replication/item.ts'
import { type BlobSenderParts, type SentBytes, SentElsewhere, SourceDamaged, sendBlob } from './blob-sender.ts'
import type { BlobTurns, ImageTurns } from './blob-turns.ts'
import { goesOnSoon } from './outcome.ts'
import { planSends, type SendPlan } from './plan.ts'
import type { SourceImages, SourceManifest } from './source-images.ts'

/** Sends one image to a peer: what it needs first, its manifests by digest, and its tags last. */
export interface ImageSender {
  /**
   * Settles as `gone` where the source does not have the image. `settle` runs before other images may mount what this one sent.
   *
   * @throws RemoteFailure; HoursOver; SourceDamaged; SentElsewhere
   */
  send(item: ReplicationItem, options: SendOptions): Promise<void>
}

export interface SendOptions {
  readonly signal: AbortSignal
  readonly sent: SentBytes
  readonly settle: (result: 'complete' | 'gone') => Promise<void>
}

export interface ImageSenderParts {
  readonly sourceImages: SourceImages
  readonly linkedBlobs: Pick<LinkedBlobs, 'open'>
  readonly peer: PeerRegistry
  readonly kind: 'lading' | 'ecr' | 'registry'
  readonly blobs: BlobSenderParts
  readonly turns: BlobTurns
  readonly findMount: (
    item: Pick<ReplicationItem, 'repositoryId'>,
    digest: Digest,
  ) => ReturnType<Parameters<typeof sendBlob>[1]['findMount']>
}

const blobsAtOnce = 4
const headsAtOnce = 4

/** Replication reads its own source, and no pull is recorded. */
const asService: Puller = { arn: '', identityArn: '', may: async () => false }

interface Planned {
  readonly graph: Graph
  readonly plan: SendPlan
  readonly sent: SentBytes
  readonly settle: SendOptions['settle']
}

type Graph = ReadonlyMap<Digest, SourceManifest>

export function createImageSender(parts: ImageSenderParts): ImageSender {
  const { sourceImages, linkedBlobs, peer, kind, blobs, turns, findMount } = parts

  /** Those of the graph that the peer has. What is below one of them is not asked for. */
  async function findPresent(item: ReplicationItem, graph: Graph, signal: AbortSignal): Promise<ReadonlySet<Digest>> {
    const { name } = item.source
    const has = async (digest: Digest) => (await peer.headManifest(name, digest, { signal })) !== undefined
    if (await has(item.digest)) return new Set([item.digest])
    const present = new Set<Digest>()
    const others = [...graph.keys()].filter((digest) => digest !== item.digest)
    await inLanes(others, headsAtOnce, async (digest) => {
      if (await has(digest)) present.add(digest)
    })
    return present
  }

  async function putManifest(
    item: ReplicationItem,
    graph: Graph,
    { digest, tag, pushedAt }: { readonly digest: Digest; readonly tag?: string; readonly pushedAt: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { name } = item.source
    const manifest = graph.get(digest)
    if (manifest === undefined) return
    const { mediaType, body } = manifest
    await blobs.throttle.spend(body.byteLength, signal)
    if (kind === 'ecr' && peer.ecr !== undefined) {
      return peer.ecr.putImage(name, { digest, mediaType, body, ...(tag !== undefined && { tag }) }, { signal })
    }
    const headers = kind === 'lading' ? { 'lading-pushed-at': String(pushedAt) } : {}
    await peer.putManifest(name, tag ?? digest, { mediaType, body }, { signal, headers })
  }

  async function putTags(item: ReplicationItem, graph: Graph, signal: AbortSignal): Promise<void> {
    for (const { tag, pushedAt } of item.tags) {
      // Another Lading compares the times of pushes. Elsewhere a tag that moved on meanwhile must not move back.
      const isOld = kind !== 'lading' && (await sourceImages.findTarget(item.repositoryId, tag)) !== item.digest
      if (isOld) continue
      try {
        await putManifest(item, graph, { digest: item.digest, tag, pushedAt }, signal)
      } catch (error) {
        // A tag that is taken stays: the image arrives without it (ECR user guide, "Private image replication").
        if (!(error instanceof RemoteFailure) || error.reason !== 'immutable') throw error
      }
    }
  }

  async function openBlob({ source }: ReplicationItem, digest: Digest) {
    try {
      return await linkedBlobs.open(source, digest, asService)
    } catch (cause) {
      const isMissing = cause instanceof Refusal && cause.code === ('BlobNotFound' satisfies keyof ContentRefusals)
      throw isMissing ? new SourceDamaged(`The content of the layer ${digest} is missing here`, { cause }) : cause
    }
  }

  async function requireHere({ source }: ReplicationItem, digests: readonly Digest[]): Promise<void> {
    // A registry by the distribution API mounts what no image needs yet.
    if (kind !== 'registry' && (await blobs.uploads.isElsewhere(source.name, digests))) throw new SentElsewhere()
  }

  async function sendBlobs(
    item: ReplicationItem,
    digests: readonly Digest[],
    { turns, sent }: Pick<Planned, 'sent'> & { readonly turns: ImageTurns },
    signal: AbortSignal,
  ): Promise<void> {
    await inLanes(digests, blobsAtOnce, async (digest) => {
      await turns.wait(digest, signal)
      await requireHere(item, digests)
      await sendBlob(blobs, {
        ...{ name: item.source.name, digest, signal, sent },
        open: () => openBlob(item, digest),
        findMount: () => findMount(item, digest),
      })
      turns.sent(digest)
    })
  }

  async function sendPlan(
    item: ReplicationItem,
    { graph, plan, sent, settle }: Planned,
    signal: AbortSignal,
  ): Promise<void> {
    await requireHere(item, plan.blobs)
    using own = turns.enter(item.source.name, plan.blobs)
    await sendBlobs(item, plan.blobs, { turns: own, sent }, signal)
    const { pushedAt } = item
    // Another Lading takes image and tag in one push, also where the tag is taken. One that is there may be archived, and comes back by it.
    const byTag = kind === 'lading' && item.tags.length > 0
    const below = plan.manifests.filter((digest) => digest !== item.digest)
    for (const digest of byTag ? below : [...below, item.digest]) {
      await putManifest(item, graph, { digest, pushedAt }, signal)
    }
    await putTags(item, graph, signal)
    await settle('complete')
    await blobs.uploads.drop(item.source.name, plan.blobs)
  }

  return {
    async send(item, { signal, sent, settle }) {
      const graph = await sourceImages.read(item.repositoryId, item.digest)
      if (graph === undefined) return settle('gone')
      const plan = planSends(item.digest, graph, await findPresent(item, graph, signal))
      try {
        await sendPlan(item, { graph, plan, sent, settle }, signal)
      } catch (error) {
        // Images that need the same blobs do not wait for one that is not there soon.
        if (!goesOnSoon(error)) await blobs.uploads.drop(item.source.name, plan.blobs)
        throw error
      }
    },
  }
}
