/**
 * A stand-in for Docker Hub over real HTTP: Bearer challenges, a rate limit, a CDN at another origin, and any fault that a test
 * asks for. It holds content itself, or stands in front of another registry.
 *
 *     await using hub = await startHub()
 *     hub.content.push('library/demo', image(), 'latest')
 *     hub.fail({ at: 'cdn', kind: 'blobs' }, { kind: 'cut', afterBytes: 1000 }, 1)
 *     …
 *     assert.equal(hub.log.count({ at: 'cdn', method: 'GET' }), 2)
 */
import { createHmac, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { HubAccess, type HubAccessOptions, sendJson } from './hub-access.ts'
import { answerFrom, answerFromRegistry } from './hub-answers.ts'
import { HubContent } from './hub-content.ts'
import { answerInstead, drained, type HubFault, HubFaults, spoilBody, spoilHeaders } from './hub-faults.ts'
import { HubLog, type HubMatch, type HubRequest } from './hub-log.ts'

/** How the hub behaves. A test may change it at any time. */
export interface HubBehaviour extends HubAccessOptions {
  /** Every connection ends without an answer. */
  down: boolean
  /** GETs of manifests until the answer is 429. HEAD is free. */
  rateLimit: { limit: number; used: number; windowSeconds: number; retryAfter: string | undefined } | undefined
  /** Whether blobs are redirected to the CDN, or sent by the registry itself. */
  cdn: boolean
  cdnLinkMs: number
  /** Of all answers of the CDN together. */
  cdnBytesPerSecond: number
  /** Whether CDN and registry honour `Range`. */
  ranges: boolean
  referrers: boolean
  pageSize: number
}

export interface Hub extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string
  readonly url: string
  readonly cdnHost: string
  readonly behaviour: HubBehaviour
  readonly content: HubContent
  readonly log: HubLog
  /** Requests that match are answered so, for ever or so many times. Returns what ends it. */
  fail(match: HubMatch, fault: HubFault, times?: number): () => void
  /** Ends all faults. */
  recover(): void
}

export interface HubOptions extends Partial<HubBehaviour> {
  /** A registry to stand in front of, such as `http://127.0.0.1:5000`, in place of content of its own. */
  readonly registry?: string
  /** Serves HTTPS with the certificate of `test/fixtures/tls`. */
  readonly tls?: boolean
}

export const hubUser = { username: 'hub', password: 'secret' }

export async function startHub({ registry, tls = false, ...behaviour }: HubOptions = {}): Promise<Hub> {
  const options: HubBehaviour = { ...defaults(), ...behaviour }
  const parts: HubParts = {
    options,
    content: new HubContent(),
    log: new HubLog(),
    faults: new HubFaults(),
    registry,
    linkKey: randomUUID(),
    limiter: { freeAt: 0 },
  }
  let url = ''
  let cdnUrl = ''
  const access = new HubAccess(options, () => url)
  await using servers = new AsyncDisposableStack()
  const start = async (listener: RequestListener) => {
    const server = await listen(listener, tls)
    servers.defer(() => stop(server))
    return `${tls ? 'https' : 'http'}://127.0.0.1:${portOf(server)}`
  }
  cdnUrl = await start((request, response) => {
    const entry = parts.log.add('cdn', request, response)
    if (options.down) return void request.socket.destroy()
    guard(response, serveCdn(parts, entry, response))
  })
  url = await start((request, response) => {
    const entry = parts.log.add('registry', request, response)
    if (options.down) return void request.socket.destroy()
    const fault = parts.faults.take(entry)
    if (entry.at === 'token') {
      if (!answerInstead(fault, entry, response)) access.sendToken(request, response)
      return
    }
    if (fault?.kind === 'unauthorized') return access.challenge(entry, response, 'invalid_token')
    if (access.admits(entry, response)) guard(response, serveRegistry(parts, entry, fault, response, cdnUrl))
  })
  const running = servers.move()
  return {
    host: new URL(url).host,
    url,
    cdnHost: new URL(cdnUrl).host,
    behaviour: options,
    content: parts.content,
    log: parts.log,
    fail: (match, fault, times) => parts.faults.add(match, fault, times),
    recover: () => parts.faults.clear(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

interface HubParts {
  readonly options: HubBehaviour
  readonly content: HubContent
  readonly log: HubLog
  readonly faults: HubFaults
  readonly registry: string | undefined
  readonly linkKey: string
  readonly limiter: { freeAt: number }
}

function defaults(): HubBehaviour {
  return {
    authentication: 'token',
    users: new Map([[hubUser.username, hubUser.password]]),
    privateRepositories: new Set(),
    tokenSeconds: 300,
    omitExpiry: false,
    realm: undefined,
    challengeScope: undefined,
    down: false,
    rateLimit: undefined,
    cdn: true,
    cdnLinkMs: 5000,
    cdnBytesPerSecond: Number.POSITIVE_INFINITY,
    ranges: true,
    referrers: true,
    pageSize: 100,
  }
}

async function serveRegistry(
  parts: HubParts,
  entry: HubRequest,
  fault: HubFault | undefined,
  response: ServerResponse,
  cdnUrl: string,
): Promise<void> {
  const { options } = parts
  if (entry.method !== 'GET' && entry.method !== 'HEAD') return sendJson(response, 405, {})
  if (entry.kind === 'manifests' && isOverLimit(options, entry, response)) return
  if (answerInstead(fault, entry, response)) return
  if (entry.kind === 'blobs' && entry.method === 'GET' && options.cdn) {
    const { pathname } = new URL(entry.path, 'http://hub')
    const end = Date.now() + options.cdnLinkMs
    const location = `${cdnUrl}${pathname}?e=${end}&s=${signLink(parts, pathname, end)}`
    response.writeHead(307, { location, 'content-length': '0' }).end()
    return
  }
  await send(parts, entry, fault, response, Number.POSITIVE_INFINITY)
}

async function serveCdn(parts: HubParts, entry: HubRequest, response: ServerResponse): Promise<void> {
  const { options, faults } = parts
  const { pathname, searchParams } = new URL(entry.path, 'http://hub')
  const end = Number(searchParams.get('e'))
  // As S3 does.
  if (entry.authorization !== 'none') return void response.writeHead(400).end('Only one auth mechanism allowed')
  if (searchParams.get('s') !== signLink(parts, pathname, end) || end < Date.now()) {
    return void response.writeHead(403).end('expired')
  }
  const fault = faults.take(entry)
  if (answerInstead(fault, entry, response)) return
  await send(parts, entry, fault, response, options.cdnBytesPerSecond)
}

async function send(
  { options, content, registry, limiter }: HubParts,
  entry: HubRequest,
  fault: HubFault | undefined,
  response: ServerResponse,
  bytesPerSecond: number,
): Promise<void> {
  const find = registry === undefined ? answerFrom(content) : answerFromRegistry(registry)
  const { status, headers, body } = await find(entry, options)
  const spoiled = spoilHeaders(fault, headers)
  response.writeHead(status, spoiled)
  if (entry.method === 'HEAD') return void response.end()
  response.flushHeaders()
  for await (const chunk of spoilBody(fault, body, Number(spoiled['content-length']))) {
    if (Number.isFinite(bytesPerSecond)) await turnFor(chunk.byteLength, bytesPerSecond, limiter)
    if (response.destroyed) return
    entry.sentBytes += chunk.byteLength
    if (!response.write(chunk)) await drained(response)
  }
  response.end()
}

/** Resolves when the link has sent so many bytes, after all that were asked for before. */
async function turnFor(bytes: number, bytesPerSecond: number, limiter: HubParts['limiter']): Promise<void> {
  limiter.freeAt = Math.max(limiter.freeAt, performance.now()) + (bytes / bytesPerSecond) * 1000
  const waitMs = limiter.freeAt - performance.now()
  if (waitMs > 1) await delay(waitMs)
}

/** Counts a manifest against the limit, and answers 429 over it. */
function isOverLimit({ rateLimit }: HubBehaviour, { method }: HubRequest, response: ServerResponse): boolean {
  if (rateLimit === undefined) return false
  const { limit, windowSeconds, retryAfter } = rateLimit
  const over = method === 'GET' && rateLimit.used >= limit
  if (method === 'GET' && !over) rateLimit.used++
  response.setHeader('ratelimit-limit', `${limit};w=${windowSeconds}`)
  response.setHeader('ratelimit-remaining', `${limit - rateLimit.used};w=${windowSeconds}`)
  response.setHeader('docker-ratelimit-source', '127.0.0.1')
  if (!over) return false
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
  sendJson(response, 429, { errors: [{ code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit.' }] })
  return true
}

function signLink({ linkKey }: HubParts, path: string, end: number): string {
  return createHmac('sha256', linkKey).update(`${path}?${end}`).digest('base64url')
}

/** Ends the connection when the answer breaks. */
function guard(response: ServerResponse, answer: Promise<void>): void {
  answer.catch(() => response.socket?.destroy())
}

async function listen(listener: RequestListener, tls: boolean): Promise<Server> {
  const server = tls
    ? createHttpsServer({ cert: selfSigned.cert, key: selfSigned.key }, listener)
    : createHttpServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  return address.port
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}
