/**
 * A client that costs little beside the server it loads: one keep-alive connection, one request in flight, requests as ready
 * bytes, bodies counted and forgotten. It speaks as much HTTP/1.1 as the two servers answer, and fails loudly at the rest.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly bodyBytes: number
  /** The value of a header. */
  header(name: string): string | undefined
}

const headEnd = '\r\n\r\n'
const noBytes = Buffer.alloc(0)

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
  readonly onBody: ((piece: Uint8Array) => void) | undefined
}

export class Connection implements Disposable {
  readonly #socket: Socket
  #waiting: Waiting | undefined
  /** Of a head that has not come whole. */
  #begun: Buffer = noBytes
  #head: string | undefined
  #bodyBytes = 0
  #missingBytes = 0

  private constructor(port: number, bufferBytes: number) {
    const buffer = Buffer.allocUnsafe(bufferBytes)
    const callback = (length: number) => {
      this.#receive(buffer.subarray(0, length))
      return true
    }
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  /** `bufferBytes`: how much one read takes at most. */
  static async open(port: number, bufferBytes = 64 * 1024): Promise<Connection> {
    const connection = new Connection(port, bufferBytes)
    await once(connection.#socket, 'connect')
    return connection
  }

  /** `onBody` is given the body's pieces, each valid until it returns. */
  exchange(request: Uint8Array, onBody?: (piece: Uint8Array) => void): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#waiting = { resolve, reject, onBody }
    this.#socket.write(request)
    return promise
  }

  /** As `exchange`, with a body that is sent by pieces of 1 MiB. */
  async upload(head: Uint8Array, body: Uint8Array): Promise<Answer> {
    const answer = this.exchange(head)
    answer.catch(() => {}) // Awaited below; sending fails with it.
    for (let at = 0; at < body.byteLength && this.#socket.writable; at += 1024 * 1024) {
      if (!this.#socket.write(body.subarray(at, at + 1024 * 1024))) await once(this.#socket, 'drain')
    }
    return answer
  }

  [Symbol.dispose](): void {
    this.#socket.removeAllListeners('close').destroy()
  }

  #receive(bytes: Buffer): void {
    let body = bytes
    if (this.#head === undefined) {
      const all = this.#begun.length === 0 ? bytes : Buffer.concat([this.#begun, bytes])
      const end = all.indexOf(headEnd)
      if (end === -1) {
        this.#begun = Buffer.from(all)
        return
      }
      this.#begun = noBytes
      const head = all.toString('latin1', 0, end + 2)
      this.#head = head
      this.#bodyBytes = this.#missingBytes = lengthIn(head)
      body = all.subarray(end + headEnd.length)
    }
    this.#missingBytes -= body.length
    if (body.length > 0) this.#waiting?.onBody?.(body)
    if (this.#missingBytes > 0) return
    const answer = answerOf(this.#head, this.#bodyBytes)
    this.#head = undefined
    const waiting = this.#waiting
    this.#waiting = undefined
    if (this.#missingBytes < 0 || waiting === undefined) this.#socket.destroy(new Error('more came than was asked for'))
    else waiting.resolve(answer)
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}

function answerOf(head: string, bodyBytes: number): Answer {
  return { status: Number(head.slice(9, 12)), bodyBytes, header: (name) => headerIn(head, name) }
}

function lengthIn(head: string): number {
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)
  if (length !== null) return Number(length[1])
  if (head.startsWith('HTTP/1.1 204')) return 0
  throw new Error(`an answer without length: ${head}`)
}

function headerIn(head: string, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}: (.*)\\r\\n`, 'i').exec(head)?.[1]
}
