import assert from 'node:assert/strict'

/** What is read of the requests of one connection. */
export interface RequestSink {
  /** Bytes of a body, from `offset` on. */
  body(request: ReadRequest, offset: number, bytes: number): void
  head(request: ReadRequest): void
}

export interface ReadRequest {
  readonly method: string
  readonly target: string
  readonly headers: ReadonlyMap<string, string>
}

/** Reads HTTP/1.1 requests with a length, one after another, as their bytes pass. */
export class RequestReader {
  readonly #sink: RequestSink
  #head = ''
  #request: ReadRequest | undefined
  #left = 0
  #offset = 0

  constructor(sink: RequestSink) {
    this.#sink = sink
  }

  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.byteLength; )
      at += this.#left > 0 ? this.#readBody(chunk, at) : this.#readHead(chunk, at)
  }

  #readBody(chunk: Buffer, at: number): number {
    const bytes = Math.min(this.#left, chunk.byteLength - at)
    if (this.#request !== undefined) this.#sink.body(this.#request, this.#offset, bytes)
    this.#offset += bytes
    this.#left -= bytes
    return bytes
  }

  #readHead(chunk: Buffer, at: number): number {
    const before = this.#head.length
    const text = this.#head + chunk.toString('latin1', at)
    const end = text.indexOf('\r\n\r\n')
    this.#head = end === -1 ? text : ''
    if (end === -1) return chunk.byteLength - at
    const request = parseHead(text.slice(0, end))
    assert.ok(!request.headers.has('transfer-encoding'), 'a request has a length')
    this.#request = request
    this.#left = Number(request.headers.get('content-length') ?? 0)
    this.#offset = 0
    this.#sink.head(request)
    return end + 4 - before
  }
}

function parseHead(text: string): ReadRequest {
  const [first = '', ...lines] = text.split('\r\n')
  const [method = '', target = ''] = first.split(' ')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { method, target, headers: new Map(headers) }
}
