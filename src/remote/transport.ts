// One request and its answer, over connections that last for several requests. It follows no redirect. Time limits are on
// silence. The length of an answer has no limit here.

import { lookup as lookUpAddresses } from 'node:dns/promises'
import { Readable } from 'node:stream'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { Agent, type Dispatcher, EnvHttpProxyAgent, type EnvHttpProxyAgent as Proxied } from 'undici'
import { AddressRefused, guardedLookup, type LookUp } from '#lib/guarded-lookup.ts'
import { type Destination, isWithin, type Reach } from './hosts.ts'
import { RemoteFailure } from './registry.ts'

export interface Transport extends AsyncDisposable {
  /** @throws RemoteFailure, or the signal's reason */
  send(destination: Destination, request: TransportRequest): Promise<TransportAnswer>
}

export interface TransportRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH'
  readonly headers: Readonly<Record<string, string>>
  /** A stream is read at most once. Its `content-length` is among the headers. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined
  readonly signal: AbortSignal | undefined
  /** How long the other side may work before it answers, where that is longer than it may be silent otherwise. */
  readonly workMs?: number | undefined
}

export interface TransportAnswer {
  readonly status: number
  /** Those that came several times are joined by commas. */
  readonly headers: ReadonlyMap<string, string>
  /** To be read to its end, or left by `discard`. @throws RemoteFailure where it breaks */
  readonly body: AsyncIterable<Uint8Array>
  /** Reads the rest of a short body, so that the connection serves the next request. */
  discard(): Promise<void>
  /** What arrives of the body in a short time, at most so many bytes. A connection with more of it ends. */
  start(maxBytes: number): Promise<Buffer>
}

export interface TransportOptions {
  /** In PEM, trusted beside those of Node and of the operating system. */
  readonly certificates: readonly string[]
  /** How long the other side may send nothing. */
  readonly silenceMs: number
  /** In place of those that the environment names. */
  readonly proxies: Proxies | undefined
  readonly lookUp?: LookUp
}

/** As `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say it. */
export interface Proxies {
  readonly httpProxy?: string
  readonly httpsProxy?: string
  readonly noProxy?: string
}

export function createTransport(options: TransportOptions): Transport {
  const agents = new Map<Reach, Dispatcher>()
  let secureContext: SecureContext | undefined
  const lookUp = sharedLookUp(options.lookUp ?? ((name, asked) => lookUpAddresses(name, { ...asked, all: true })))

  function agentFor(reach: Reach): Dispatcher {
    const found = agents.get(reach)
    if (found !== undefined) return found
    // Made once: it parses hundreds of certificates.
    secureContext ??= createSecureContext({ ca: authorities(options.certificates) })
    const made = makeAgent(reach, secureContext, lookUp, options)
    agents.set(reach, made)
    return made
  }

  return {
    async send({ url, reach }, { method, headers, body, signal, workMs }) {
      signal?.throwIfAborted()
      const stream = isStream(body) ? watched(body) : undefined
      try {
        const answer = await agentFor(reach).request({
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method,
          headers: { 'user-agent': 'lading', 'accept-encoding': 'identity', ...headers },
          ...(stream !== undefined && { body: Readable.from(stream.pieces, { objectMode: false }) }),
          ...(body !== undefined && !isStream(body) && { body }),
          ...(signal && { signal }),
          ...(workMs !== undefined && { headersTimeout: Math.max(workMs, options.silenceMs) }),
        })
        return toAnswer(answer, signal)
      } catch (cause) {
        throw stream?.broken()?.error ?? failureOf(cause, signal)
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()))
    },
  }
}

function makeAgent(
  reach: Reach,
  secureContext: SecureContext,
  lookUp: LookUp,
  { silenceMs, proxies }: TransportOptions,
): Dispatcher {
  const lookup = guardedLookup((address) => isWithin(reach, address), lookUp)
  const shared: Agent.Options = {
    // One connection for each stream, so that a slow one does not hold up others.
    allowH2: false,
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    connect: { lookup, secureContext, timeout: Math.min(silenceMs, connectMs), autoSelectFamily: true },
  }
  // A proxy is elsewhere, and cannot connect to this machine's loopback.
  if (reach === 'loopback') return new Agent(shared)
  const withProxies: Proxied.Options = {
    ...shared,
    ...proxies,
    requestTls: { secureContext },
    proxyTls: { secureContext },
  }
  return new EnvHttpProxyAgent(withProxies)
}

const connectMs = 10_000

function authorities(certificates: readonly string[]): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...certificates])]
}

/** The operating system's look-up cannot be cancelled, and few run at once. All who ask for a name at one time share one. */
function sharedLookUp(lookUp: LookUp): LookUp {
  const running = new Map<string, ReturnType<LookUp>>()
  return (name, options) => {
    const key = `${name} ${options.family ?? 0} ${options.hints ?? 0}`
    const found = running.get(key)
    if (found !== undefined) return found
    const started = lookUp(name, options).finally(() => running.delete(key))
    running.set(key, started)
    return started
  }
}

/** Remembers what a body throws, which is no failure of the other side. */
function watched(source: AsyncIterable<Uint8Array>) {
  let broken: { readonly error: unknown } | undefined
  async function* read() {
    try {
      for await (const chunk of source) {
        for (let at = 0; at < chunk.byteLength; at += pieceBytes) yield chunk.subarray(at, at + pieceBytes)
      }
    } catch (error) {
      broken = { error }
      throw error
    }
  }
  return { pieces: read(), broken: () => broken }
}

/** Silence counts from the last piece that the connection accepted, so that a slow connection soon accepts the next. */
const pieceBytes = 64 * 1024

export function isStream(body: TransportRequest['body']): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && Symbol.asyncIterator in body
}

function toAnswer(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  signal: AbortSignal | undefined,
): TransportAnswer {
  const joined = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  )
  return {
    status: statusCode,
    headers: new Map(joined),
    body: translated(body, signal),
    async discard() {
      await body.dump({ limit: longestDiscarded, signal: AbortSignal.timeout(longestRestMs) }).catch(() => {})
    },
    start: (maxBytes) => startOf(body, maxBytes),
  }
}

async function startOf(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let received = 0
  const timer = setTimeout(() => body.destroy(), longestRestMs)
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk)
      received += chunk.byteLength
      if (received >= maxBytes) break
    }
  } catch {
    // What arrived before it broke may be enough.
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}

/** A longer rest costs more than a new connection. */
const longestDiscarded = 64 * 1024
const longestRestMs = 5_000

async function* translated(body: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
  try {
    yield* body
  } catch (cause) {
    throw failureOf(cause, signal)
  }
}

function failureOf(cause: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason
  if (cause instanceof RemoteFailure) return cause
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause
  if (first instanceof AddressRefused) return new RemoteFailure('blocked', first.message, { cause })
  const code = first instanceof Error && 'code' in first ? String(first.code) : ''
  return new RemoteFailure('unreachable', reasons.find(([pattern]) => pattern.test(code))?.[1] ?? 'no answer', {
    cause,
  })
}

/** Said of the registry, so that no address of a proxy or a redirect target stands there. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/CERT|ISSUER|SELF_SIGNED|UNABLE_TO_VERIFY/, 'its certificate is not trusted'],
  [/ENOTFOUND|EAI_AGAIN/, 'its name has no address'],
  [/ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/, 'it refuses the connection'],
  [/CONNECT_TIMEOUT|ETIMEDOUT/, 'no connection in time'],
  [/HEADERS_TIMEOUT|BODY_TIMEOUT/, 'it fell silent'],
  [/HEADERS_OVERFLOW/, 'its answer has too many headers'],
  [/UND_ERR_SOCKET|ECONNRESET|EPIPE|CONTENT_LENGTH/, 'the connection broke'],
]
