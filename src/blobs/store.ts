// What the registry needs of a place that keeps content: drafts that grow over several requests, and blobs that exist only
// under the digest their bytes have. Every driver passes test/suites/blob-store.ts, which is this file's meaning in full.

import type { Writable } from 'node:stream'
import type { Digest } from '#names/digest.ts'

export interface BlobStore extends Partial<DraftFollowing> {
  /**
   * A new, empty draft under an upload id that the caller chose (a lower-case UUID). Whatever stood under that id is gone, once
   * `confirm` has resolved. If that rejects, so does this, and what others keep under the id stays as it is.
   */
  createDraft(id: string, confirm?: () => Promise<void>): Promise<Draft>

  /**
   * Opens what an earlier request left of a draft, cut to the `offset` bytes that were recorded. If fewer are there (a power
   * loss took them), the draft's `size` tells. `undefined` if there is no such draft.
   *
   * `fresh: true` when an earlier writer may still be alive in another process: the draft goes on as a copy, so that late
   * writes cannot reach it. Within this process that is not needed: the earlier holder is asked to let go (its calls are
   * refused with `DraftTakenOver`) and waited for. Two holders at once there are not.
   *
   * `confirm` as for `createDraft`: nothing is cut or removed before it.
   *
   * @throws Refusal `DraftTakenOver` if a still newer request came while this one waited, or another process was quicker
   */
  resumeDraft(id: string, options: ResumeOptions): Promise<Draft | undefined>

  /** Idempotent. Takes the draft from its holder, as `resumeDraft` does. */
  discardDraft(id: string): Promise<void>

  /** Sees a blob as soon as it is visible, which may be an instant before it survives power loss: only `commit` promises that. */
  stat(digest: Digest): Promise<StoredContent | undefined>

  /** Opens a blob for reading; what is open stays readable although the blob is deleted meanwhile. `undefined` when absent. */
  open(digest: Digest): Promise<BlobReader | undefined>

  /** Idempotent. What a power loss brings back, a sweep finds. */
  delete(digest: Digest): Promise<void>

  /**
   * Takes the content that `reader` has open out of the store, and keeps it for a person to look at: it is absent from then on. False, and
   * nothing is done, if that is not what is stored (any more), such as when the blob was stored anew meanwhile.
   */
  setAside(digest: Digest, reader: BlobReader): Promise<boolean>

  /** All that is stored, in parts that are neither large nor ordered. What comes or goes meanwhile may be among it or not. */
  list(): AsyncIterable<readonly Digest[]>

  /** All drafts, likewise. */
  listDrafts(): AsyncIterable<StoredDraft>

  /** What `keepId` has kept. @throws Error where something else is in its place */
  id(): Promise<string | undefined>

  /** Makes that UUID the store's own for good, unless it has one, and answers the one that it has then; that survives power loss. */
  keepId(id: string): Promise<string>

  /** Rejects while nothing can be opened or written. */
  check(): Promise<void>
}

/**
 * An ability that a driver may lack: reading a draft while another holder, of any process, writes it. A store of objects has no such thing.
 * Without it a reader of an incoming blob waits until the blob is stored.
 */
export interface DraftFollowing {
  /** Opens the newest bytes of a draft. What is open stays readable when the draft is committed, discarded or copied. `undefined` when absent. */
  followDraft(id: string): Promise<DraftFollower | undefined>
}

/** A draft open for reading. Its bytes are not proved. */
export interface DraftFollower extends AsyncDisposable {
  /** Bytes that can be read now. */
  size(): Promise<number>
  /** Fills `into` with the bytes from `position`, and returns how many there were: fewer than its length at the end, or none. */
  read(into: Uint8Array, position: number): Promise<number>
  /** Whether the stored blob is this very content, because its holder committed it. */
  became(digest: Digest): Promise<boolean>
  close(): Promise<void>
}

export interface StoredContent {
  readonly sizeBytes: number
  /** When it became visible, or was stored anew, by the clock of whoever keeps it; milliseconds since the epoch. */
  readonly storedAt: number
}

export interface StoredDraft {
  readonly id: string
  /** When bytes were last added, or it was last taken over. */
  readonly changedAt: number
}

export interface ResumeOptions {
  readonly offset: number
  readonly fresh: boolean
  readonly confirm?: () => Promise<void>
}

/**
 * Content on its way in, held by one request. Invisible until `commit`. The holder calls one method at a time, and ends its
 * hold on every path (`await using`): by `commit`, `discard` or `close`.
 */
export interface Draft extends AsyncDisposable {
  /** Bytes that are kept so far, and that a `resumeDraft` may name as its offset. None once it was committed or discarded. */
  readonly size: number

  /**
   * Appends all of `source`. A chunk is read until it is written, so its memory must not be reused by whoever yielded it.
   * If the source breaks, the bytes that came are kept (`size` tells) and its error is rethrown. The source is never
   * destroyed: that is its owner's right, who may want to answer on the same socket first.
   *
   * `limit` is how many bytes may come; so many are kept and then `BodyTooLong` is thrown.
   * `release` says that the chunks are nobody else's: their memory is given back once it is written, and nobody may read it then.
   *
   * @throws Refusal `BodyTooLong`, `DraftTakenOver` (then record nothing: `size` belongs to the new holder);
   *   a system error with its `code` (`ENOSPC`, `EDQUOT`, …) when the bytes cannot be kept
   */
  append(
    source: AsyncIterable<Uint8Array>,
    options?: { readonly limit?: number; readonly release?: boolean },
  ): Promise<void>

  /**
   * Makes the draft a blob, once its content is proved to hash to one of `expected`: which one is returned. When this
   * resolves, the blob is visible, whole and survives power loss, and the draft is gone. Content that is stored already is
   * fine. On a mismatch the draft stays as it was.
   *
   * @throws Refusal `DigestMismatch`, `DraftTakenOver`; a system error with its `code`, after which nothing counts as stored
   */
  commit(expected: readonly Digest[]): Promise<{ readonly digest: Digest; readonly sizeBytes: number }>

  /** Ends the hold and keeps the bytes for a later `resumeDraft`. Does nothing when the hold has ended. */
  close(): Promise<void>

  /** Ends the hold and drops the bytes. Does nothing when the hold has ended. */
  discard(): Promise<void>
}

/** Bytes `start` to `end`, the latter excluded, as in `slice`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** A blob open for reading; to be closed on every path (`await using`), once what reads from it has ended. */
export interface BlobReader extends AsyncDisposable {
  readonly sizeBytes: number

  /**
   * Writes the blob, or a range within it, to `destination` as fast as that takes it, in a few MiB of memory, and resolves
   * when the last byte is flushed; neither ends nor destroys it. This is the hot path of a pull.
   *
   * @throws when the destination fails or closes early, or the content cannot be read whole
   */
  sendTo(destination: Writable, range?: ByteRange): Promise<void>

  /** The same bytes as chunks of at most 1 MiB, each the consumer's to keep. */
  chunks(range?: ByteRange): AsyncIterable<Uint8Array>

  close(): Promise<void>
}
