/** A proxy that leads each tunnel to one server, as if that server had every name. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'

export interface Tunnel extends AsyncDisposable {
  readonly url: string
  /** The hosts that were asked for, in order. */
  readonly hosts: readonly string[]
}

export async function startTunnel(target: string): Promise<Tunnel> {
  const hosts: string[] = []
  const { hostname, port } = new URL(target)
  const server = createServer()
  server.on('connect', (request, socket) => {
    hosts.push(request.url ?? '')
    const upstream = connect(Number(port), hostname, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    socket.on('error', () => upstream.destroy()).on('close', () => upstream.destroy())
    upstream.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    hosts,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
