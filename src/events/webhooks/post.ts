import type { Clock } from '#lib/clock.ts'
import { createDnsLookUp } from '#lib/dns-lookup.ts'
import type { LookUp } from '#lib/guarded-lookup.ts'
import { Refusal } from '#lib/refusal.ts'
import { parseRetryAfter } from '#remote/rate-limit.ts'
import { RemoteFailure } from '#remote/registry.ts'
import { createTransport, type TransportAnswer } from '#remote/transport.ts'
import type { AdmitReceiver } from './receivers.ts'
import { signatureHeaders } from './signature.ts'

/** How one attempt ended. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status: number }
  /** The receiver wants no further event of this webhook. */
  | { readonly kind: 'gone'; readonly status: number; readonly error: string }
  | {
      readonly kind: 'failed'
      /** Absent where no answer came. */
      readonly status?: number
      readonly error: string
      readonly retryAfterMs?: number | undefined
    }

export interface Message {
  /** The event's. */
  readonly id: string
  /** JSON. */
  readonly body: string
}

export interface Receiver {
  readonly url: string
  readonly secrets: readonly string[]
}

export interface Poster extends AsyncDisposable {
  /** Sends a message once. @throws the signal's reason */
  post(receiver: Receiver, message: Message, signal: AbortSignal): Promise<Outcome>
}

export interface PosterParts {
  readonly admit: AdmitReceiver
  readonly clock: Clock
  /** In PEM, trusted beside those of Node and of the operating system. */
  readonly certificates: readonly string[]
  /** From the look-up of the name to the head of the answer. */
  readonly timeoutMs?: number | undefined
  readonly lookUp?: LookUp | undefined
}

const usualTimeoutMs = 15_000

export function createPoster({ admit, clock, certificates, timeoutMs = usualTimeoutMs, lookUp }: PosterParts): Poster {
  const shared = { certificates, silenceMs: timeoutMs }
  // A proxy looks names up by itself and would reach private addresses. Only listed hosts are reached through one.
  const direct = createTransport({
    ...shared,
    proxies: { httpProxy: '', httpsProxy: '' },
    lookUp: lookUp ?? createDnsLookUp(),
  })
  const listed = createTransport({ ...shared, proxies: undefined, ...(lookUp && { lookUp }) })

  return {
    async post({ url, secrets }, message, stop) {
      const timeout = AbortSignal.timeout(timeoutMs)
      try {
        const destination = admit(url)
        const transport = destination.reach === 'public' ? direct : listed
        const answer = await transport.send(destination, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'user-agent': 'lading-webhooks',
            ...signatureHeaders(secrets, { ...message, at: clock() }),
          },
          body: message.body,
          signal: AbortSignal.any([stop, timeout]),
        })
        await answer.discard()
        return outcomeOf(answer, clock())
      } catch (error) {
        if (stop.aborted) throw error
        return { kind: 'failed', error: timeout.aborted ? `no answer within ${timeoutMs / 1_000} s` : textOf(error) }
      }
    },
    async [Symbol.asyncDispose]() {
      await direct[Symbol.asyncDispose]()
      await listed[Symbol.asyncDispose]()
    },
  }
}

function outcomeOf({ status, headers }: TransportAnswer, now: number): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered', status }
  if (status === 410) return { kind: 'gone', status, error: 'it answers 410: it wants no further events' }
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), now)
  const error = status >= 300 && status < 400 ? `it redirects (${status})` : `it answers ${status}`
  return { kind: 'failed', status, error, retryAfterMs }
}

/** Names nothing that was received, nor an address that the name has. @throws what is no failure of the receiver */
function textOf(error: unknown): string {
  if (error instanceof RemoteFailure) return error.message
  if (error instanceof Refusal && error.code === 'WebhookUrlInvalid') return 'its address may not be reached'
  throw error
}
