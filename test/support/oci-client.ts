/**
 * A client of the distribution API that says exactly what it is told to: the path as it is written, any `Host`, bodies of any
 * length or none announced. Repositories come and go by the control plane.
 */
import { once } from 'node:events'
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import {
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  type ImageTagMutability,
} from '@aws-sdk/client-ecr'
import type { Registry } from './push.ts'
import type { Credentials, RunningServer } from './server.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The code of the first error in the body; `undefined` if it holds none. */
  readonly error: string | undefined
  /** The message of the first error, empty if there is none. */
  readonly message: string
  json<T>(): T
}

export interface Call {
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Bytes are sent with their length, a stream without. */
  readonly body?: Uint8Array | string | Readable
}

export interface OciClient extends AsyncDisposable {
  readonly registry: Registry
  readonly ecr: ECRClient
  /** Sends the token with it, unless `headers` has another `authorization`, or `undefined` for none. */
  call(method: string, path: string, call?: Call): Promise<Answer>
  createRepository(name: string, mutability?: ImageTagMutability): Promise<string>
  deleteRepository(name: string): Promise<void>
}

/** Logs in with an access key, by default the root key of the server's account. */
export async function openOciClient(
  server: RunningServer,
  { credentials = server.credentials, region = server.region }: { credentials?: Credentials; region?: string } = {},
): Promise<OciClient> {
  const ecr = new ECRClient({ endpoint: server.url, region, credentials })
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}))
  const authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`
  const agent = new Agent({ keepAlive: true })
  return {
    registry: { url: server.url, authorization },
    ecr,
    call: (method, path, { headers, body } = {}) =>
      send(agent, server.host, method, path, { authorization, ...headers }, body),
    async createRepository(repositoryName, imageTagMutability = 'MUTABLE') {
      await ecr.send(new CreateRepositoryCommand({ repositoryName, imageTagMutability }))
      return repositoryName
    },
    async deleteRepository(repositoryName) {
      await ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true }))
    },
    [Symbol.asyncDispose]: async () => {
      agent.destroy()
      ecr.destroy()
    },
  }
}

async function send(
  agent: Agent,
  address: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string | undefined>>,
  body: Call['body'],
): Promise<Answer> {
  const { hostname, port } = new URL(`http://${address}`)
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
  const outgoing = request({ agent, hostname, port, method, path, headers: given })
  const answered = once(outgoing, 'response')
  if (body instanceof Readable) {
    // An answer may come, and the connection go, before the body has ended: the answer is what counts.
    pipeline(body, outgoing).catch(() => {})
  } else {
    if (body !== undefined) outgoing.setHeader('content-length', Buffer.byteLength(body))
    outgoing.end(body)
  }
  const [response] = (await answered) as [IncomingMessage]
  return answerOf(response, await buffer(response))
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, body: Buffer): Answer {
  const json = <T>() => JSON.parse(body.toString()) as T
  const [error] =
    statusCode >= 400 && body.length > 0 ? (json<{ errors?: { code: string; message: string }[] }>().errors ?? []) : []
  return { status: statusCode, headers, body, error: error?.code, message: error?.message ?? '', json }
}
