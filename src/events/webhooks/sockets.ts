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
export type EnterSocket = (signal: AbortSignal) => Promise<Leave>

type Leave = () => void

/** Bounds the descriptors of the process. */
const mostOwn = 256
const mostShared = 64

export function createSockets(): Sockets {
  const own = new Lanes(mostOwn)
  const shared = new Lanes(mostShared)
  return { ofWebhook: () => enterOwnOrShared(own, shared) }
}

function enterOwnOrShared(own: Lanes, shared: Lanes): EnterSocket {
  let isTaken = false
  /** Each takes the webhook's own socket in place of a shared one. */
  const waiting = new Set<(leave: Leave) => void>()

  async function enterOwn(signal: AbortSignal): Promise<Leave> {
    isTaken = true
    try {
      return passOn(await own.enter('all', signal))
    } catch (error) {
      isTaken = false
      throw error
    }
  }

  /** The next one that waits takes the place. */
  function passOn(leave: Leave): Leave {
    return () => {
      const [next] = waiting
      if (next !== undefined) return next(leave)
      isTaken = false
      leave()
    }
  }

  function enterEither(signal: AbortSignal): Promise<Leave> {
    const { promise, resolve, reject } = Promise.withResolvers<Leave>()
    const hasOwn = new AbortController()
    const takeOwn = (leave: Leave) => {
      waiting.delete(takeOwn)
      hasOwn.abort()
      resolve(passOn(leave))
    }
    waiting.add(takeOwn)
    shared.enter('all', AbortSignal.any([signal, hasOwn.signal])).then(
      (leave) => {
        if (hasOwn.signal.aborted) return leave()
        waiting.delete(takeOwn)
        resolve(leave)
      },
      (error) => {
        waiting.delete(takeOwn)
        reject(error)
      },
    )
    return promise
  }

  return (signal) => (isTaken ? enterEither(signal) : enterOwn(signal))
}
