import assert from 'node:assert/strict'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AuditTrail } from '#audit/trail.ts'
import type { Bodies } from '#http/bodies.ts'
import { type AccessRequest, type Authorizer, requireAllowed } from '#iam/authorize.ts'
import type { BasicCredentials, SignIn } from '#iam/basic.ts'
import type { Circumstances } from '#iam/circumstances.ts'
import { type DownloadLinks, linkParameter } from '#iam/download-links.ts'
import { anonymousPrincipal, type Caller, type Principal } from '#iam/principal.ts'
import { refuse as refuseIdentity } from '#iam/refusals.ts'
import type { RequestRates } from '#iam/request-rates.ts'
import type { Clock } from '#lib/clock.ts'
import { Refusal } from '#lib/refusal.ts'
import { repositoryArn } from '#names/arn.ts'
import type { Endpoints } from '#names/endpoints.ts'
import type { Mirror } from '#names/mirror.ts'
import type { Registry } from '#names/registry.ts'
import type { ContentRefusals } from '#registry/refusals.ts'
import { auditedCreation, auditedRequest, type Progress, pullKey } from './audited.ts'
import type { FamilyRoutes, OciCall, Route } from './call.ts'
import { createErrorAnswers, deniedAnswer } from './error-answers.ts'
import { createLocate, type Located, type Mirrors } from './mirrors.ts'
import { refuse } from './refusals.ts'
import { parseSource, replicationActions, sourceRegionHeader } from './replication.ts'
import { requestClassOf, unknownRequest } from './request-classes.ts'
import { type Family, type OciPath, parseOciPath } from './url.ts'

/** Every endpoint of the distribution API. A family without an entry does not compile. */
export type OciRoutes = { readonly [F in Family]: FamilyRoutes<F> }

export interface DispatchParts {
  readonly routes: OciRoutes
  readonly bodies: Bodies
  readonly basic: BasicCredentials
  readonly authorizer: Authorizer
  readonly requestRates: RequestRates
  readonly clock: Clock
  readonly downloadLinks: DownloadLinks
  readonly endpoints: Endpoints
  readonly mirrors: Mirrors
  readonly anonymousPull: AnonymousPull
  readonly audit: Pick<AuditTrail, 'record' | 'repeats'>
  readonly log: { error(fields: object, message: string): void }
}

/**
 * Answers one request of the data plane: authenticate → parse → find → authorize → handle. Credentials come first, so that a
 * stranger learns nothing but the challenge. Flat on purpose: `bench` figure "manifest GET by tag".
 */
export function createDispatch({
  routes,
  bodies,
  basic,
  authorizer,
  requestRates,
  clock,
  downloadLinks,
  endpoints,
  mirrors,
  anonymousPull,
  audit,
  log,
}: DispatchParts) {
  const locate = createLocate({ mirrors, endpoints })
  const { explain, write } = createErrorAnswers({ endpoints, log })

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

  function circumstancesOf({ ip, protocol, headers }: FastifyRequest, { region }: Registry): Circumstances {
    return { sourceIp: ip, secure: protocol === 'https', userAgent: headers['user-agent'], region, now: clock() }
  }

  async function mayAct(access: Access, action: string, resource: string): Promise<boolean> {
    return (await authorizer.decide({ ...access, action, resource })).verdict.allowed
  }

  /** @throws Refusal `AccessDenied` */
  async function requireActions(access: Access, { actions }: Pick<Route<Family>, 'actions'>, resource: string) {
    for (const [first, ...others] of actions) {
      const decided = authorizer.decide({ ...access, action: first, resource })
      const decision = decided instanceof Promise ? await decided : decided
      if (decision.verdict.allowed) continue
      if (decision.verdict.reason !== 'no allow') requireAllowed(decision)
      let allowed = false
      for (const other of others) allowed ||= await mayAct(access, other, resource)
      if (!allowed) requireAllowed(decision)
    }
  }

  /**
   * An access key in place of a token needs what asking for the token would need: policies that deny it there deny it here.
   *
   * @throws Refusal `AccessDenied`
   */
  async function requireLogin(principal: Principal, { registry: { region }, circumstances }: Access): Promise<void> {
    const registry = { account: principal.account, region }
    const action = 'ecr:GetAuthorizationToken'
    requireAllowed(await authorizer.decide({ principal, registry, circumstances, action, resource: '*' }))
  }

  async function run(request: FastifyRequest, reply: FastifyReply, progress: Progress): Promise<unknown> {
    const { url = '', method = '' } = request.raw
    const mark = url.indexOf('?')
    const rawPath = mark === -1 ? url : url.slice(0, mark)
    const query = mark === -1 ? noQuery : new URLSearchParams(url.slice(mark + 1))
    const { authorization, host } = request.headers

    let caller: Caller | undefined
    let signIn: SignIn | undefined
    let mirror: Mirror | undefined
    let registry = authorization === undefined ? await registryOfLink(rawPath, query, method) : undefined
    if (registry === undefined) {
      mirror = endpoints.mirrorAt(host)
      if (isWithoutCredentials(authorization) && anonymousPull.isOpenTo(request.ip)) {
        caller = anonymousPrincipal
        request.logFacts = { principal: caller.arn }
        requestRates.requireAnonymous(request.ip)
      } else {
        signIn = await basic.authenticate(authorization, request)
        caller = signIn.principal
        request.logFacts = { principal: caller.arn }
        requestRates.require(signIn.principal)
      }
      registry = mirror?.registry ?? registryOfHost(host) ?? signIn ?? anonymousPull.registry
    }
    progress.principal = caller
    progress.registry = registry

    const asked = parseOciPath(rawPath)
    if (asked === undefined) throw refuse('EndpointUnknown', { path: rawPath })
    const route = findRoute(routes, asked, method)
    if (route === undefined) throw refuse('MethodUnsupported', { method, supported: Object.keys(routes[asked.family]) })
    request.requestClass = requestClassOf(asked.family, method)
    let path = asked
    let located: Located | undefined
    if (caller !== undefined && (mirror !== undefined || query !== noQuery)) {
      const origin = { secure: request.protocol === 'https', host }
      located = await locate({ path: asked, method, query, registry, mirror, origin })
      path = located.path
      progress.asked = located.asked
      if (located.mirrored !== undefined && 'name' in path) {
        request.logFacts = { ...request.logFacts, repository: path.name }
      }
    }
    progress.path = path
    progress.route = route
    progress.circumstances = circumstancesOf(request, registry)
    if (signIn?.kind === 'token' && registry.region !== signIn.region) {
      throw refuse('TokenOfOtherRegion', { tokenRegion: signIn.region, region: registry.region })
    }
    const access = caller && { principal: caller, registry, circumstances: progress.circumstances }
    if (access !== undefined && signIn?.kind === 'access key') await requireLogin(signIn.principal, access)
    // Clients that have credentials send them only after a challenge, and most ask here for one. Docker sends a mirror none.
    if (caller === anonymousPrincipal && path.family === 'base' && mirror === undefined) {
      throw refuseIdentity('CredentialsMissing', {})
    }
    const source =
      route.replicates && request.headers[sourceRegionHeader] !== undefined
        ? requireSource(request, caller, registry)
        : undefined
    progress.source = source
    if (access !== undefined) await requireActions(access, source ? replicating : route, resourceOf(registry, path))

    const may: OciCall<Family>['may'] = async (action, name) =>
      access !== undefined && (await mayAct(access, action, repositoryArn(registry, name)))
    const require: OciCall<Family>['require'] = async (action, name) => {
      assert.ok(access !== undefined, 'a download link only reads')
      const resource = repositoryArn(access.registry, name)
      requireAllowed(await authorizer.decide({ ...access, action, resource }))
    }
    if (located?.refusal !== undefined) throw located.refusal
    const noteCreation = () => {
      progress.hasCreated = true
    }
    const mirrored = located?.mirrored
    const call = { path, registry, query, request, reply, caller, source, may, require, noteCreation, mirrored }
    const uncached = located?.uncachedHost
    return uncached === undefined ? route.handle(call) : handleNaming(uncached, call, route)
  }

  /** Says why the repository is not there to a client that named an upstream's host. */
  async function handleNaming(host: string, call: OciCall<Family>, route: Route<Family>): Promise<unknown> {
    try {
      return await route.handle(call)
    } catch (error) {
      const missing = error instanceof Refusal && error.code === ('RepositoryNotFound' satisfies keyof ContentRefusals)
      if (!missing || !('name' in call.path)) throw error
      throw refuse('HostNotCached', { host, registry: call.registry, repository: call.path.name })
    }
  }

  return async function dispatch(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    // On the bare response, for handlers that write their answer past Fastify.
    reply.raw.setHeader('docker-distribution-api-version', 'registry/2.0')
    request.requestClass = unknownRequest
    const progress: Progress = {
      ...{ principal: undefined, registry: undefined, circumstances: undefined, path: undefined, route: undefined },
      ...{ asked: undefined, source: undefined, hasCreated: false },
    }
    try {
      const answered = await run(request, reply, progress)
      record(request, reply, progress)
      return answered
    } catch (error) {
      if (reply.sent) {
        log.error({ err: error, requestId: request.id }, 'an answer broke off')
        return reply
      }
      const stranger = request.logFacts === null || progress.principal === anonymousPrincipal
      bodies.drain(request.raw, stranger ? 'stranger' : 'known')
      const answer = explain(error, request)
      const audited = auditedRequest(request, reply, progress, { ...answer, error })
      if (audited !== undefined) audit.record(audited)
      recordCreation(request, progress)
      const denied = audited?.error?.denial !== undefined
      return write(request, reply, denied ? deniedAnswer(answer, progress, error) : answer, { denied })
    }
  }

  /** Flat on purpose: `bench` figure "manifest GET by tag". */
  function record(request: FastifyRequest, reply: FastifyReply, progress: Progress): void {
    const key = pullKey(request, progress)
    if (key !== undefined && audit.repeats(key, progress.circumstances?.now ?? clock())) return
    const audited = auditedRequest(request, reply, progress)
    if (audited !== undefined) audit.record(audited, key)
    recordCreation(request, progress)
  }

  function recordCreation(request: FastifyRequest, progress: Progress): void {
    const created = progress.hasCreated ? auditedCreation(request, progress) : undefined
    if (created !== undefined) audit.record(created)
  }
}

/** Who is served without credentials. */
export interface AnonymousPull {
  isOpenTo(address: string): boolean
  /** The registry that such a caller asks at a host that names none. */
  readonly registry: Registry
}

/** The registry that a request with the header replicates from. @throws Refusal `CredentialsMissing`, `NameInvalid`, `HeaderInvalid` */
function requireSource({ headers }: FastifyRequest, caller: Caller | undefined, destination: Registry): Registry {
  if (caller?.account === undefined) throw refuseIdentity('CredentialsMissing', {})
  return parseSource(headers, caller, destination)
}

/** podman answers a challenge with an empty user and an empty password if it has no credentials. */
function isWithoutCredentials(authorization: string | undefined): boolean {
  return authorization === undefined || authorization === 'Basic Og=='
}

/** Who acts, on which registry and in which circumstances. */
type Access = Pick<AccessRequest, 'principal' | 'registry' | 'circumstances'>

const noQuery = new URLSearchParams()

const replicating = { actions: replicationActions }

function findRoute(routes: OciRoutes, { family }: OciPath, method: string): Route<Family> | undefined {
  const ofFamily: Partial<Record<string, unknown>> = routes[family]
  if (!Object.hasOwn(ofFamily, method) && method !== 'HEAD') return undefined
  // Where HEAD has no route of its own, it is GET, whose body node:http leaves out. A family's routes take that family's
  // paths, which is what the path was looked up by.
  return (ofFamily[method] ?? ofFamily.GET) as Route<Family> | undefined
}

function resourceOf(registry: Registry, path: OciPath): string {
  return repositoryArn(registry, 'name' in path ? path.name : '*')
}
