// The HTTP server: request ids, logs, limits, health and graceful stop. It knows no surface; they register themselves
// on its `app` as Fastify plugins, each with its own errors, and what none of them serves is answered here.

import { randomUUID } from 'node:crypto'
import {
  createServer as createHttpServer,
  type Server as NodeServer,
  type ServerOptions as NodeServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { Logger } from 'pino'
import { type ConnectionHandle, expectConnections, serveAccepted } from './accepted.ts'
import { type ConnectionLimits, Connections } from './connections.ts'
import { EarlyAnswers } from './early-answers.ts'
import {
  answerClientError,
  answerError,
  answerNotFound,
  answerRepeatedHeader,
  answerStopping,
  answerUnknownCoding,
  requestIdHeader,
} from './errors.ts'
import { Handshakes } from './handshakes.ts'
import { type HealthCheck, healthPaths, healthRoutes } from './health.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { logRequest, type OnAnswered, pathOf, startOf } from './request-log.ts'
import { Turns } from './turns.ts'

export interface ServerOptions {
  readonly log: Logger
  /** What `/readyz` asks. */
  readonly checks: readonly HealthCheck[]
  /** PEM texts; without them it speaks HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** Addresses and CIDR ranges of those whose word counts on who their client is and whether it speaks TLS. */
  readonly trustedProxies?: readonly string[]
  readonly limits?: Partial<Limits>
  /** How many connections there may be; without bounds if it does not say. */
  readonly connectionLimits?: Partial<ConnectionLimits>
  /** Hears of each request but health checks. */
  readonly onAnswered?: OnAnswered
}

export interface HttpServer {
  /** Where surfaces register, before `listen`. */
  readonly app: FastifyInstance
  /** An empty host is every address; port 0 lets the system choose. Gives the port. */
  listen(address: { readonly host: string; readonly port: number }): Promise<number>
  /** Instead of `listen`: resolves with what serves a connection that another process accepted. */
  receive(): Promise<(handle: ConnectionHandle) => void>
  /**
   * Stops listening, refuses new requests on open connections, lets running ones end, and after the grace period cuts
   * them off. Resolves when no connection is left and the plugins' `onClose` hooks have run.
   */
  stop(): Promise<void>
}

/** Reads and writes of a socket go by up to 1 MiB, which for blobs is half again as fast as Node's 64 KiB. */
const socketBufferBytes = 1024 * 1024

const noConnectionLimits: ConnectionLimits = {
  maxConnections: Number.POSITIVE_INFINITY,
  connectionsPerAddress: Number.POSITIVE_INFINITY,
}

/** How often a server that stops looks for connections that have fallen idle. */
const idleCheckMs = 100

/** A repository's name reaches 256 characters, and three times that percent-encoded; Fastify's own limit is 100. */
const maxParamLength = 1024

export function createServer({
  log,
  checks,
  tls,
  trustedProxies = [],
  limits: given,
  connectionLimits,
  onAnswered = () => {},
}: ServerOptions): HttpServer {
  const limits = { ...defaultLimits, ...given }
  let stopping = false
  const isStopping = () => stopping
  const running = new Set<ServerResponse>()
  const handshakes = new Handshakes()
  const earlyAnswers = new EarlyAnswers()
  const connections = new Connections({ ...noConnectionLimits, ...connectionLimits }, trustedProxies, log)
  /** More than one where the host is `localhost`, which is two addresses. */
  const servers: ReturnType<typeof createNodeServer>[] = []

  /** Ends a connection on which nothing moved for so long, unless it is this side that the other waits for. */
  function endIdle(socket: Socket): void {
    for (const response of running) if (response.socket === socket && isBeingMade(response)) return
    socket.destroy()
  }

  const app = fastify({
    logger: false,
    // From an address that is not among them the headers count for nothing. Without any nobody looks at them.
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    genReqId: () => randomUUID(),
    serverFactory: (handler) => {
      const server = createNodeServer(handler, limits, tls)
      servers.push(server)
      connections.watch(server)
      if (tls) handshakes.watch(server)
      // With a listener for the event, node:http leaves it to that to end a connection.
      server.setTimeout(limits.idleMs, endIdle)
      return server
    },
    clientErrorHandler: (error, socket) => answerClientError(log, error, socket),
    frameworkErrors: (error, request, reply) => {
      begin(request, reply)
      answerError(log, error, request, reply)
    },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength },
    rewriteUrl: ({ url = '/' }) => originForm(url),
  })

  const requestLog = { log, quietPaths: healthPaths, onAnswered }
  const turns = new Turns()
  const closeIdle = () => {
    for (const server of servers) server.closeIdleConnections()
  }

  // Runs for each request (benchmark: manifest GET): one closure, and the log line only after the answer has left.
  function begin(request: FastifyRequest, reply: FastifyReply): void {
    const start = startOf(request)
    const response = reply.raw
    // On the bare response, so that an answer that a surface writes by itself has it too.
    response.setHeader(requestIdHeader, request.id)
    running.add(response)
    response.once('close', () => {
      running.delete(response)
      if (!request.raw.complete) earlyAnswers.add(request.raw)
      logRequest(requestLog, start, request, reply)
      // The connection counts as idle only after this event, and while stopping nobody else would close it.
      if (stopping) setImmediate(closeIdle)
    })
  }

  app.decorateRequest('logFacts', null)
  app.decorateRequest('requestClass', null)
  app.addHook('onRequest', (request, reply, done) => {
    begin(request, reply)
    turns.take(request, reply, () => {
      const repeated = repeatedHeader(request)
      if (stopping && !healthPaths.has(pathOf(request.url))) answerStopping(request, reply)
      else if (repeated !== undefined) answerRepeatedHeader(request, reply, repeated)
      else if (hasUnknownCoding(request)) answerUnknownCoding(request, reply)
      else done()
    })
  })
  app.setNotFoundHandler(answerNotFound)
  app.setErrorHandler((error, request, reply) => answerError(log, error, request, reply))
  healthRoutes(app, { log, checks, isStopping })

  return {
    app,
    async listen({ host, port }) {
      await app.listen({ host, port })
      const address = app.server.address()
      return typeof address === 'object' && address ? address.port : port
    },
    async receive() {
      await app.ready()
      expectConnections(app.server)
      return (handle) => serveAccepted(app.server, handle, socketBufferBytes)
    },
    async stop() {
      stopping = true
      const since = performance.now()
      for (const response of running) if (!response.headersSent) response.setHeader('connection', 'close')
      const cutOff = setTimeout(() => {
        for (const server of servers) server.closeAllConnections()
      }, limits.graceMs)
      // An answer may leave before its request's body has come, and then nothing tells when the connection falls idle.
      const idle = setInterval(() => {
        closeIdle()
        handshakes.cutOff()
        earlyAnswers.cutOff(since)
      }, idleCheckMs)
      await app.close()
      // Of a server that does not listen, Fastify waits for no connection.
      await connections.drained()
      clearInterval(idle)
      clearTimeout(cutOff)
    },
  }
}

/** A request target as a path, also where it came with scheme and host (RFC 9112 section 3.2.2). */
function originForm(url: string): string {
  if (url.startsWith('/')) return url
  const absolute = URL.parse(url)
  return absolute === null ? url : absolute.pathname + absolute.search
}

/**
 * `Host` or `Authorization`, if it came twice. They decide which registry is meant and who asks. Of several node:http keeps the
 * first, and a proxy may have judged another one. Runs for each request: `bench` figure "manifest GET by tag".
 */
function repeatedHeader({ raw: { rawHeaders } }: FastifyRequest): 'Host' | 'Authorization' | undefined {
  let hosts = 0
  let authorizations = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length === 4) hosts += Number(name.toLowerCase() === 'host')
    else if (name.length === 13) authorizations += Number(name.toLowerCase() === 'authorization')
  }
  if (hosts > 1) return 'Host'
  return authorizations > 1 ? 'Authorization' : undefined
}

/** node:http undoes `chunked` and leaves any other coding of the body as it is, which is then not what the client sent. */
function hasUnknownCoding({ raw }: FastifyRequest): boolean {
  const coding = raw.headers['transfer-encoding']
  return coding !== undefined && coding.toLowerCase() !== 'chunked'
}

/** The request has come whole, and what there is of the answer has been taken: a byte can come from this side only. */
function isBeingMade(response: ServerResponse): boolean {
  return response.req.complete && response.writableLength === 0
}

function createNodeServer(
  handler: Parameters<typeof createHttpServer>[1],
  limits: Limits,
  tls: ServerOptions['tls'],
): NodeServer {
  const options: NodeServerOptions = {
    highWaterMark: socketBufferBytes,
    headersTimeout: limits.headersMs,
    // Unbounded: an upload may take hours as long as bytes come, which the idle limit watches.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(5000, limits.headersMs),
  }
  if (tls === undefined) return createHttpServer(options, handler)
  return createHttpsServer({ ...options, ...tls, handshakeTimeout: limits.headersMs }, handler)
}
