/**
 * What one prepared query gave, by its parameters, for as long as the database has not changed: whoever asks shows the
 * database's version, read just before, and what an older version gave is forgotten. Callers share the rows, so that nobody
 * may change them. Flat on purpose: `bench` figure "manifest GET by tag".
 */
export class RememberedRows<Row> {
  readonly #byKey = new Map<string, readonly Row[]>()
  #version: number | undefined
  #bytes = 0

  find(key: string, version: number): readonly Row[] | undefined {
    if (version === this.#version) return this.#byKey.get(key)
    this.#forget()
    this.#version = version
    return undefined
  }

  /** For the version that `find` was last asked with. */
  remember(key: string, rows: readonly Row[]): void {
    const bytes = entryBytes + 2 * key.length + bytesOf(rows)
    if (bytes > mostBytes) return
    if (this.#bytes + bytes > mostBytes) this.#forget()
    this.#byKey.set(key, rows)
    this.#bytes += bytes
  }

  #forget(): void {
    this.#byKey.clear()
    this.#bytes = 0
  }
}

/** Of one query. Thousands of manifests; what does not fit is asked for again. */
const mostBytes = 8 * 1024 * 1024
/** What an entry or a row costs besides its texts and bytes, roughly. */
const entryBytes = 256

function bytesOf(rows: readonly unknown[]): number {
  let bytes = 0
  for (const row of rows) {
    bytes += entryBytes
    for (const value of Object.values(row as object)) {
      if (typeof value === 'string') bytes += 2 * value.length
      else if (value instanceof Uint8Array) bytes += value.byteLength
    }
  }
  return bytes
}
