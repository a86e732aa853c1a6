/** How a stand-in for a registry misbehaves: by request, for ever or a number of times. */
import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type HubMatch, type HubRequest, matches } from './hub-log.ts'

export type HubFault =
  /** Ends the connection after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Sends so many bytes of the body, and then nothing. Without `afterBytes` it does not send a head either. */
  | { readonly kind: 'silence'; readonly afterBytes?: number }
  /** Sends a body of the same length with another first byte. */
  | { readonly kind: 'alter' }
  /** Sends so many bytes more than it has, or fewer, under a content-length that says so. */
  | { readonly kind: 'length'; readonly by: number }
  /** Sends a body without an end. */
  | { readonly kind: 'endless' }
  /** Redirects to an address, or to itself again and again. */
  | { readonly kind: 'redirect'; readonly to: string }
  /** Answers 401 with a challenge, also to a good token. */
  | { readonly kind: 'unauthorized' }
  /** Adds headers to the answer, or replaces them. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  /** Answers this instead. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string | string[]>>
      readonly body?: string | Uint8Array
    }

interface SetFault {
  readonly match: HubMatch
  readonly fault: HubFault
  left: number
}

export class HubFaults {
  readonly #set: SetFault[] = []

  /** The newest fault that matches a request counts. Returns what ends it. */
  add(match: HubMatch, fault: HubFault, times = Number.POSITIVE_INFINITY): () => void {
    const added = { match, fault, left: times }
    this.#set.unshift(added)
    return () => {
      added.left = 0
    }
  }

  clear(): void {
    this.#set.length = 0
  }

  /** The fault for this request, counted as used. */
  take(request: HubRequest): HubFault | undefined {
    const found = this.#set.find(({ match, left }) => left > 0 && matches(request, match))
    if (found === undefined) return undefined
    found.left--
    return found.fault
  }
}

/** Answers in place of the registry. False if this fault needs an answer to spoil. */
export function answerInstead(fault: HubFault | undefined, request: HubRequest, response: ServerResponse): boolean {
  switch (fault?.kind) {
    case 'redirect':
      response.writeHead(307, { location: fault.to === 'itself' ? request.path : fault.to }).end()
      return true
    case 'status':
      response.writeHead(fault.status, { ...fault.headers }).end(fault.body ?? '')
      return true
    case 'silence':
      return fault.afterBytes === undefined
    case 'endless':
      response.writeHead(200, {
        'content-type': 'application/vnd.oci.image.manifest.v1+json',
        'content-length': String(10 * 1024 ** 3),
      })
      sendForEver(response).catch(() => response.destroy())
      return true
    default:
      return false
  }
}

async function sendForEver(response: ServerResponse): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024, ' ')
  while (!response.destroyed) if (!response.write(chunk)) await drained(response)
}

/** Resolves when more may be written, or the connection has ended. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      response.off('drain', end).off('close', end)
      resolve()
    }
    response.on('drain', end).on('close', end)
    if (response.destroyed) end()
  })
}

/** The headers of an answer as the fault changes them. */
export function spoilHeaders(
  fault: HubFault | undefined,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  if (fault?.kind === 'headers') return { ...headers, ...fault.headers }
  const lengthBytes = Number(headers['content-length'])
  if (fault?.kind !== 'length' || Number.isNaN(lengthBytes)) return { ...headers }
  return { ...headers, 'content-length': String(lengthBytes + fault.by) }
}

/** The body of an answer as the fault changes it. The connection ends where it throws. */
export async function* spoilBody(
  fault: HubFault | undefined,
  body: AsyncIterable<Uint8Array>,
  declaredBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sent = 0
  const limit = limitOf(fault, declaredBytes)
  for await (const chunk of body) {
    const part = chunk.subarray(0, Math.max(0, limit - sent))
    const altered = fault?.kind === 'alter' && sent === 0 && part.length > 0
    sent += part.byteLength
    if (part.byteLength > 0) yield altered ? Buffer.concat([Buffer.of((part[0] ?? 0) ^ 1), part.subarray(1)]) : part
    if (sent < limit) continue
    if (fault?.kind === 'length') return
    if (fault?.kind === 'cut') throw new Error('cut')
    // The client or the end of the test ends the connection.
    if (fault?.kind === 'silence') await delay(600_000, undefined, { ref: false })
  }
  if (fault?.kind === 'length') yield Buffer.alloc(Math.max(0, fault.by))
}

function limitOf(fault: HubFault | undefined, declaredBytes: number): number {
  if (fault?.kind === 'length') return declaredBytes
  return (fault?.kind === 'cut' || fault?.kind === 'silence') && fault.afterBytes !== undefined
    ? fault.afterBytes
    : Number.POSITIVE_INFINITY
}
