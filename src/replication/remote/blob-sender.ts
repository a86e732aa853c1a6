import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '#lib/clock.ts'
import { type Digest, digestAlgorithm, digestOf } from '#names/digest.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { LinkedBlobs } from '#registry/linked-blobs.ts'
import { type PeerRegistry, RemoteFailure, type RemoteUpload } from '#remote/registry.ts'
import type { Throttle } from './throttle.ts'
import type { KeptUploads } from './uploads.ts'

type BlobReader = Awaited<ReturnType<LinkedBlobs['open']>>

/** The peer's hours are over. What was sent stays, and goes on when they begin again. */
export class HoursOver extends Error {
  override readonly name = 'HoursOver'
}

/** The source has the blob no more as it was pushed. The next push of the blob heals it. */
export class SourceDamaged extends Error {
  override readonly name = 'SourceDamaged'
}

/**
 * An image of another repository sends the same blob and failed before it was there. It goes first, and this one mounts the blob after it.
 * This one leaves its lane, which the other may need.
 */
export class SentElsewhere extends Error {
  override readonly name = 'SentElsewhere'
}

export interface BlobSending {
  readonly name: RepositoryName
  readonly digest: Digest
  readonly open: () => Promise<BlobReader>
  /** A repository of the peer that has the blob. */
  readonly findMount: () => Promise<RepositoryName | undefined>
  readonly signal: AbortSignal
  /** Counts what arrived, also of a blob that is not whole yet. */
  readonly sent: SentBytes
}

export interface SentBytes {
  bytes: number
}

export interface BlobSenderParts {
  readonly peer: PeerRegistry
  readonly uploads: KeptUploads
  readonly throttle: Throttle
  readonly clock: Clock
  readonly closedUntil: (now: number) => number | undefined
  /** What the peer has acknowledged of a chunk is not sent again. */
  readonly chunkBytes: number
  /** Blobs of which a peer refused the bytes. */
  readonly suspects: Map<Digest, true>
  /** Hears that bytes of a blob arrived which is not whole yet. */
  readonly onReached: () => Promise<void>
}

/** Breaks in a row without a byte that arrived. A peer may still write what it received before the connection broke. */
const mostBreaks = 10
const lookAgainMs = 300
/** Looks at an upload that shows nothing of what was just sent. */
const mostLooks = 5
/** Distribution 2.8 ends an upload with the connection that breaks. Each new one sends all bytes again. */
const mostRestarts = 3

/**
 * Brings a blob to the peer: not at all if it is there, by a mount if another repository has it, or else by an upload that goes on where it
 * broke. The row of its upload stays until the image is settled: the next process learns from it which
 * repository of the peer has the blob.
 *
 * @throws RemoteFailure; HoursOver
 */
export async function sendBlob(parts: BlobSenderParts, sending: BlobSending): Promise<void> {
  const { peer, uploads, suspects } = parts
  const { name, digest, open, findMount, signal } = sending
  if (await peer.hasBlob(name, digest, { signal })) return
  let upload = await findKept(parts, sending)
  if (upload === undefined) {
    const begun = await begin(parts, sending, await findMount())
    if (begun === 'mounted') return
    upload = begun
  }
  await using reader = await open()
  // One that the peer found to be another's is not sent again as long as it is.
  if (suspects.has(digest)) await requireIntact(reader, digest)
  suspects.delete(digest)
  if (upload.offset > reader.sizeBytes) {
    await uploads.drop(name, [digest])
    throw new RemoteFailure('upload', 'the upload is longer than the blob')
  }
  await sendRest(parts, sending, { upload, reader })
}

async function findKept(
  { peer, uploads }: BlobSenderParts,
  { name, digest, signal }: BlobSending,
): Promise<RemoteUpload | undefined> {
  const kept = await uploads.find(name, digest)
  if (kept === undefined) return undefined
  try {
    const found = await peer.findUpload(kept, { signal })
    // One byte may be there already. A new upload costs nothing.
    return found?.offset === 0 ? undefined : found
  } catch (error) {
    // It began at an address or with a key that the peer had before. A new one says whether the peer refuses all.
    if (!(error instanceof RemoteFailure) || !isOfOther.has(error.reason)) throw error
    return undefined
  }
}

const isOfOther: ReadonlySet<RemoteFailure['reason']> = new Set(['blocked', 'forbidden', 'invalid', 'missing'] as const)

/** A peer may say that it mounted what it does not have. Its next answer would be to refuse the manifest, each time. */
async function begin(
  { peer }: BlobSenderParts,
  { name, digest, signal }: BlobSending,
  from: RepositoryName | undefined,
): Promise<'mounted' | RemoteUpload> {
  const begun = await peer.startUpload(name, { signal, ...(from !== undefined && { mount: { digest, from } }) })
  if (begun !== 'mounted' || (await peer.hasBlob(name, digest, { signal }))) return begun
  return peer.startUpload(name, { signal })
}

async function sendRest(
  parts: BlobSenderParts,
  sending: BlobSending,
  begun: { readonly upload: RemoteUpload; readonly reader: BlobReader },
): Promise<void> {
  const { peer, uploads, throttle, clock, closedUntil, chunkBytes, onReached, suspects } = parts
  const { name, digest, signal, sent } = sending
  const { reader } = begun
  let { upload } = begun
  /** The furthest that the peer has had. Bytes that it forgot do not count again. */
  let furthest = upload.offset
  /** Whether bytes arrived that the peer did not have before. */
  const hasGained = (offset: number) => {
    const gained = offset - furthest
    if (gained <= 0) return false
    furthest = offset
    sent.bytes += gained
    return true
  }
  let restarts = 0
  for (let breaks = 0; ; ) {
    try {
      // Kept also where all bytes have arrived: another process may have to end it.
      await uploads.keep(digest, upload)
      while (upload.offset < reader.sizeBytes) {
        if (closedUntil(clock()) !== undefined) throw new HoursOver()
        const end = Math.min(upload.offset + chunkBytes, reader.sizeBytes)
        const body = throttle.pace(reader.chunks({ start: upload.offset, end }), signal)
        upload = await peer.append(upload, { body, sizeBytes: end - upload.offset }, { signal })
        const isProgress = upload.offset === end && hasGained(end)
        if (upload.offset < end) throw new RemoteFailure('upload', 'it keeps less than was sent')
        if (isProgress) breaks = 0
        if (upload.offset === reader.sizeBytes) break
        await uploads.keep(digest, upload)
        await onReached()
      }
      await peer.finish(upload, digest, { signal })
      return
    } catch (error) {
      if (!(error instanceof RemoteFailure)) throw error
      if (error.reason === 'invalid') {
        // Bytes that do not make the blob are of no use.
        await uploads.drop(name, [digest])
        suspects.set(digest, true)
        await requireIntact(reader, digest)
      }
      if (!goesOn.has(error.reason) || ++breaks > mostBreaks) throw error
      let found = await findStill(peer, upload, { sizeBytes: reader.sizeBytes, signal })
      if (found === undefined) {
        // The answer to the last request may have been lost.
        if (await peer.hasBlob(name, digest, { signal })) return
        await uploads.drop(name, [digest])
        if (error.reason !== 'unreachable' || ++restarts > mostRestarts) throw error
        const begun = await peer.startUpload(name, { signal })
        if (begun === 'mounted') return
        found = begun
      }
      if (hasGained(found.offset)) {
        breaks = 0
        await onReached()
      }
      upload = found
    }
  }
}

/**
 * The upload after a break, once its offset stays: a peer still writes for a moment what it received. What is sent before that would be sent
 * twice.
 */
async function findStill(
  peer: PeerRegistry,
  upload: RemoteUpload,
  { sizeBytes, signal }: { readonly sizeBytes: number; readonly signal: AbortSignal },
): Promise<RemoteUpload | undefined> {
  let before: RemoteUpload | undefined
  for (let looks = 1; ; looks++) {
    await delay(lookAgainMs, undefined, { signal })
    const found = await peer.findUpload(upload, { signal })
    const isStill = found?.offset === before?.offset
    const mayGrow = found !== undefined && found.offset === upload.offset && found.offset < sizeBytes
    if (found === undefined || (isStill && !mayGrow) || looks === mostLooks) return found
    before = found
  }
}

/** `upload`: the peer has other bytes than this process knows. `unreachable`: the connection broke, and the next one may last. */
const goesOn: ReadonlySet<RemoteFailure['reason']> = new Set(['upload', 'unreachable'] as const)

/** @throws SourceDamaged */
async function requireIntact(reader: BlobReader, digest: Digest): Promise<void> {
  const algorithm = digestAlgorithm(digest)
  const hash = createHash(algorithm)
  for await (const chunk of reader.chunks()) hash.update(chunk)
  if (digestOf(algorithm, hash.digest('hex')) !== digest) {
    throw new SourceDamaged(`The content of the layer ${digest} does not match its digest here`)
  }
}
