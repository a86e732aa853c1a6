import { setTimeout as delay } from 'node:timers/promises'
import { type Bucket, type Rate, refill } from '#lib/bucket.ts'
import type { Clock } from '#lib/clock.ts'

/**
 * Bounds the bytes a second that all streams to one peer send together. Streams are served in turns, each with one small piece, so that
 * each has an equal share.
 */
export interface Throttle {
  /** The same bytes in pieces, at the pace that is allowed. Rejects with the signal's reason. */
  pace(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Waits until so many bytes may be sent, and counts them. */
  spend(bytes: number, signal: AbortSignal): Promise<void>
}

export interface ThrottleParts {
  /** `undefined` for no limit. */
  readonly bytesPerSecond: number | undefined
  readonly clock: Clock
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

export function createThrottle({ bytesPerSecond, clock, sleep = wait }: ThrottleParts): Throttle {
  if (bytesPerSecond === undefined) return { pace: (body) => body, spend: async () => {} }
  const rate: Rate = { most: bytesPerSecond * burstSeconds, perSecond: bytesPerSecond }
  const piece = Math.min(largestPiece, Math.max(smallestPiece, Math.floor(bytesPerSecond * pieceSeconds)))
  // An empty bucket: a stream that begins does not send more than its rate.
  const bucket: Bucket = { tokens: 0, at: clock() }
  let last: Promise<void> = Promise.resolve()

  /** The bucket goes into debt by what is sent, so that no piece is too large for it. */
  async function draw(bytes: number, signal: AbortSignal): Promise<void> {
    for (let tokens = refill(bucket, rate, clock()); tokens < 0; tokens = refill(bucket, rate, clock())) {
      await sleep(Math.ceil((-tokens / rate.perSecond) * 1_000), signal)
    }
    signal.throwIfAborted()
    bucket.tokens -= bytes
  }

  function spend(bytes: number, signal: AbortSignal): Promise<void> {
    const turn = last.then(() => draw(bytes, signal))
    last = turn.catch(() => {})
    return turn
  }

  return {
    spend,
    async *pace(body, signal) {
      // A stream of small chunks has the same share: what a turn allows is used up before the next turn.
      let allowed = 0
      try {
        for await (const chunk of body) {
          for (let at = 0; at < chunk.byteLength; ) {
            if (allowed === 0) {
              await spend(piece, signal)
              allowed = piece
            }
            const part = chunk.subarray(at, at + allowed)
            at += part.byteLength
            allowed -= part.byteLength
            yield part
          }
        }
      } finally {
        bucket.tokens += allowed
      }
    },
  }
}

/** What time without sends may earn: enough to make up for a timer that is late. */
const burstSeconds = 0.2
const pieceSeconds = 0.05
const largestPiece = 64 * 1024
const smallestPiece = 256

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal })
}
