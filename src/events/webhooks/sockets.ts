import { Lanes } from '#lib/lanes.ts'
import type { AccountId } from '#names/account.ts'

/**
 * Bounds the connections of a process to receivers. Each webhook has one of its own, so that slow receivers never keep another webhook from
 * delivering. Further ones come from a pool that all share. An account has a part of both at most: it may have slow receivers alone.
 */
export interface Sockets {
  /** The sockets of one webhook. */
  ofWebhook(account: AccountId): EnterSocket
}

/** Resolves when there is a socket, with what leaves it. Rejects if the signal aborts before. */
export type EnterSocket = (signal: AbortSignal) => Promise<Leave>

type Leave = () => void

/** Bounds the descriptors of the process. */
const mostOwn = { all: 256, ofAccount: 100 }
const mostShared = { all: 64, ofAccount: 32 }

export function createSockets(): Sockets {
  const own = createPool(mostOwn)
  const shared = createPool(mostShared)
  return { ofWebhook: (account) => enterOwnOrShared(own(account), shared(account)) }
}

type Pool = (account: AccountId) => EnterSocket

function createPool(most: { readonly all: number; readonly ofAccount: number }): Pool {
  const all = new Lanes(most.all)
  const accounts = new Lanes(most.ofAccount)
  return (account) => async (signal) => {
    const leaveAccount = await accounts.enter(account, signal)
    try {
      const leaveAll = await all.enter('all', signal)
      return () => {
        leaveAll()
        leaveAccount()
      }
    } catch (error) {
      leaveAccount()
      throw error
    }
  }
}

function enterOwnOrShared(own: EnterSocket, shared: EnterSocket): EnterSocket {
  let isTaken = false
  /** Each takes the webhook's own socket in place of a shared one. */
  const waiting = new Set<(leave: Leave) => void>()

  async function enterOwn(signal: AbortSignal): Promise<Leave> {
    isTaken = true
    try {
      return passOn(await own(signal))
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
    shared(AbortSignal.any([signal, hasOwn.signal])).then(
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
