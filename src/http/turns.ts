import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Requests of one connection run one after another. node:http starts each as soon as it is parsed, so that a client which
 * pipelines a thousand and reads nothing would have a thousand answers begun, each with its file and its buffers.
 */
export class Turns {
  readonly #waiting = new WeakMap<Socket, number>()

  /** Runs `work` once the answers before this one have left. A connection with too many waiting is cut. */
  take(request: FastifyRequest, reply: FastifyReply, work: () => void): void {
    const response = reply.raw
    // Only the answer whose turn it is has the socket.
    if (response.socket !== null) {
      work()
      return
    }
    const { socket } = request.raw
    const waiting = (this.#waiting.get(socket) ?? 0) + 1
    if (waiting > mostWaiting) {
      socket.destroy()
      return
    }
    this.#waiting.set(socket, waiting)
    response.once('socket', () => {
      this.#waiting.set(socket, (this.#waiting.get(socket) ?? 1) - 1)
      work()
    })
  }
}

/** Clients of registries pipeline nothing at all. */
const mostWaiting = 64
