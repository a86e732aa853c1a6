/**
 * A loopback address that stands for the host of one registry, as a DNS name does elsewhere. Calls of AWS's APIs pass as they are,
 * since their signature covers the host.
 */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface NamedRegistry extends AsyncDisposable {
  readonly url: string
}

export async function startNamedRegistry(target: string, host: string): Promise<NamedRegistry> {
  const { hostname, port } = new URL(target)
  const server = createServer((incoming, answer) => {
    const { method, url: path = '/', headers } = incoming
    const sent = path.startsWith('/v2/') ? { ...headers, host } : headers
    const outgoing = request({ hostname, port, method, path, headers: sent }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer)
    })
    outgoing.on('error', () => answer.destroy())
    incoming.pipe(outgoing)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A listening TCP server has an address with a port.
  const { port: own } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${own}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
