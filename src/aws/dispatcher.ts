import type { Principal } from '#iam/principal.ts'
import type { Clock } from '#lib/clock.ts'
import { isAccountId } from '#names/account.ts'
import type { Registry } from '#names/registry.ts'
import { type AwsError, commonErrors, unknownOperation } from './aws-error.ts'
import { type Answer, type Call, header } from './call.ts'
import { describeFailure } from './exceptions.ts'
import { writeJsonError } from './json-surface.ts'
import type { Authorize } from './operation.ts'
import { readParameters, writeQueryError } from './query-surface.ts'
import { createSignatureVerifier, type FindAccessKey } from './sigv4.ts'
import type { Operation, Surface } from './surface.ts'

/**
 * Answers one AWS call, whatever its service: recognise → verify the signature → find → read → authorize → handle → write.
 * The signature comes before everything that depends on the request, so that a stranger learns nothing, not even which
 * operations there are. Every failure becomes an answer in the caller's protocol.
 */
export type Dispatch = (call: Call) => Promise<Answer>

export interface DispatcherParts {
  readonly surfaces: readonly Surface[]
  readonly findAccessKey: FindAccessKey<Principal>
  readonly authorize: Authorize
  readonly clock: Clock
}

export function createDispatcher({ surfaces, findAccessKey, authorize, clock }: DispatcherParts): Dispatch {
  const verifySignature = createSignatureVerifier({ findAccessKey, clock })

  async function run(
    call: Call,
    surface: Surface,
    operation: Operation,
    { principal, region }: Caller,
  ): Promise<Answer> {
    const { handler, name } = operation
    const input = operation.read(call)
    const registry = { account: namedAccount(input) ?? principal.account, region }
    if (handler.resource !== 'unrestricted') {
      const resources = [handler.resource({ input, registry })].flat()
      const actions = [`${surface.service}:${name}`, ...(handler.also?.(input) ?? [])]
      for (const action of actions) {
        for (const resource of resources) await authorize(principal, action, resource)
      }
    }
    const { requestId, signal } = call
    const output = await handler.handle({ input, registry, principal, requestId, signal })
    return operation.write(output, requestId)
  }

  return async function dispatch(call) {
    const [surface, name] = recognise(surfaces, call)
    let operation: Operation | undefined
    try {
      const caller = await verifySignature(call, surface.service)
      operation = surface.find(name)
      return await run(call, surface, operation, caller)
    } catch (error) {
      return surface.writeError(explain(error, surface, operation, call), call.requestId)
    }
  }
}

interface Caller {
  readonly principal: Principal
  readonly region: Registry['region']
}

function recognise(surfaces: readonly Surface[], call: Call): readonly [Surface, string] {
  for (const surface of surfaces) {
    const name = surface.recognise(call)
    if (name !== undefined) return [surface, name]
  }
  return readParameters(call) === undefined
    ? [nowhere(writeJsonError), header(call, 'x-amz-target') ?? '']
    : [nowhere((error, requestId) => writeQueryError(error, '', requestId)), readParameters(call)?.get('Action') ?? '']
}

/** Where a call belongs that no surface recognises: its signature is verified all the same before it is turned away. */
function nowhere(writeError: Surface['writeError']): Surface {
  return {
    service: undefined,
    exceptions: {},
    recognise: () => undefined,
    find(name) {
      throw unknownOperation(name)
    },
    writeError,
  }
}

/** `registryId` names another account's registry, in the same region (ECR API reference). */
function namedAccount(input: object): Registry['account'] | undefined {
  const named = 'registryId' in input ? input.registryId : undefined
  return typeof named === 'string' && isAccountId(named) ? named : undefined
}

function explain(error: unknown, surface: Surface, operation: Operation | undefined, call: Call): AwsError {
  const failure = describeFailure(error, surface.exceptions, call)
  if (operation?.errors === undefined || operation.errors.has(failure.code) || commonErrors.has(failure.code))
    return failure
  const unpromised = new Error(`the API model lists no ${failure.code} for ${operation.name}`, { cause: error })
  return describeFailure(unpromised, surface.exceptions, call)
}
