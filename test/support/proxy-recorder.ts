/**
 * A proxy that connects to nothing: it records the host that a program wants to reach, and refuses. Programs in Go ask a proxy
 * for every host but this machine's own, so it shows what would leave the machine.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'

export interface ProxyRecorder extends AsyncDisposable {
  /** Hosts that were asked for, each once, without their ports. */
  readonly hosts: ReadonlySet<string>
  /** Variables that make a program use it. */
  readonly environment: Readonly<Record<string, string>>
}

export async function startProxyRecorder(): Promise<ProxyRecorder> {
  const hosts = new Set<string>()
  const server = createServer((request, response) => {
    hosts.add(URL.parse(request.url ?? '')?.hostname ?? '')
    response.writeHead(502).end()
  })
  server.on('connect', (request, socket) => {
    hosts.add((request.url ?? '').replace(/:\d+$/, ''))
    socket.on('error', () => {}) // the program may go away before it reads the refusal
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  const url = `http://127.0.0.1:${address.port}`
  return {
    hosts,
    environment: { HTTP_PROXY: url, HTTPS_PROXY: url, http_proxy: url, https_proxy: url },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
