import { isUtf8 } from 'node:buffer'
import { findJsonFlaw, readJson } from '#lib/json.ts'
import type { JsonModel } from './api-model.ts'
import { type AwsError, serializationFailure, unknownOperation, unsupportedOperation } from './aws-error.ts'
import { type Answer, header } from './call.ts'
import type { AnyExceptions } from './exceptions.ts'
import { writeJsonPieces } from './json-pieces.ts'
import type { Handlers, OperationTypes } from './operation.ts'
import { compileRedactor } from './redact.ts'
import { compileWriter } from './serialize.ts'
import type { AnyHandler, Operation, Surface } from './surface.ts'
import { type Constraints, compileReader } from './validate.ts'
import { compileVerifier, writing } from './verify-output.ts'
import type { Violations } from './violations.ts'

/**
 * A service that speaks AWS JSON 1.1: `POST /` with `X-Amz-Target: <prefix>.<Operation>` and a JSON object as the body.
 * Everything about its operations but their handlers comes from the model, and is compiled when the surface is made.
 */
export interface JsonSurfaceParts<Operations extends { [Name in keyof Operations]: OperationTypes }> {
  readonly model: JsonModel
  readonly handlers: Partial<Handlers<Operations>>
  readonly exceptions: AnyExceptions
  /** Where the service departs from its model's constraints, by shape. */
  readonly constraints: Readonly<Record<string, Constraints>>
  /** How the service tells of an input that breaks its model. */
  readonly violations: Violations
  /** Check each answer and each exception's name against the model, for tests: what does not fit is a `ServerException`. */
  readonly verifyOutputs: boolean
}

export function jsonSurface<Operations extends { [Name in keyof Operations]: OperationTypes }>(
  parts: JsonSurfaceParts<Operations>,
): Surface {
  const { model, exceptions } = parts
  const { targetPrefix } = model.metadata
  // Clients that are made from another description of the service leave out its namespace, which CloudTrail's has.
  const prefixes = new Set([targetPrefix, targetPrefix.slice(targetPrefix.lastIndexOf('.') + 1)])
  const operations = new Map<string, Operation>()
  for (const [name, handler] of Object.entries(parts.handlers)) {
    // The table's type ties each handler to the operation of its key, whose reader and writer are compiled here.
    operations.set(name, compileOperation(name, handler as AnyHandler, parts))
  }
  return {
    protocol: 'json',
    service: model.metadata.signingName,
    exceptions,
    recognise(call) {
      const target = header(call, 'x-amz-target')
      const end = target?.lastIndexOf('.') ?? -1
      return target !== undefined && prefixes.has(target.slice(0, end)) ? target.slice(end + 1) : undefined
    },
    find: (name) => operations.get(name),
    missing: (name) => (Object.hasOwn(model.operations, name) ? unsupportedOperation(name) : unknownOperation(name)),
    writeError: writeJsonError,
  }
}

function compileOperation(
  name: string,
  handler: AnyHandler,
  { model, constraints, violations, verifyOutputs }: Omit<JsonSurfaceParts<never>, 'handlers' | 'exceptions'>,
): Operation {
  const types = model.operations[name]
  if (types === undefined) throw new Error(`the API model has no operation '${name}'`)
  const readInput = compileReader(model, types.input, {
    constraints,
    unchecked: handler.unchecked ?? [],
    violations,
  })
  const writeOutput = compileWriter(model, types.output, { unknownMembers: verifyOutputs ? 'refuse' : 'drop' })
  const verify = verifyOutputs ? compileVerifier(model, types.output) : undefined
  return {
    name,
    handler,
    errors: verifyOutputs ? new Set(types.errors) : undefined,
    redactInput: compileRedactor(model, types.input),
    redactOutput: compileRedactor(model, types.output),
    // A structure's reader gives an object.
    read: (call) => readInput(parseJson(call.body, handler.largeBody?.maxEntries), '') as object,
    async write(output, requestId) {
      const body = await writing(name, async () => {
        // A structure's writer makes an object.
        const pieces = await writeJsonPieces(writeOutput(output) as Readonly<Record<string, unknown>>)
        verify?.(Buffer.concat(pieces).toString())
        return pieces
      })
      return answer(200, body, requestId)
    },
  }
}

function parseJson(body: Buffer, maxEntries: number | undefined): unknown {
  if (body.byteLength === 0) return {}
  // Decoding would repair it, and something else would be stored than was sent.
  if (!isUtf8(body)) throw serializationFailure('The request is not valid UTF-8.')
  const text = body.toString('utf8')
  if (maxEntries !== undefined) {
    const flaw = findJsonFlaw(text, { entries: maxEntries, members: maxEntries, depth: maxEntries })
    if (flaw !== undefined) throw serializationFailure('The request has too many members, or one of them twice.')
  }
  try {
    return readJson(text)
  } catch {
    throw serializationFailure('The request is not valid JSON.')
  }
}

/** `__type` and `x-amzn-errortype` carry the bare name: SDKs read either, the header first. */
export function writeJsonError({ code, message, status, members }: AwsError, requestId: string): Answer {
  const { headers, ...rest } = answer(status, JSON.stringify({ __type: code, message, ...members }), requestId)
  return { ...rest, headers: { ...headers, 'x-amzn-errortype': code } }
}

function answer(status: number, body: Answer['body'], requestId: string): Answer {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId }, body }
}
