/**
 * A link between two registries that a test cuts: a relay of connections, which reads what passes and notes which bytes of which blob were
 * sent. Requests have a length, as those of Lading do.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { RequestReader } from './request-reader.ts'
import { SentBlobs } from './sent-blobs.ts'

export interface Link extends AsyncDisposable {
  /** Where clients reach the other side. */
  readonly url: string
  readonly sent: SentBlobs
  /** Breaks all connections and refuses new ones. */
  cut(): void
  mend(): void
  /** Bytes from clients since the start. */
  readonly bytes: number
}

export interface LinkOptions {
  /** The address on which clients find the link. */
  readonly host?: string
  readonly to: () => { readonly host: string; readonly port: number }
  /** Whether what passes are requests, which are read. */
  readonly reads?: boolean
}

export async function startLink({ host = '127.0.0.1', to, reads = true }: LinkOptions): Promise<Link> {
  const sent = new SentBlobs()
  const open = new Set<Socket>()
  let isCut = false
  let bytes = 0

  const server: Server = createServer((near) => {
    if (isCut) {
      near.resetAndDestroy()
      return
    }
    const far = connect(to())
    const requests = new RequestReader(sent)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
    near.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength
      if (reads) requests.read(chunk)
      if (!far.write(chunk)) near.pause()
    })
    far.on('drain', () => near.resume())
    near.on('end', () => far.end())
    far.pipe(near)
  })
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  function cut(): void {
    isCut = true
    for (const socket of open) socket.resetAndDestroy()
  }

  return {
    url: `http://${host}:${port}`,
    sent,
    get bytes() {
      return bytes
    },
    cut,
    mend() {
      isCut = false
    },
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
