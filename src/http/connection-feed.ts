// The channel between the primary and a worker. The primary accepts all connections and sends each to a worker, so the listening
// socket stays open while workers come and go. A worker says that its event loop turns.

import type { ConnectionHandle } from './accepted.ts'

export type FromWorker =
  /** It can serve connections. */
  | { readonly lading: 'ready' }
  /** Its event loop turns. */
  | { readonly lading: 'beat' }
  /** It has that connection, and the primary may close its own descriptor of it. */
  | { readonly lading: 'taken'; readonly id: number }

export type ToWorker =
  | { readonly lading: 'listening'; readonly port: number }
  /** Sent with the connection's handle. */
  | { readonly lading: 'connection'; readonly id: number }

/** Messages of node:cluster, and of a launcher above the primary, are others. */
export function isOurs<Message extends FromWorker | ToWorker>(message: unknown): message is Message {
  return typeof message === 'object' && message !== null && 'lading' in message
}

/** What sends a server the connections that it does not accept itself. */
export interface ConnectionFeed {
  /** From now on `serve` gets them. Resolves with the port once the primary listens. */
  open(serve: (handle: ConnectionHandle) => void): Promise<number>
}

export const beatEveryMs = 1_000

/** In a worker: what the primary sends it. */
export function feedFromPrimary(): ConnectionFeed {
  return {
    open(serve) {
      const { promise, resolve } = Promise.withResolvers<number>()
      process.on('message', (message: unknown, handle?: ConnectionHandle) => {
        if (!isOurs<ToWorker>(message)) return
        if (message.lading === 'listening') resolve(message.port)
        else {
          if (handle !== undefined) serve(handle)
          send({ lading: 'taken', id: message.id })
        }
      })
      send({ lading: 'ready' })
      setInterval(() => send({ lading: 'beat' }), beatEveryMs).unref()
      return promise
    },
  }
}

/** A worker ends when it loses its primary (node:cluster), so a failure to send needs no handling. */
function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}
