import type { ReadRequest, RequestSink } from './request-reader.ts'

/** Which bytes of which blob passed, over all uploads of the blob. */
export class SentBlobs implements RequestSink {
  /** Ranges by upload, and the digest with which the upload was completed. */
  readonly #uploads = new Map<string, { digest: string | undefined; readonly ranges: Range[] }>()

  head({ method, target }: ReadRequest): void {
    const { pathname, searchParams } = new URL(target, 'http://link')
    const digest = searchParams.get('digest')
    if (method === 'PUT' && digest !== null && pathname.includes('/blobs/uploads/'))
      this.#upload(pathname).digest = digest
  }

  body({ method, target, headers }: ReadRequest, offset: number, bytes: number): void {
    const { pathname } = new URL(target, 'http://link')
    if (method !== 'PATCH' || !pathname.includes('/blobs/uploads/')) return
    const start = Number(headers.get('content-range')?.split('-')[0] ?? 0) + offset
    const { ranges } = this.#upload(pathname)
    const last = ranges.at(-1)
    if (last?.end === start) last.end += bytes
    else ranges.push({ start, end: start + bytes })
  }

  /** How often each byte of the blob was sent, at least. */
  timesWhole(digest: string, sizeBytes: number): number {
    const edges = this.#rangesOf(digest)
    const points = [0, ...edges.flatMap(({ start, end }) => [start, end])].filter((point) => point < sizeBytes)
    return Math.min(...points.map((point) => edges.filter(({ start, end }) => start <= point && point < end).length))
  }

  bytesOf(digest: string): number {
    return this.#rangesOf(digest).reduce((sum, { start, end }) => sum + end - start, 0)
  }

  /** Bytes of uploads that were not completed. */
  get lostBytes(): number {
    return [...this.#uploads.values()]
      .filter(({ digest }) => digest === undefined)
      .reduce((sum, { ranges }) => sum + ranges.reduce((bytes, { start, end }) => bytes + end - start, 0), 0)
  }

  #rangesOf(digest: string): Range[] {
    return [...this.#uploads.values()].filter((upload) => upload.digest === digest).flatMap(({ ranges }) => ranges)
  }

  #upload(path: string) {
    const found = this.#uploads.get(path) ?? { digest: undefined, ranges: [] }
    this.#uploads.set(path, found)
    return found
  }
}

interface Range {
  readonly start: number
  end: number
}
