import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bodies } from '#http/bodies.ts'
import { authorize, requireAllowed } from '#iam/authorize.ts'
import type { BasicCredentials } from '#iam/basic.ts'
import { type DownloadLinks, linkParameter } from '#iam/download-links.ts'
import type { Principal } from '#iam/principal.ts'
import { hasCode } from '#lib/system-error.ts'
import { repositoryArn } from '#names/arn.ts'
import type { Endpoints } from '#names/endpoints.ts'
import type { Registry } from '#names/registry.ts'
import type { FamilyRoutes, OciCall, Route } from './call.ts'
import { answer, describeError, type OciAnswer } from './errors.ts'
import { refuse } from './refusals.ts'
import { type Family, type OciPath, parseOciPath } from './url.ts'

/** Every endpoint of the distribution API. A family without an entry does not compile. */
export type OciRoutes = { readonly [F in Family]: FamilyRoutes<F> }

export interface DispatchParts {
  readonly routes: OciRoutes
  readonly bodies: Bodies
  readonly credentials: BasicCredentials
  readonly downloadLinks: DownloadLinks
  readonly endpoints: Endpoints
  readonly log: { error(fields: object, message: string): void }
}

/**
 * Answers one request of the data plane: authenticate → parse → find → authorize → handle. Credentials come first, so that a
 * stranger learns nothing but the challenge. Flat on purpose: `bench` figure "manifest GET by tag".
 */
export function createDispatch({ routes, bodies, credentials, downloadLinks, endpoints, log }: DispatchParts) {
  /** A blob's own link stands in for credentials, for that blob and for reading. */
  async function registryOfLink(path: string, query: URLSearchParams, method: string): Promise<Registry | undefined> {
    const link = query.get(linkParameter)
    if (link === null || (method !== 'GET' && method !== 'HEAD')) return undefined
    const parsed = parseOciPath(path)
    const registry = parsed?.family === 'blob' ? await downloadLinks.verify(link, parsed) : undefined
    if (registry === undefined) throw refuse('DownloadLinkInvalid', {})
    return registry
  }

  function registryOfHost(host: string | undefined): Registry | undefined {
    const registry = endpoints.registryAt(host)
    if (registry === 'unresolvable') throw refuse('HostUnresolvable', { host: host ?? '' })
    return registry
  }

  async function run(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { url = '', method = '' } = request.raw
    const mark = url.indexOf('?')
    const rawPath = mark === -1 ? url : url.slice(0, mark)
    const query = mark === -1 ? noQuery : new URLSearchParams(url.slice(mark + 1))
    const { authorization, host } = request.headers

    let caller: Principal | undefined
    let registry = authorization === undefined ? await registryOfLink(rawPath, query, method) : undefined
    if (registry === undefined) {
      const token = await credentials.authenticate(authorization)
      caller = token.principal
      request.logFacts = { principal: caller.arn }
      registry = registryOfHost(host) ?? token
      if (registry.region !== token.region) {
        throw refuse('TokenOfOtherRegion', { tokenRegion: token.region, region: registry.region })
      }
    }

    const path = parseOciPath(rawPath)
    if (path === undefined) throw refuse('EndpointUnknown', { path: rawPath })
    const route = findRoute(routes, path, method)
    if (route === undefined) throw refuse('MethodUnsupported', { method, supported: Object.keys(routes[path.family]) })
    if (caller !== undefined) requireActions(caller, route, resourceOf(registry, path))

    const may: OciCall<Family>['may'] = (action, name) =>
      caller !== undefined && authorize(caller, action, repositoryArn(registry, name)).allowed
    return route.handle({ path, registry, caller, query, request, reply, may })
  }

  return async function dispatch(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    // On the bare response, for handlers that write their answer past Fastify.
    reply.raw.setHeader('docker-distribution-api-version', 'registry/2.0')
    try {
      return await run(request, reply)
    } catch (error) {
      if (reply.sent) {
        log.error({ err: error, requestId: request.id }, 'an answer broke off')
        return reply
      }
      bodies.drain(request.raw, request.logFacts === null ? 'stranger' : 'known')
      return write(reply, explain(error, request), request)
    }
  }

  function explain(error: unknown, { id, raw }: FastifyRequest): OciAnswer {
    const described = describeError(error)
    if (described !== undefined && described.status !== 507) return described
    // A client that went away in the middle of its body is no failure of ours, and nobody is left to read the answer.
    if (!isAbort(error) || !raw.socket.destroyed)
      log.error({ err: error, requestId: id }, 'a request of the data plane failed')
    return described ?? answer(500, 'UNKNOWN', `The request failed; the log tells more under the request id ${id}`)
  }

  function write(reply: FastifyReply, { status, headers, body }: OciAnswer, { headers: { host } }: FastifyRequest) {
    if (status === 401) reply.header('www-authenticate', challenge(host))
    return reply.code(status).headers(headers).type('application/json; charset=utf-8').send(body)
  }

  /** As ECR's, with the realm of the registry that was asked. */
  function challenge(host: string | undefined): string {
    const registry = endpoints.registryAt(host)
    const realm =
      registry === undefined || registry === 'unresolvable' ? endpoints.publicUrl() : endpoints.proxyEndpoint(registry)
    return `Basic realm="${realm}/",service="ecr.amazonaws.com"`
  }
}

const noQuery = new URLSearchParams()

function findRoute(routes: OciRoutes, { family }: OciPath, method: string): Route<Family> | undefined {
  const ofFamily: Partial<Record<string, unknown>> = routes[family]
  if (!Object.hasOwn(ofFamily, method) && method !== 'HEAD') return undefined
  // Where HEAD has no route of its own, it is GET, whose body node:http leaves out. A family's routes take that family's
  // paths, which is what the path was looked up by.
  return (ofFamily[method] ?? ofFamily.GET) as Route<Family> | undefined
}

/** @throws Refusal `AccessDenied` */
function requireActions(caller: Principal, { actions }: Route<Family>, resource: string): void {
  for (const [first, ...others] of actions) {
    if (others.some((other) => authorize(caller, other, resource).allowed)) continue
    requireAllowed(caller, first, resource)
  }
}

function resourceOf(registry: Registry, path: OciPath): string {
  return repositoryArn(registry, 'name' in path ? path.name : '*')
}

/** How node:http tells that the client went away in the middle of its body. */
function isAbort(error: unknown): boolean {
  return hasCode(error, 'ECONNRESET') || hasCode(error, 'ERR_STREAM_PREMATURE_CLOSE')
}
