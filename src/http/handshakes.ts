import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Connections whose TLS handshake has not ended. A server of node:https does not know them yet, and would wait for them. */
export class Handshakes {
  readonly #pending = new Map<string, Socket>()

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      const ends = endsOf(socket)
      this.#pending.set(ends, socket)
      socket.once('close', () => {
        if (this.#pending.get(ends) === socket) this.#pending.delete(ends)
      })
    })
    server.on('secureConnection', (socket: Socket) => this.#pending.delete(endsOf(socket)))
    // An answer, which the event for malformed requests asks for here too, would wait for the end of the handshake.
    server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
  }

  cutOff(): void {
    for (const socket of this.#pending.values()) socket.destroy()
  }
}

/** What tells a connection from all others, and is the same for its bare socket and for that which speaks TLS over it. */
function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`
}
