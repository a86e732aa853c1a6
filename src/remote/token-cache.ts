import { BoundedMap } from '#lib/bounded-map.ts'
import type { Clock } from '#lib/clock.ts'
import type { RemoteToken, TokenCache } from './registry.ts'

interface Kept {
  readonly token: string
  readonly usedUntil: number
}

/** In the memory of one process. A failed fetch is not kept. */
export function createTokenCache(clock: Clock): TokenCache {
  const tokens = new BoundedMap<string, Kept>(most)
  const fetches = new Map<string, Promise<RemoteToken>>()
  return {
    async get(key, fetch) {
      const kept = tokens.get(key)
      if (kept !== undefined && clock() < kept.usedUntil) return kept.token
      const { token } = await (fetches.get(key) ?? start(key, fetch))
      return token
    },
    async drop(key, token) {
      if (tokens.get(key)?.token === token) tokens.delete(key)
    },
  }

  function start(key: string, fetch: () => Promise<RemoteToken>): Promise<RemoteToken> {
    const fetched = fetch().then(
      (found) => {
        fetches.delete(key)
        tokens.set(key, { token: found.token, usedUntil: usedUntil(found, clock()) })
        return found
      },
      (error) => {
        fetches.delete(key)
        throw error
      },
    )
    fetches.set(key, fetched)
    return fetched
  }
}

/** A token's use ends before the token does, because a request takes time to arrive. */
function usedUntil({ expiresAt }: RemoteToken, now: number): number {
  return expiresAt - Math.min(longestMarginMs, (expiresAt - now) / 10)
}

const longestMarginMs = 10_000

/** One per repository and credentials. */
const most = 10_000
