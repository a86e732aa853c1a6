import type { Body } from '#http/bodies.ts'
import type { Principal } from '#iam/principal.ts'
import type { Clock } from '#lib/clock.ts'
import { isAccountId } from '#names/account.ts'
import type { Registry } from '#names/registry.ts'
import { type AwsError, commonErrors, unknownOperation } from './aws-error.ts'
import { type Answer, type Call, type CallHead, header } from './call.ts'
import { describeFailure } from './exceptions.ts'
import { writeJsonError } from './json-surface.ts'
import type { Authorize } from './operation.ts'
import { readParameters, writeQueryError } from './query-surface.ts'
import { type Authenticated, createSignatureVerifier, type FindAccessKey, requireScope } from './sigv4.ts'
import type { Operation, Surface } from './surface.ts'

/** Reads the call's body, which is then in memory until it is disposed of. @throws Refusal of `BodyRefusals` */
export type ReadBody = (maxBytes: number) => Promise<Body>

/** Enough for every operation that does not say otherwise: the longest text among their inputs is a policy of some 30 KiB. */
const defaultMaxBodyBytes = 1024 * 1024

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
}

type CallFacts = { readonly [Fact in 'operation' | 'principal' | 'error']?: string }

export interface DispatcherParts {
  readonly surfaces: readonly Surface[]
  readonly findAccessKey: FindAccessKey<Principal>
  readonly authorize: Authorize
  readonly clock: Clock
}

export function createDispatcher({ surfaces, findAccessKey, authorize, clock }: DispatcherParts): Dispatch {
  const signatures = createSignatureVerifier({ findAccessKey, clock })

  /** It is the first of the actions whose refusal is told. */
  async function requireAny(principal: Principal, actions: readonly string[], resource: string): Promise<void> {
    let refusal: unknown
    for (const action of actions) {
      try {
        return await authorize(principal, action, resource)
      } catch (error) {
        refusal ??= error
      }
    }
    throw refusal
  }

  async function run(call: Call, { surface, operation }: Found, { principal, region }: Caller): Promise<Answer> {
    const { handler, name } = operation
    const input = operation.read(call)
    const registry = { account: namedAccount(input) ?? principal.account, region }
    if (handler.resource !== 'unrestricted') {
      const resources = [await handler.resource({ input, registry, principal })].flat()
      const own = [`${surface.service}:${name}`, ...(handler.instead ?? [])]
      for (const anyOf of [own, ...(handler.also?.(input) ?? []).map((action) => [action])]) {
        for (const resource of resources) await requireAny(principal, anyOf, resource)
      }
    }
    const { requestId, signal } = call
    const output = await handler.handle({ input, registry, principal, requestId, signal })
    return operation.write(output, requestId)
  }

  return async function dispatch(head, readBody) {
    let asked = recognise(surfaces, { ...head, body: noBody })
    let caller: Caller | undefined
    const facts = (error?: string): CallFacts => ({
      ...(asked.operation && { operation: asked.operation.name }),
      ...(caller && { principal: caller.principal.arn }),
      ...(error !== undefined && { error }),
    })
    try {
      const signed = await signatures.readSigned(head)
      requireScope(signed.claim, asked.surface.service)
      using body = await readBody(asked.operation?.handler.maxBodyBytes ?? defaultMaxBodyBytes)
      const call = { ...head, body: body.bytes }
      // A form says what it asks for in its body.
      asked = recognise(surfaces, call)
      requireScope(signed.claim, asked.surface.service)
      caller = await signatures.verify(call, signed)
      const { surface, name, operation } = asked
      if (operation === undefined) throw surface.missing(name)
      const answer = await run(call, { surface, operation }, caller)
      return { answer, facts: facts() }
    } catch (error) {
      const { surface, operation } = asked
      const failure = explain(error, surface, operation, head)
      return { answer: surface.writeError(failure, head.requestId), facts: facts(failure.code) }
    }
  }
}

type Caller = Authenticated<Principal>

interface Found {
  readonly surface: Surface
  readonly operation: Operation
}

const noBody = Buffer.alloc(0)

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
  return parameters === undefined
    ? {
        surface: nowhere(surfaces, 'json', writeJsonError),
        name: header(call, 'x-amz-target') ?? '',
        operation: undefined,
      }
    : { surface: nowhere(surfaces, 'query', writeQuery), name: parameters.get('Action') ?? '', operation: undefined }
}

const writeQuery: Surface['writeError'] = (error, requestId) => writeQueryError(error, '', requestId)

/**
 * Where a call belongs that no surface recognises: its signature is verified all the same before it is turned away, as a
 * surface of its protocol would, if there is one.
 */
function nowhere(
  surfaces: readonly Surface[],
  protocol: Surface['protocol'],
  otherwise: Surface['writeError'],
): Surface {
  const alike = surfaces.find((surface) => surface.protocol === protocol)
  return {
    protocol,
    service: undefined,
    exceptions: {},
    recognise: () => undefined,
    find: () => undefined,
    missing: unknownOperation,
    writeError: alike?.writeError ?? otherwise,
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
