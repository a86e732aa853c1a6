import type { IncomingMessage } from 'node:http'

/** Time for a client to read its answer and to end its body, before a server that stops cuts the connection. */
const lingerMs = 1_000

/**
 * Requests that were answered before their body had come. What is left of the body may not be read any more, and then the server never
 * sees that the client closed the connection.
 */
export class EarlyAnswers {
  readonly #requests = new Set<IncomingMessage>()

  add(request: IncomingMessage): void {
    this.#requests.add(request)
    request.once('close', () => this.#requests.delete(request))
  }

  /** For a server that stops since that time, by the clock of `performance`. */
  cutOff(stoppingSince: number): void {
    if (performance.now() - stoppingSince < lingerMs) return
    for (const { complete, socket } of this.#requests) if (!complete) socket.destroy()
  }
}
