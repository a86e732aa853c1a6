import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { Logger } from 'pino'

/** The listening socket of a primary, which reads nothing of the connections that it accepts. */
export interface PrimaryListener {
  readonly port: number
  close(): void
}

export interface PrimaryListenerOptions {
  readonly host: string
  readonly port: number
  readonly log: Logger
  readonly onConnection: (socket: Socket) => void
}

/** An empty host is every address, `localhost` each of its addresses; port 0 lets the system choose. */
export async function listenForWorkers({ host, port, log, onConnection }: PrimaryListenerOptions) {
  const servers: Server[] = []
  async function open(address: string, wanted: number): Promise<number> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, onConnection)
    server.listen({ host: address, port: wanted })
    await once(server, 'listening')
    server.on('error', (err) => log.warn({ err }, 'a connection could not be accepted'))
    servers.push(server)
    const bound = server.address()
    return typeof bound === 'object' && bound ? bound.port : wanted
  }

  const addresses = host === 'localhost' ? (await lookup(host, { all: true })).map(({ address }) => address) : [host]
  const [first = host, ...others] = addresses
  const bound = await open(first, port)
  for (const other of others) {
    // A machine may name an IPv6 address and have none.
    await open(other, bound).catch((err) => log.warn({ err }, 'one address of localhost is not served'))
  }
  return {
    port: bound,
    close() {
      for (const server of servers) server.close()
    },
  } satisfies PrimaryListener
}
