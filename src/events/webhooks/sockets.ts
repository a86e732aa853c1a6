import { Lanes } from '#lib/lanes.ts'

/**
 * Bounds the connections of a process to receivers. Each webhook has one of its own, so that slow receivers never keep another webhook from
 * delivering. Further ones come from a pool that all share.
 */
export interface Sockets {
  /** The sockets of one webhook. */
  ofWebhook(): EnterSocket
}

/** Resolves when there is a socket, with what leaves it. Rejects if the signal aborts before. */
export type EnterSocket = (signal: AbortSignal) => Promise<() => void>

/** Bounds the descriptors of the process. */
const mostOwn = 256
const mostShared = 64

export function createSockets(): Sockets {
  const own = new Lanes(mostOwn)
  const shared = new Lanes(mostShared)
  return {
    ofWebhook() {
      let isTaken = false
      return async (signal) => {
        if (isTaken) return shared.enter('all', signal)
        isTaken = true
        try {
          const leave = await own.enter('all', signal)
          return () => {
            isTaken = false
            leave()
          }
        } catch (error) {
          isTaken = false
          throw error
        }
      }
    },
  }
}
