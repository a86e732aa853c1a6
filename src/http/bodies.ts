import type { IncomingMessage } from 'node:http'
import { refusals } from '#lib/refusal.ts'

/** What is declined of a body that must be whole in memory. */
export interface BodyRefusals {
  BodyTooLarge: { readonly maxBytes: number }
  BodyTooSlow: { readonly deadlineMs: number }
  /** There is no room for it beside all the others; later there may be. */
  BodiesTooMany: Record<string, never>
  /** Nobody hears it: the client is gone. */
  BodyBrokeOff: Record<string, never>
}

const refuse = refusals<BodyRefusals>()

export interface BodyLimits {
  /** From the first wish to read until the last byte; also how long one that nobody wants is drained. */
  readonly deadlineMs: number
  /** Bytes of all bodies together, until they are disposed of. */
  readonly inFlightBytes: number
  /** What a client that nobody knows may send on after it was refused: a whole call, so that it gets to read why. */
  readonly drainedBytesOfStrangers: number
}

export const defaultBodyLimits: BodyLimits = {
  deadlineMs: 60_000,
  inFlightBytes: 128 * 1024 * 1024,
  drainedBytesOfStrangers: 32 * 1024 * 1024,
}

/** A body in memory, which counts against the limit until it is disposed of. */
export interface Body extends Disposable {
  readonly bytes: Buffer
}

/**
 * Bodies of requests. Those that must be whole (calls, whose signature covers them; manifests) are bounded in bytes and in time, each for
 * itself and all together, whichever surface reads them.
 */
export class Bodies {
  readonly #limits: BodyLimits
  #inFlight = 0

  constructor(limits: BodyLimits = defaultBodyLimits) {
    this.#limits = limits
  }

  /** @throws Refusal `BodyTooLarge`, `BodyTooSlow`, `BodiesTooMany`, `BodyBrokeOff` */
  async read(source: IncomingMessage, maxBytes: number): Promise<Body> {
    const { deadlineMs, inFlightBytes } = this.#limits
    if (source.destroyed) throw refuse('BodyBrokeOff', {})
    const declared = Number(source.headers['content-length'] ?? 0)
    if (declared > maxBytes) throw refuse('BodyTooLarge', { maxBytes })
    const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
    const bytes = new GrowingBuffer(declared)
    const take = (chunk: Buffer) => {
      bytes.append(chunk)
      this.#inFlight += chunk.byteLength
      if (bytes.length > maxBytes) reject(refuse('BodyTooLarge', { maxBytes }))
      else if (this.#inFlight > inFlightBytes) reject(refuse('BodiesTooMany', {}))
    }
    const brokeOff = () => reject(refuse('BodyBrokeOff', {}))
    const overdue = setTimeout(() => reject(refuse('BodyTooSlow', { deadlineMs })), deadlineMs)
    source.on('data', take).once('end', resolve).once('error', brokeOff).once('close', brokeOff)
    const release = () => {
      this.#inFlight -= bytes.length
    }
    try {
      await ended
      return { bytes: bytes.whole(), [Symbol.dispose]: release }
    } catch (error) {
      release()
      throw error
    } finally {
      clearTimeout(overdue)
      // What still comes flows on and is dropped.
      source.off('data', take).off('end', resolve).off('error', brokeOff).off('close', brokeOff)
    }
  }

  /**
   * Takes in and drops what an early answer leaves unread: a client that is still sending may not hear the answer on a connection
   * that closes. It does not go on for longer than a body may take, nor for more than a little of a stranger's.
   */
  drain(source: IncomingMessage, sender: 'known' | 'stranger'): void {
    if (source.complete || source.destroyed) return
    // Left by whoever read by iteration, it would keep the rest from flowing.
    source.removeAllListeners('readable')
    // Nothing tells of a connection that is lost after the answer, so that the timer keeps no process alive.
    const overdue = setTimeout(() => source.destroy(), this.#limits.deadlineMs).unref()
    source.once('end', () => clearTimeout(overdue))
    if (sender === 'stranger') {
      let left = this.#limits.drainedBytesOfStrangers
      source.on('data', (chunk: Buffer) => {
        left -= chunk.byteLength
        if (left < 0) source.destroy()
      })
    }
    source.resume()
  }
}

/** Copies what is appended: a body may come byte by byte, and each piece would cost a hundred times its size if kept. */
class GrowingBuffer {
  #bytes: Buffer
  #length = 0

  constructor(expected: number) {
    this.#bytes = Buffer.allocUnsafeSlow(expected)
  }

  get length(): number {
    return this.#length
  }

  append(chunk: Buffer): void {
    const length = this.#length + chunk.byteLength
    if (length > this.#bytes.byteLength) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, this.#bytes.byteLength * 2))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    chunk.copy(this.#bytes, this.#length)
    this.#length = length
  }

  whole(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }
}
