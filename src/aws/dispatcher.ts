import { isReadOnly } from '#audit/read-only.ts'
import type { AuditTrail } from '#audit/trail.ts'
import type { Body } from '#http/bodies.ts'
import { type Authorizer, type Decision, requireAllowed } from '#iam/authorize.ts'
import type { Circumstances } from '#iam/circumstances.ts'
import type { KeyUses } from '#iam/keys/key-uses.ts'
import type { Principal } from '#iam/principal.ts'
import type { RequestRates } from '#iam/request-rates.ts'
import type { Clock } from '#lib/clock.ts'
import type { RequestClass } from '#lib/request-class.ts'
import { isAccountId } from '#names/account.ts'
import type { Region } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'
import { auditedCall, type Failure, type Progress } from './audited.ts'
import { type AwsError, commonErrors, missingAuthentication, unknownOperation } from './aws-error.ts'
import { type Answer, type Call, type CallHead, header } from './call.ts'
import { describeFailure } from './exceptions.ts'
import { writeJsonError } from './json-surface.ts'
import type { OperationTypes, Resource, UnsignedHandler } from './operation.ts'
import { isForm, readParameters, writeQueryError } from './query-surface.ts'
import { claimsSignature, scopedService } from './signature-claim.ts'
import { type Authenticated, createSignatureVerifier, type FindCredential, requireScope } from './sigv4.ts'
import type { Operation, Surface } from './surface.ts'

/** Reads the call's body, which is then in memory until it is disposed of. @throws Refusal of `BodyRefusals` */
export type ReadBody = (maxBytes: number) => Promise<Body>

/** Enough for every operation that does not say otherwise: the longest text among their inputs is a policy of some 30 KiB. */
const defaultMaxBodyBytes = 1024 * 1024

/** Of a stranger: an identity provider's token has some thousand bytes. */
const unsignedMaxBodyBytes = 64 * 1024

/**
 * Answers one AWS call, whatever its service: recognise → claim of a signature → body → verify the signature → find → read →
 * authorize → handle → write. What the head decides is decided before the body is read, so that a stranger's costs nothing;
 * the signature comes before everything that depends on the request, so that a stranger learns nothing, not even which
 * operations there are. Every failure becomes an answer in the caller's protocol.
 */
export type Dispatch = (head: CallHead, readBody: ReadBody) => Promise<Dispatched>

export interface Dispatched {
  readonly answer: Answer
  /** What the log tells of the call: its operation, its principal once that is proved, the error's name. */
  readonly facts: CallFacts
  readonly requestClass: RequestClass
}

type CallFacts = { readonly [Fact in 'operation' | 'principal' | 'error']?: string }

export interface DispatcherParts {
  readonly surfaces: readonly Surface[]
  readonly findCredential: FindCredential<Principal>
  readonly authorizer: Pick<Authorizer, 'decide'>
  /** Where each call of a sender who has been proved is recorded, and each refusal to take on a role. */
  readonly audit: Pick<AuditTrail, 'record'>
  readonly keyUses: Pick<KeyUses, 'record'>
  readonly requestRates: RequestRates
  readonly clock: Clock
}

export function createDispatcher({
  surfaces,
  findCredential,
  authorizer,
  audit,
  keyUses,
  requestRates,
  clock,
}: DispatcherParts): Dispatch {
  const signatures = createSignatureVerifier({ findCredential, clock })

  function circumstancesOf({ client, headers }: CallHead, region: Region | undefined): Circumstances {
    return { sourceIp: client.address, secure: client.secure, userAgent: headers['user-agent'], region, now: clock() }
  }

  async function run(progress: Progress, call: Call, surface: Surface, operation: Operation, caller: Caller) {
    const { handler, name } = operation
    const { requestId, signal } = call
    const { principal, region } = caller
    if (handler.unsigned) return runUnsigned(progress, call, operation, handler)
    const input = operation.read(call)
    const registry = { account: namedAccount(input) ?? principal.account, region }
    const { circumstances } = progress
    const conditions = handler.conditions?.({ input, registry, principal })
    Object.assign(progress, { input, owner: registry.account, conditions })
    const decide = (action: string, resource: Resource) => {
      const asked = typeof resource === 'string' ? { resource } : { resource: resource.arn, deleted: resource.deleted }
      return authorizer.decide({ principal, action, ...asked, registry, circumstances, conditions })
    }
    const may = async (action: string, resource: Resource) => (await decide(action, resource)).verdict.allowed
    const request = { input, registry, principal }
    const demand = (decision: Decision) => requireAllowed(decision, handler.named?.(input))
    let resources: readonly Resource[] = []

    if (handler.resource !== 'unrestricted') {
      resources = [await handler.resource(request)].flat()
      progress.resources = resources.map((resource) => (typeof resource === 'string' ? resource : resource.arn))
      for (const resource of resources) {
        const own = await decide(`${surface.service}:${name}`, resource)
        if (!(isSilent(own) && (await anyOf(handler.instead ?? [], (action) => may(action, resource))))) demand(own)
      }
      for (const action of handler.also?.(input) ?? []) {
        for (const resource of resources) demand(await decide(action, resource))
      }
    }
    const output = await handler.handle({
      ...request,
      ...{
        circumstances,
        origin: { secure: call.client.secure, host: call.headers.host },
        requestId,
        signal,
        resources,
      },
      may,
      require: async (action, resource) => requireAllowed(await decide(action, resource)),
    })
    progress.output = output
    return operation.write(output, requestId)
  }

  async function runUnsigned(
    progress: Progress,
    call: Call,
    operation: Operation,
    handler: UnsignedHandler<OperationTypes>,
  ) {
    const { requestId, signal } = call
    const input = operation.read(call)
    progress.input = input
    const output = await handler.handle({ input, circumstances: progress.circumstances, requestId, signal })
    progress.output = output
    return operation.write(output, requestId)
  }

  function record({ requestId }: CallHead, { surface, name, operation }: Asked, progress: Progress, failure?: Failure) {
    const what = { requestId, service: surface.service ?? 'unknown', name, operation }
    const audited = auditedCall(what, progress, failure)
    if (audited !== undefined) audit.record(audited)
  }

  return async function dispatch(head, readBody) {
    let asked = recognise(surfaces, { ...head, body: noBody })
    const progress: Progress = { principal: undefined, circumstances: circumstancesOf(head, undefined) }
    const facts = (error?: string): CallFacts => ({
      ...(asked.operation && { operation: asked.operation.name }),
      ...(progress.principal && { principal: progress.principal.arn }),
      ...(error !== undefined && { error }),
    })
    const counted = () => ({ requestClass: requestClassOf(asked) })
    try {
      const signed = claimsSignature(head) ? await signatures.readSigned(head) : undefined
      if (signed === undefined) requireUnsigned(asked, head)
      else requireScope(signed.claim, asked.surface.service)
      const maxBytes = asked.operation?.handler.largeBody?.maxBytes ?? defaultMaxBodyBytes
      using body = await readBody(signed === undefined ? unsignedMaxBodyBytes : maxBytes)
      const call = { ...head, body: body.bytes }
      // A form says what it asks for in its body.
      asked = recognise(surfaces, call)
      const { surface, name, operation } = asked
      if (signed === undefined) {
        if (operation?.handler.unsigned !== true) throw missingAuthentication()
        const answer = await runUnsigned(progress, call, operation, operation.handler)
        record(head, asked, progress)
        return { answer, facts: facts(), ...counted() }
      }
      requireScope(signed.claim, surface.service)
      const caller = await signatures.verify(call, signed)
      progress.principal = caller.principal
      requestRates.require(caller.principal)
      keyUses.record(caller.principal.accessKeyId, { service: signed.claim.service, region: caller.region })
      progress.circumstances = circumstancesOf(head, caller.region)
      if (operation === undefined) throw surface.missing(name)
      const answer = await run(progress, call, surface, operation, caller)
      record(head, asked, progress)
      return { answer, facts: facts(), ...counted() }
    } catch (error) {
      const { surface, operation } = asked
      const failure = explain(error, surface, operation, head)
      record(head, asked, progress, { failure, error })
      return { answer: surface.writeError(failure, head.requestId), facts: facts(failure.code), ...counted() }
    }
  }
}

type Caller = Authenticated<Principal>

const noBody = Buffer.alloc(0)

/** Without a signature only a form may be for an operation that asks for none, since only its body says. @throws AwsError */
function requireUnsigned({ operation, surface }: Asked, head: CallHead): void {
  const mayBe = operation === undefined ? surface.protocol === 'query' && isForm(head) : operation.handler.unsigned
  if (!mayBe) throw missingAuthentication()
}

/** Nothing allows it, and nothing denies it. */
function isSilent({ verdict }: Decision): boolean {
  return !verdict.allowed && verdict.reason === 'no allow'
}

async function anyOf<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<boolean> {
  for (const item of items) if (await holds(item)) return true
  return false
}

/** As what a call is counted: by its service, and whether it only reads. */
function requestClassOf({ surface: { service }, operation }: Asked): RequestClass {
  const what = operation === undefined ? 'other' : isReadOnly(operation.name) ? 'read' : 'write'
  return { surface: service ?? 'aws', operation: what }
}

interface Asked {
  readonly surface: Surface
  readonly name: string
  readonly operation: Operation | undefined
}

function recognise(surfaces: readonly Surface[], call: Call): Asked {
  for (const surface of surfaces) {
    const name = surface.recognise(call)
    if (name !== undefined) return { surface, name, operation: surface.find(name) }
  }
  const parameters = readParameters(call)
  const service = scopedService(call)
  return parameters === undefined
    ? {
        surface: nowhere(surfaces, 'json', service, writeJsonError),
        name: header(call, 'x-amz-target') ?? '',
        operation: undefined,
      }
    : {
        surface: nowhere(surfaces, 'query', service, writeQuery),
        name: parameters.get('Action') ?? '',
        operation: undefined,
      }
}

const writeQuery: Surface['writeError'] = (error, requestId) => writeQueryError(error, '', requestId)

/**
 * Where a call belongs that no surface recognises: its signature is verified all the same before it is turned away, as a
 * surface of its protocol would, if there is one. The one for which the call says that it is signed comes first: its errors
 * have that service's namespace.
 */
function nowhere(
  surfaces: readonly Surface[],
  protocol: Surface['protocol'],
  service: string | undefined,
  otherwise: Surface['writeError'],
): Surface {
  const alike = surfaces.filter((surface) => surface.protocol === protocol)
  const nearest = alike.find((surface) => surface.service === service) ?? alike[0]
  return {
    protocol,
    service: undefined,
    exceptions: {},
    recognise: () => undefined,
    find: () => undefined,
    missing: unknownOperation,
    writeError: nearest?.writeError ?? otherwise,
  }
}

/** `registryId` names another account's registry, in the same region (ECR API reference). */
function namedAccount(input: object): Registry['account'] | undefined {
  const named = 'registryId' in input ? input.registryId : undefined
  return typeof named === 'string' && isAccountId(named) ? named : undefined
}

function explain(error: unknown, surface: Surface, operation: Operation | undefined, call: CallHead): AwsError {
  const failure = describeFailure(error, surface.exceptions, call)
  if (operation?.errors === undefined || operation.errors.has(failure.code) || commonErrors.has(failure.code))
    return failure
  const unpromised = new Error(`the API model lists no ${failure.code} for ${operation.name}`, { cause: error })
  return describeFailure(unpromised, surface.exceptions, call)
}
