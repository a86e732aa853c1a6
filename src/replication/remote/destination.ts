import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import { inLanes } from '#lib/in-lanes.ts'
import type { Refusal } from '#lib/refusal.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Peer } from '#names/peer.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { Tag } from '#names/tag.ts'
import type { LinkedBlobs } from '#registry/linked-blobs.ts'
import { type PeerRegistry, type PeerRemotes, RemoteFailure } from '#remote/registry.ts'
import type { Destination, Inspection, Outcome } from '#replication/destination.ts'
import type { ReplicationItem } from '#replication/item.ts'
import { registryText } from '#replication/rules.ts'
import { noteReached, noteSent } from '#replication/settling.ts'
import { HoursOver } from './blob-sender.ts'
import { createBlobTurns } from './blob-turns.ts'
import { addressOf } from './connection.ts'
import { closedUntil } from './hours.ts'
import { createImageSender, type ImageSender, type ImageSenderParts } from './image-sender.ts'
import { findMountSource } from './mounts.ts'
import { outcomeOf } from './outcome.ts'
import { createSourceImages } from './source-images.ts'
import { createThrottle } from './throttle.ts'
import { createKeptUploads } from './uploads.ts'

/** Registries of other deployments, which the file of peers names. */
export interface RemoteDestinationParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly peers: readonly Peer[]
  readonly remotes: PeerRemotes
  readonly linkedBlobs: Pick<LinkedBlobs, 'open'>
  /** What the status of an item says of a refusal at the source. */
  readonly describe: (refusal: Refusal) => { readonly code: string; readonly reason: string }
}

/** `undefined` for a registry that no peer has. */
export type FindRemoteDestination = (source: Registry, destination: Registry) => Destination | undefined

/** Images that are sent at once. */
const lanes = 8
const asksAtOnce = 8
const mostSuspects = 1_000

export function createFindRemoteDestination(parts: RemoteDestinationParts): FindRemoteDestination {
  const { metadata, clock, peers, remotes, linkedBlobs } = parts
  const sourceImages = createSourceImages({ metadata })
  const byRegistry = new Map(
    peers.flatMap((peer) => {
      // All that is sent to a peer shares its bandwidth.
      const throttle = createThrottle({ bytesPerSecond: peer.bytesPerSecond, clock })
      return peer.registries.map((registry) => [registryText(registry), { peer, throttle }] as const)
    }),
  )
  const made = new Map<string, Destination>()
  const suspects = new BoundedMap<Digest, true>(mostSuspects)

  function make(source: Registry, destination: Registry): Destination | undefined {
    const found = byRegistry.get(registryText(destination))
    if (found === undefined) return undefined
    const { peer, throttle } = found
    const remote = remotes.connect(addressOf(peer, source, destination))
    const isClosed = (now: number) => closedUntil(peer.hours, now)
    const findMount: ImageSenderParts['findMount'] = ({ repositoryId }, digest) =>
      findMountSource(metadata.reader, { source, destination, repositoryId, digest })
    const sender = createImageSender({
      ...{ sourceImages, linkedBlobs, peer: remote, kind: peer.kind },
      blobs: {
        ...{ peer: remote, throttle, clock, closedUntil: isClosed, chunkBytes: chunkBytesOf(peer), suspects },
        onReached: () => metadata.transaction((trx) => noteReached(trx, { source, destination })),
        uploads: createKeptUploads({ metadata, clock }, destination),
      },
      turns: createBlobTurns({ mountsFromImages: peer.kind !== 'registry' }),
      findMount,
    })
    return destinationOf(parts, { peer, remote, sender, findMount, isClosed })
  }

  return (source, destination) => {
    const name = `${registryText(source)} ${registryText(destination)}`
    const found = made.get(name) ?? make(source, destination)
    if (found !== undefined) made.set(name, found)
    return found
  }
}

const mebibyte = 1024 * 1024
const largestChunk = 16 * mebibyte
/** Of ECR, but for the last one (ECR user guide, "Amazon ECR service quotas"). */
const smallestChunk = 5 * mebibyte
const chunkSeconds = 10

/** A chunk of a slow peer is smaller, so that transfers pause soon after the hours of the peer. */
function chunkBytesOf({ bytesPerSecond = largestChunk }: Peer): number {
  return Math.min(largestChunk, Math.max(smallestChunk, Math.floor(bytesPerSecond * chunkSeconds)))
}

interface Connected {
  readonly peer: Peer
  readonly remote: PeerRegistry
  readonly sender: ImageSender
  readonly findMount: ImageSenderParts['findMount']
  readonly isClosed: (now: number) => number | undefined
}

function destinationOf(
  { metadata, describe }: RemoteDestinationParts,
  { peer, remote, sender, findMount, isClosed }: Connected,
): Destination {
  return {
    leaseKey: `replication to peer ${peer.name}`,
    lanes,
    batch: 1,
    closedUntil: isClosed,

    async replicate(items, settle, { signal }) {
      for (const item of items) {
        const settleAs = (outcome: Outcome) => metadata.transaction((trx) => settle(trx, item, outcome))
        const sent = { bytes: 0 }
        const settleSent = (result: 'complete' | 'gone') =>
          settleAs(result === 'gone' ? { kind: 'gone' } : { kind: 'complete', bytes: sent.bytes })
        try {
          await withRepository({ peer, remote }, item, () => sender.send(item, { signal, sent, settle: settleSent }))
        } catch (error) {
          const route = { source: item.source.registry, destination: item.destination }
          if (sent.bytes > 0) await metadata.transaction((trx) => noteSent(trx, route, sent.bytes))
          // Both leave the item as it is, due at once.
          if (error instanceof HoursOver || signal.aborted) return
          await settleAs(outcomeOf(error, describe))
        }
      }
    },

    async inspect(name, { digests, tags }, { signal }) {
      const images = new Map<Digest, 'present' | 'archived' | 'absent' | 'deleted'>()
      const targets = new Map<Tag, Digest | 'absent' | 'deleted'>()
      await inLanes(digests, asksAtOnce, async (digest) => {
        const { state } = await inspect(remote, name, digest, signal)
        images.set(digest, state)
      })
      await inLanes(tags, asksAtOnce, async (tag) => {
        const { state, digest } = await inspect(remote, name, tag, signal)
        targets.set(tag, digest ?? (state === 'deleted' ? 'deleted' : 'absent'))
      })
      return { images, tags: targets } satisfies Inspection
    },

    async missingBlobs({ id, name }, digests, { signal }) {
      const missing = new Set<Digest>()
      await inLanes(digests, asksAtOnce, async (digest) => {
        if (await remote.hasBlob(name, digest, { signal })) return
        // ECR mounts only where its account setting `BLOB_MOUNTING` says so.
        const mount = peer.kind === 'ecr' ? undefined : await findMount({ repositoryId: id }, digest)
        if (mount === undefined) missing.add(digest)
      })
      return missing
    },
  }
}

/** Amazon ECR creates no repository by itself, unless a template says so. Another Lading does, and its refusal stands. */
async function withRepository(
  { peer, remote: { ecr } }: Pick<Connected, 'peer' | 'remote'>,
  { source: { name } }: ReplicationItem,
  send: () => Promise<void>,
): Promise<void> {
  try {
    await send()
  } catch (error) {
    if (peer.kind !== 'ecr' || ecr === undefined || !(error instanceof RemoteFailure) || error.reason !== 'missing')
      throw error
    await ecr.createRepository(name)
    await send()
  }
}

async function inspect(remote: PeerRegistry, name: RepositoryName, reference: string, signal: AbortSignal) {
  const { head, headers } = await remote.inspectManifest(name, reference, { signal })
  const said = headers.get('lading-image')
  if (head === undefined) return { state: said === 'deleted' ? 'deleted' : 'absent', digest: undefined } as const
  return { state: said === 'archived' ? 'archived' : 'present', digest: head.digest } as const
}
