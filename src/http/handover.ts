// Which worker gets a connection that the primary accepted. A connection waits in the primary while no worker is ready, and goes to
// another worker if the one that it was sent to ends without taking it.

import type { Socket } from 'node:net'
import { hasCode } from '#lib/system-error.ts'
import type { ConnectionHandle } from './accepted.ts'
import type { ToWorker } from './connection-feed.ts'
import type { RefusedConnections } from './refused-connections.ts'

export interface Receiver {
  send(message: ToWorker, handle: ConnectionHandle, done: (error: Error | null) => void): void
}

/** So many connections may be on their way to one worker. One that blocks its event loop takes none. */
const mostOnTheWay = 32

export class Handover {
  readonly #mostHeld: number
  readonly #refused: Pick<RefusedConnections, 'note'>
  /** In the order of their turns, with the connections on the way to each. */
  readonly #receivers = new Map<Receiver, Map<number, Socket>>()
  readonly #retired = new Set<Receiver>()
  readonly #unplaced: Socket[] = []
  #held = 0
  #lastId = 0

  /** `mostHeld`: so many connections may be in this process at once. */
  constructor(mostHeld: number, refused: Pick<RefusedConnections, 'note'>) {
    this.#mostHeld = mostHeld
    this.#refused = refused
  }

  accept(socket: Socket): void {
    if (this.#held >= this.#mostHeld) {
      this.#refused.note({ open: this.#held, remote: socket.remoteAddress })
      socket.destroy()
      return
    }
    this.#held++
    socket.on('error', () => {}).once('close', () => this.#held--)
    this.#unplaced.push(socket)
    this.#place()
  }

  add(receiver: Receiver): void {
    this.#receivers.set(receiver, new Map())
    this.#place()
  }

  taken(receiver: Receiver, id: number): void {
    const onTheWay = this.#receivers.get(receiver)
    // The worker has a descriptor of its own: to close this one does not close the connection.
    onTheWay?.get(id)?.destroy()
    onTheWay?.delete(id)
    this.#place()
  }

  /** Sends it nothing more. What it says of earlier connections still counts. */
  retire(receiver: Receiver): void {
    this.#retired.add(receiver)
  }

  /** What it has not taken goes to others. */
  remove(receiver: Receiver): void {
    const onTheWay = this.#receivers.get(receiver) ?? []
    this.#receivers.delete(receiver)
    this.#retired.delete(receiver)
    this.#unplaced.unshift(...onTheWay.values())
    this.#place()
  }

  close(): void {
    for (const socket of this.#unplaced.splice(0)) socket.destroy()
  }

  #place(): void {
    while (this.#unplaced.length > 0) {
      const receiver = this.#next()
      if (receiver === undefined) return
      const socket = this.#unplaced.shift()
      if (socket !== undefined) this.#give(receiver, socket)
    }
  }

  /** The one with the fewest on the way, and of several the one that waits longest for its turn. */
  #next(): Receiver | undefined {
    let best: Receiver | undefined
    let fewest = mostOnTheWay
    for (const [receiver, { size }] of this.#receivers) {
      if (size >= fewest || this.#retired.has(receiver)) continue
      best = receiver
      fewest = size
    }
    return best
  }

  #give(receiver: Receiver, socket: Socket): void {
    // Node has no public way to pass a connection that leaves its state to the receiver.
    const { _handle: handle } = socket as Socket & { readonly _handle?: ConnectionHandle | null }
    const onTheWay = this.#receivers.get(receiver)
    if (!handle || onTheWay === undefined) {
      socket.destroy()
      return
    }
    this.#receivers.delete(receiver)
    this.#receivers.set(receiver, onTheWay)
    const id = ++this.#lastId
    onTheWay.set(id, socket)
    receiver.send({ lading: 'connection', id }, handle, (error) => {
      if (error === null) return
      if (hasCode(error, 'ERR_IPC_CHANNEL_CLOSED') || hasCode(error, 'EPIPE')) this.remove(receiver)
      else this.taken(receiver, id)
    })
  }
}
