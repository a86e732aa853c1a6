import type { IncomingMessage } from 'node:http'
import { type AwsError, bodyTooSlow, rateExceeded, requestTooLarge, serializationFailure } from './aws-error.ts'

/**
 * Reads the bodies of calls, which must be whole before a signature can be proved. What they may take is bounded for each, in
 * bytes and in time, and for all together.
 */
export interface BodyLimits {
  /** From the first wish to read until the last byte. */
  readonly deadlineMs: number
  /** Bytes of all bodies together, until their calls are answered. */
  readonly inFlightBytes: number
}

export const defaultBodyLimits: BodyLimits = { deadlineMs: 60_000, inFlightBytes: 128 * 1024 * 1024 }

/** Enough for every operation that does not say otherwise: the longest text among their inputs is a policy of some 30 KiB. */
export const defaultMaxBodyBytes = 1024 * 1024

/** A body in memory, which counts against the limit until it is disposed of. */
export interface Body extends Disposable {
  readonly bytes: Buffer
}

export type ReadBody = (maxBytes: number) => Promise<Body>

/** @throws AwsError for a body that is too large or too slow, breaks off, or for which there is no room now */
export function createBodyReader({ deadlineMs, inFlightBytes }: BodyLimits) {
  let inFlight = 0

  return async function readBody(source: IncomingMessage, maxBytes: number): Promise<Body> {
    if (source.destroyed) throw bodyBrokeOff()
    const declared = Number(source.headers['content-length'] ?? 0)
    if (declared > maxBytes) throw requestTooLarge(maxBytes)
    const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
    const bytes = new GrowingBuffer(declared)
    const take = (chunk: Buffer) => {
      bytes.append(chunk)
      inFlight += chunk.byteLength
      if (bytes.length > maxBytes) reject(requestTooLarge(maxBytes))
      else if (inFlight > inFlightBytes) reject(rateExceeded())
    }
    const brokeOff = () => reject(bodyBrokeOff())
    const overdue = setTimeout(() => reject(bodyTooSlow(deadlineMs)), deadlineMs)
    source.on('data', take).once('end', resolve).once('error', brokeOff).once('close', brokeOff)
    const release = () => {
      inFlight -= bytes.length
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
}

/** Nobody hears it: the client is gone. */
function bodyBrokeOff(): AwsError {
  return serializationFailure('The request ended before its body did.')
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
