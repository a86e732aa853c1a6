// Calls of Lading's own API, signed as AWS's tools sign theirs: what a command asks of a server is permitted there, as to anybody.

import { SignatureV4 } from '@smithy/signature-v4'
import type { Operations } from '#admin/model.ts'
import { type Call, CommandError } from '#commands/command.ts'
import { isObject } from '#lib/json.ts'
import { Sha256 } from '#lib/sha256.ts'

/** What JSON makes of it: times are seconds since the epoch. */
export type Wire<T> = T extends Date
  ? number
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [Name in keyof T]: Wire<T[Name]> }
      : T

export interface Api {
  /** @throws CommandError with the server's own words */
  call<Name extends keyof Operations>(
    name: Name,
    input: Operations[Name]['input'],
  ): Promise<Wire<Operations[Name]['output']>>
}

/** Of the server, and as the principal, that `--endpoint-url` and the AWS_… variables name. @throws CommandError */
export function openApi({ options, environment }: Pick<Call, 'options' | 'environment'>): Api {
  const given = typeof options.endpointUrl === 'string' ? options.endpointUrl : undefined
  const endpoint = given ?? environment.AWS_ENDPOINT_URL_LADING ?? environment.AWS_ENDPOINT_URL
  if (endpoint === undefined || !URL.canParse(endpoint)) {
    throw new CommandError('say which server: --endpoint-url or AWS_ENDPOINT_URL, such as http://127.0.0.1:5100')
  }
  const url = new URL(endpoint)
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = environment
  if (!accessKeyId || !secretAccessKey) {
    throw new CommandError('say as whom: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
  }
  const region = environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? 'us-east-1'
  const credentials = { accessKeyId, secretAccessKey, ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }) }
  const signer = new SignatureV4({ service: 'lading', region, credentials, sha256: Sha256 })

  return {
    async call(name, input) {
      const body = JSON.stringify(input)
      const headers = {
        ...{ host: url.host, 'content-type': 'application/x-amz-json-1.1' },
        'x-amz-target': `Lading_20261125.${name}`,
      }
      const request = {
        method: 'POST',
        protocol: url.protocol,
        hostname: url.host,
        path: '/',
        query: {},
        headers,
        body,
      }
      const signed = await signer.sign(request)
      const answer = await fetch(new URL('/', url), { method: 'POST', headers: signed.headers, body }).catch(
        (cause) => {
          throw new CommandError(`no server answers at ${url.origin}`, { cause })
        },
      )
      const document: unknown = await answer.json().catch(() => undefined)
      if (!answer.ok)
        throw new CommandError(messageIn(document) ?? `${url.origin} answered with status ${answer.status}`)
      // What the API promises of the operation.
      return document as never
    },
  }
}

function messageIn(document: unknown): string | undefined {
  if (!isObject(document)) return undefined
  const { message, Message = message } = document as { message?: unknown; Message?: unknown }
  return typeof Message === 'string' ? Message : undefined
}
