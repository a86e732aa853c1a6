/**
 * Many clients that pull one image at once by bare sockets and discard what they receive. They run in a thread of their own, so that
 * the stand-in for a registry keeps its time.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

export interface StormOrder {
  /** A client connects to one of these ports, each to the next. */
  readonly ports: readonly number[]
  readonly clients: number
  readonly authorization: string
  /** What each client GETs, one after another. */
  readonly paths: readonly string[]
}

export interface StormResult {
  /** Of each client: from the start of all to its last byte. */
  readonly seconds: readonly number[]
  /** Of each client: bytes of all bodies. */
  readonly bytes: readonly number[]
}

/** @throws where an answer is not 200 or a connection breaks */
export async function pullAtOnce(order: StormOrder): Promise<StormResult> {
  const worker = new Worker(new URL(import.meta.url), { workerData: order })
  const [message] = await once(worker, 'message')
  // Posted by the thread below.
  return message as StormResult
}

async function storm({ ports, clients, authorization, paths }: StormOrder): Promise<StormResult> {
  const startedAt = performance.now()
  const results = await Promise.all(
    Array.from({ length: clients }, async (_, at) => {
      using client = await open(ports[at % ports.length] ?? 0)
      let bytes = 0
      for (const path of paths) bytes += await client.get(path, authorization)
      return { bytes, seconds: (performance.now() - startedAt) / 1000 }
    }),
  )
  return { seconds: results.map(({ seconds }) => seconds), bytes: results.map(({ bytes }) => bytes) }
}

interface BareClient extends Disposable {
  /** How many bytes the body has, once all have come. */
  get(path: string, authorization: string): Promise<number>
}

/** All clients read into the same memory, since nothing of it is kept. */
const memory = Buffer.allocUnsafeSlow(256 * 1024)
const headEnd = '\r\n\r\n'

async function open(port: number): Promise<BareClient> {
  let receive: ((bytes: Buffer) => void) | undefined
  const socket: Socket = connect({
    ...{ port, host: '127.0.0.1' },
    onread: {
      buffer: memory,
      callback: (length) => {
        receive?.(memory.subarray(0, length))
        return true
      },
    },
  })
  await once(socket, 'connect')
  return {
    get(path, authorization) {
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      socket.once('error', reject)
      socket.once('close', () => reject(new Error(`the connection of ${path} ended early`)))
      let head = ''
      let length = -1
      let missing = 0
      receive = (bytes) => {
        let body = bytes.length
        if (length === -1) {
          head += bytes.toString('latin1')
          const end = head.indexOf(headEnd)
          if (end === -1) return
          length = lengthIn(head.slice(0, end + 2))
          if (length === -1) return reject(new Error(`${path}: ${head}`))
          missing = length
          body = head.length - end - headEnd.length
        }
        missing -= body
        if (missing === 0) {
          socket.removeAllListeners('error').removeAllListeners('close')
          resolve(length)
        }
      }
      socket.write(`GET ${path} HTTP/1.1\r\nHost: storm\r\nAuthorization: ${authorization}\r\n\r\n`)
      return promise
    },
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

/** -1 where the answer is not a whole body. */
function lengthIn(head: string): number {
  if (!head.startsWith('HTTP/1.1 200 ')) return -1
  return Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? -1)
}

if (!isMainThread) {
  // Handed in by `pullAtOnce`.
  parentPort?.postMessage(await storm(workerData as StormOrder))
}
