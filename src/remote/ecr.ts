// The sign-in at a registry that speaks ECR: GetAuthorizationToken, signed with AWS credentials of this process, or of a role that
// they assume.

import { SignatureV4 } from '@smithy/signature-v4'
import type { Clock } from '#lib/clock.ts'
import { Sha256 } from '#lib/sha256.ts'
import { readJson, readWhole } from './bodies.ts'
import { failureOfAnswer } from './failures.ts'
import type { Answered, Send } from './redirects.ts'
import { type EcrCredentials, RemoteFailure, type RemoteToken } from './registry.ts'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface EcrParts {
  readonly send: Send
  readonly clock: Clock
  /** Those of this process, as AWS's own programs find them. */
  readonly credentials: () => Promise<AwsCredentials>
  /** Where ECR and STS are, unless they are AWS's own: another Lading serves both at one address. */
  readonly endpoint: URL | undefined
}

/** @throws RemoteFailure `unauthorized` where credentials are missing or refused */
export async function fetchEcrToken(
  ecr: EcrCredentials,
  parts: EcrParts,
  input: { readonly registryIds?: readonly string[] } = {},
): Promise<RemoteToken> {
  const answer = await callEcr(ecr, parts, { operation: 'GetAuthorizationToken', input })
  await requireOk(answer, 'ecr', parts.clock())
  return parseToken(await readJson(answer, longestAnswer))
}

export interface EcrCall {
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal | undefined
}

/** The answer of an operation, also if it is a refusal. @throws RemoteFailure */
export async function callEcr(
  { region, roleArn, key }: EcrCredentials,
  { send, clock, credentials, endpoint }: EcrParts,
  { operation, input, signal }: EcrCall,
): Promise<Answered> {
  const own =
    key ??
    (await credentials().catch((cause: unknown) => {
      throw new RemoteFailure('unauthorized', 'this server has no AWS credentials', { cause })
    }))
  const call = (service: Service, by: AwsCredentials, headers: Record<string, string>, body: string) =>
    post(send, clock, { service, region, url: endpoint ?? awsEndpoint(service, region), by, headers, body, signal })
  const signer = roleArn === undefined ? own : await assumeRole(call, own, roleArn, clock())
  return call('ecr', signer, { ...json, 'x-amz-target': `${target}.${operation}` }, JSON.stringify(input))
}

const json = { 'content-type': 'application/x-amz-json-1.1' }
const target = 'AmazonEC2ContainerRegistry_V20150921'
const longestAnswer = 256 * 1024
const callMs = 30_000

type Service = 'ecr' | 'sts'

function awsEndpoint(service: Service, region: string): URL {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  return new URL(`https://${service === 'ecr' ? 'api.ecr' : 'sts'}.${region}.${domain}/`)
}

type Call = (
  service: Service,
  by: AwsCredentials,
  headers: Record<string, string>,
  body: string,
) => ReturnType<typeof post>

async function assumeRole(call: Call, own: AwsCredentials, roleArn: string, now: number): Promise<AwsCredentials> {
  const body = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: roleArn,
    RoleSessionName: 'lading',
    DurationSeconds: '900',
  })
  const answer = await call('sts', own, { 'content-type': 'application/x-www-form-urlencoded' }, body.toString())
  await requireOk(answer, 'sts', now)
  const text = (await readWhole(answer, longestAnswer)).toString()
  const member = (name: string) => new RegExp(`<${name}>([\\w+/=.-]+)</${name}>`).exec(text)?.[1]
  const [accessKeyId, secretAccessKey, sessionToken] = [
    member('AccessKeyId'),
    member('SecretAccessKey'),
    member('SessionToken'),
  ]
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
    throw new RemoteFailure('invalid', 'its STS sends no credentials')
  }
  return { accessKeyId, secretAccessKey, sessionToken }
}

interface Post {
  readonly service: Service
  readonly region: string
  readonly url: URL
  readonly by: AwsCredentials
  readonly headers: Record<string, string>
  readonly body: string
  readonly signal: AbortSignal | undefined
}

async function post(send: Send, clock: Clock, { service, region, url, by, headers, body, ...asked }: Post) {
  const { sessionToken, ...key } = by
  const credentials = { ...key, ...(sessionToken !== undefined && { sessionToken }) }
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 })
  const signed = await signer.sign(
    {
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: '/',
      query: {},
      headers: { host: url.host, ...headers },
      body,
    },
    { signingDate: new Date(clock()) },
  )
  const late = AbortSignal.timeout(callMs)
  const signal = asked.signal === undefined ? late : AbortSignal.any([late, asked.signal])
  const request = { url: new URL('/', url), method: 'POST', headers: signed.headers, body, signal } as const
  return send({ ...request, authorization: undefined }).catch((cause: unknown) => {
    throw late.aborted && asked.signal?.aborted !== true
      ? new RemoteFailure('unreachable', `its ${service.toUpperCase()} fell silent`, { cause })
      : cause
  })
}

/** For calls that only credentials can fail. */
async function requireOk(answer: Answered, service: Service, now: number): Promise<void> {
  if (answer.status === 200) return
  await answer.discard()
  throw answer.status === 400 || answer.status === 401 || answer.status === 403
    ? new RemoteFailure('unauthorized', `its ${service.toUpperCase()} refuses the AWS credentials`)
    : failureOfAnswer(answer, now)
}

function parseToken(answer: unknown): RemoteToken {
  // Each member is checked below.
  const { authorizationData } = (answer ?? {}) as { authorizationData?: unknown }
  const [data] = Array.isArray(authorizationData) ? (authorizationData as unknown[]) : []
  const { authorizationToken, expiresAt } = (data ?? {}) as Record<string, unknown>
  const isToken = typeof authorizationToken === 'string' && /^[\w+/=-]+$/.test(authorizationToken)
  if (!isToken || typeof expiresAt !== 'number') throw new RemoteFailure('invalid', 'its ECR sends no token')
  return { token: authorizationToken, expiresAt: expiresAt * 1000 }
}
