/** Bytes `start` to `end`, the latter excluded. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * The part of a blob that a `Range` header asks for (RFC 9110 section 14). `undefined` for the whole: without a header, with one
 * that is not of bytes or not in the grammar, and with several ranges, which a server may ignore. `unsatisfiable` when the
 * range begins past the end.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const [, from, to] = /^\s*bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '') ?? []
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined
  if (from === '') {
    const length = Math.min(Number(to), sizeBytes)
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, end: sizeBytes }
  }
  const start = Number(from)
  const end = to === '' ? sizeBytes : Math.min(Number(to) + 1, sizeBytes)
  if (to !== '' && Number(to) < start) return undefined
  return start >= sizeBytes ? 'unsatisfiable' : { start, end }
}

/**
 * The place of a chunk by the specification's `Content-Range: <start>-<end>`, both included; some clients write
 * `bytes <start>-<end>/<size>`, the unit in any case. `undefined` when it is neither.
 */
export function parseContentRange(header: string): { first: number; length: number } | undefined {
  const [, from, to] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/i.exec(header.trim()) ?? []
  if (from === undefined || to === undefined || Number(to) < Number(from)) return undefined
  return { first: Number(from), length: Number(to) - Number(from) + 1 }
}

/** The `Range` of an upload that holds so many bytes: `0-<last>`, and `0-0` when it is empty, as every registry says. */
export function printUploadRange(offset: number): string {
  return `0-${Math.max(offset - 1, 0)}`
}
