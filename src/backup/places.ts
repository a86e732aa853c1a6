// Where a backup lies: a folder, which a later backup goes on with, or a tar archive.

import type { Digest } from '#names/digest.ts'

/** A backup that is being written. Ended on every path: what was not committed is no backup, or still the earlier one. */
export interface BackupTarget extends AsyncDisposable {
  /** Survives power loss once `commit` has resolved. */
  write(name: string, bytes: Uint8Array): Promise<void>
  /** What `write` wrote. */
  read(name: string): Promise<Uint8Array>
  /** Whether it has a file of that name and size from an earlier backup. */
  holds(name: string, sizeBytes: number): Promise<boolean>
  /** `proved` is asked once all bytes have passed: false drops the file where that can be. */
  writeBlob(name: string, sizeBytes: number, chunks: AsyncIterable<Uint8Array>, proved: () => boolean): Promise<void>
  /** Makes it a complete backup. */
  commit(manifest: Uint8Array, run: string): Promise<void>
}

/** A backup that is read. */
export interface BackupSource extends AsyncDisposable {
  /** @throws Refusal `BackupIncomplete` */
  manifest(): Promise<Uint8Array>
  /** The files of a run of the database in their order, each a few MiB. */
  database(run: string): AsyncIterable<{ readonly name: string; readonly bytes: Uint8Array }>
  /** Those of the wanted blobs that it has, in whatever order suits it. */
  blobs(wanted: AsyncIterable<WantedBlob>): AsyncIterable<FoundBlob>
  secretKey(): Promise<Uint8Array | undefined>
}

export interface WantedBlob {
  readonly digest: Digest
  readonly sizeBytes: number
}

export interface FoundBlob extends WantedBlob {
  /** Its bytes, to be read before the next blob is asked for. */
  chunks(): AsyncIterable<Uint8Array>
}
