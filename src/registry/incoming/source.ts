/**
 * Reads the blob from `offset` on. The answer may begin earlier, such as at 0 where the other side honours no ranges. A source throws its
 * own error where it is refused. It may be asked again after a break. The transfer reads a chunk until it is written: a source yields
 * memory that it does not use again.
 */
export type BlobSource = (offset: number, signal: AbortSignal) => Promise<SourceAnswer>

export interface SourceAnswer {
  readonly offset: number
  /** Of the whole blob, if the source knows it. */
  readonly sizeBytes: number | undefined
  readonly body: AsyncIterable<Uint8Array>
}

/** What the source threw, apart from what this program threw. */
export class SourceBroke extends Error {
  constructor(cause: unknown) {
    super('the source broke', { cause })
  }
}

/** The chunks of a body. Its own errors become `SourceBroke`. */
export async function* marked(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* body
  } catch (error) {
    throw new SourceBroke(error)
  }
}
