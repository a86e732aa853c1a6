import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A server that sends one blob, whole or from any byte on, at a rate that all its answers share. */
export interface BlobSourceServer extends AsyncDisposable {
  readonly url: string
  /** Where each request began. */
  readonly offsets: number[]
  /** Bytes sent in all. */
  readonly sent: () => number
  bytesPerSecond: number
}

const pieceBytes = 64 * 1024
const tickMs = 20

export async function startBlobSource(bytes: Uint8Array, bytesPerSecond: number): Promise<BlobSourceServer> {
  const offsets: number[] = []
  let sent = 0
  const server = createServer((request, response) => void send(request, response).catch(() => response.destroy()))

  async function send({ headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
    offsets.push(from)
    response.writeHead(206, {
      'content-length': bytes.byteLength - from,
      'content-range': `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}`,
    })
    response.flushHeaders()
    let allowed = 0
    let last = performance.now()
    for (let at = from; at < bytes.byteLength && !response.destroyed; ) {
      const now = performance.now()
      allowed = Math.min(allowed + ((now - last) / 1000) * source.bytesPerSecond, source.bytesPerSecond / 4)
      last = now
      while (allowed >= 1 && at < bytes.byteLength && !response.destroyed) {
        const piece = bytes.subarray(at, at + Math.min(pieceBytes, Math.floor(allowed)))
        response.write(piece)
        at += piece.byteLength
        allowed -= piece.byteLength
        sent += piece.byteLength
        if (response.writableNeedDrain) await drained(response)
      }
      await delay(tickMs)
    }
    response.end()
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const source: BlobSourceServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    offsets,
    sent: () => sent,
    bytesPerSecond,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return source
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}
