import type { RemoteRateLimit } from './registry.ts'

/** Seconds, or a date of HTTP (RFC 9110 section 10.2.3). */
export function parseRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** `RateLimit-Limit: 100;w=21600` and `RateLimit-Remaining: 76;w=21600` (Docker Hub, "Usage and limits"). */
export function rateLimitOf(
  { status, headers }: { readonly status: number; readonly headers: ReadonlyMap<string, string> },
  now: number,
): RemoteRateLimit | undefined {
  const limit = quantity(headers.get('ratelimit-limit'))
  const remaining = quantity(headers.get('ratelimit-remaining'))
  if (status !== 429 && limit === undefined && remaining === undefined) return undefined
  return {
    limit: limit?.count,
    remaining: remaining?.count,
    windowSeconds: limit?.windowSeconds ?? remaining?.windowSeconds,
    retryAfterMs: status === 429 ? parseRetryAfter(headers.get('retry-after'), now) : undefined,
  }
}

function quantity(text: string | undefined): { count: number; windowSeconds: number | undefined } | undefined {
  const [, count, window] = /^\s*(\d{1,12})(?:\s*;\s*w=(\d{1,12}))?/.exec(text ?? '') ?? []
  if (count === undefined) return undefined
  return { count: Number(count), windowSeconds: window === undefined ? undefined : Number(window) }
}
