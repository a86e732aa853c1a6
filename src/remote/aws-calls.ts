// Calls of ECR and STS, signed with AWS credentials of this process or of a peer, or of a role that they assume.

import { SignatureV4 } from '@smithy/signature-v4'
import type { Clock } from '#lib/clock.ts'
import { Sha256 } from '#lib/sha256.ts'
import { readWhole } from './bodies.ts'
import { failureOfAnswer } from './failures.ts'
import type { Answered, Send } from './redirects.ts'
import { type EcrCredentials, RemoteFailure } from './registry.ts'
import { type RoleSessions, sessionSeconds } from './role-sessions.ts'

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
  readonly sessions: RoleSessions
}

export interface EcrCall {
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal | undefined
}

/** The answer of an operation, also if it is a refusal. @throws RemoteFailure */
export async function callEcr(
  own: EcrCredentials,
  parts: EcrParts,
  { operation, input, signal }: EcrCall,
): Promise<Answered> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `${target}.${operation}` }
  const by = await signer(own, parts)
  return post(parts, { ...{ service: 'ecr', region: own.region, by, headers, signal }, body: JSON.stringify(input) })
}

/** The account that the calls are made in. @throws RemoteFailure `unauthorized` where credentials are missing or refused */
export async function fetchCallerAccount(own: EcrCredentials, parts: EcrParts): Promise<string> {
  const text = await callSts(own, parts, await signer(own, parts), { Action: 'GetCallerIdentity' })
  const account = memberOf(text, 'Account')
  if (account === undefined) throw new RemoteFailure('invalid', 'its STS does not state the account of the key')
  return account
}

/** A session that ended early is refused. The role is then assumed once more. */
export async function withSession<Value>(
  own: EcrCredentials,
  { sessions, endpoint }: EcrParts,
  action: () => Promise<Value>,
): Promise<Value> {
  try {
    return await action()
  } catch (error) {
    const isRefused = error instanceof RemoteFailure && error.reason === 'unauthorized'
    if (!isRefused || !sessions.drop(sessionKey(own, endpoint))) throw error
    return action()
  }
}

/** For calls that only credentials can fail, or too many calls: AWS answers 400 to both. */
export async function requireOk(answer: Answered, service: Service, now: number): Promise<void> {
  if (answer.status === 200) return
  const text = (await answer.start(longestRefusal)).toString()
  if (answer.status === 400 && throttled.test(text)) {
    throw new RemoteFailure('limited', `its ${service.toUpperCase()} receives too many requests`)
  }
  throw answer.status === 400 || answer.status === 401 || answer.status === 403
    ? new RemoteFailure('unauthorized', `its ${service.toUpperCase()} refuses the AWS credentials`)
    : failureOfAnswer(answer, now)
}

/** The `__type` of ECR, and the `Code` of STS (AWS, "Common error types"). */
const throttled = /"__type"\s*:\s*"[^"]*(?:Throttling|TooManyRequests)|<Code>Throttling/
const longestRefusal = 64 * 1024

const target = 'AmazonEC2ContainerRegistry_V20150921'
const longestAnswer = 256 * 1024
const callMs = 30_000

type Service = 'ecr' | 'sts'

async function signer(own: EcrCredentials, parts: EcrParts): Promise<AwsCredentials> {
  const { roleArn, key } = own
  if (roleArn === undefined) return key ?? processKey(parts)
  return parts.sessions.get(sessionKey(own, parts.endpoint), async () =>
    assumeRole(own, parts, key ?? (await processKey(parts)), roleArn),
  )
}

async function processKey({ credentials }: EcrParts): Promise<AwsCredentials> {
  return credentials().catch((cause: unknown) => {
    throw new RemoteFailure('unauthorized', 'this server has no AWS credentials', { cause })
  })
}

function sessionKey({ roleArn, region, key }: EcrCredentials, endpoint: URL | undefined): string {
  return JSON.stringify([endpoint?.origin, region, roleArn, key?.accessKeyId])
}

async function assumeRole(
  own: EcrCredentials,
  parts: EcrParts,
  by: AwsCredentials,
  roleArn: string,
): Promise<AwsCredentials> {
  const text = await callSts(own, parts, by, {
    ...{ Action: 'AssumeRole', RoleArn: roleArn, RoleSessionName: 'lading' },
    DurationSeconds: String(sessionSeconds),
  })
  const accessKeyId = memberOf(text, 'AccessKeyId')
  const secretAccessKey = memberOf(text, 'SecretAccessKey')
  const sessionToken = memberOf(text, 'SessionToken')
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
    throw new RemoteFailure('invalid', 'its STS sends no credentials')
  }
  return { accessKeyId, secretAccessKey, sessionToken }
}

async function callSts(
  { region }: EcrCredentials,
  parts: EcrParts,
  by: AwsCredentials,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString()
  const answer = await post(parts, { service: 'sts', region, by, headers, body, signal: undefined })
  await requireOk(answer, 'sts', parts.clock())
  return (await readWhole(answer, longestAnswer)).toString()
}

function memberOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([\\w+/=.-]+)</${name}>`).exec(xml)?.[1]
}

interface Post {
  readonly service: Service
  readonly region: string
  readonly by: AwsCredentials
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal | undefined
}

async function post({ send, clock, endpoint }: EcrParts, { service, region, by, headers, body, ...asked }: Post) {
  const url = new URL('/', endpoint ?? awsEndpoint(service, region))
  const { sessionToken, ...key } = by
  const credentials = { ...key, ...(sessionToken !== undefined && { sessionToken }) }
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 })
  const { protocol, hostname, host } = url
  const request = { method: 'POST', protocol, hostname, path: '/', query: {}, headers: { host, ...headers }, body }
  const signed = await signer.sign(request, { signingDate: new Date(clock()) })
  const late = AbortSignal.timeout(callMs)
  const signal = asked.signal === undefined ? late : AbortSignal.any([late, asked.signal])
  const sent = { url, method: 'POST', headers: signed.headers, body, signal, authorization: undefined } as const
  // Each of these calls may arrive twice.
  return send({ ...sent, isRepeatable: true }).catch((cause: unknown) => {
    throw late.aborted && asked.signal?.aborted !== true
      ? new RemoteFailure('unreachable', `its ${service.toUpperCase()} fell silent`, { cause })
      : cause
  })
}

function awsEndpoint(service: Service, region: string): URL {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  return new URL(`https://${service === 'ecr' ? 'api.ecr' : 'sts'}.${region}.${domain}/`)
}
