/** A proxy that ends TLS, in front of a server of a test: clients that demand HTTPS reach it, and trust the certificate of `test/fixtures/tls`. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { selfSigned } from '#test/fixtures/tls/pair.ts'

export interface TlsFront extends AsyncDisposable {
  /** `https://127.0.0.1:<port>` */
  readonly url: string
}

export async function startTlsFront({
  host,
  pair = selfSigned,
}: {
  readonly host: string
  readonly pair?: { readonly cert: string; readonly key: string }
}): Promise<TlsFront> {
  const { hostname, port } = new URL(`http://${host}`)
  const sockets = new Set<TLSSocket>()
  const server = createServer({ cert: pair.cert, key: pair.key }, (socket) => {
    sockets.add(socket)
    const upstream = connect(Number(port), hostname)
    // Either side may go away first; the other then ends too.
    socket.on('error', () => upstream.destroy()).on('close', () => upstream.destroy())
    upstream.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  return {
    url: `https://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
