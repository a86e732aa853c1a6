import { ECRClient } from '@aws-sdk/client-ecr'
import { STSClient } from '@aws-sdk/client-sts'
import { SignatureV4 } from '@smithy/signature-v4'
import fastify from 'fastify'
import type { AuditedCall } from '#audit/call.ts'
import { createDispatcher } from '#aws/dispatcher.ts'
import type { Exceptions } from '#aws/exceptions.ts'
import { jsonSurface } from '#aws/json-surface.ts'
import type { Handlers } from '#aws/operation.ts'
import { awsRoutes } from '#aws/routes.ts'
import { ecrViolations } from '#aws/violations.ts'
import { constraints } from '#ecr/constraints.ts'
import { model, type Operations } from '#ecr/model.ts'
import { Bodies, type BodyLimits, defaultBodyLimits } from '#http/bodies.ts'
import type { Authorizer } from '#iam/authorize.ts'
import { rootPrincipal } from '#iam/principal.ts'
import type { Denial } from '#iam/refusals.ts'
import { refusals } from '#lib/refusal.ts'
import { Sha256 } from '#lib/sha256.ts'
import { parseAccountId } from '#names/account.ts'
import { repositoryArn } from '#names/arn.ts'
import type { StsDomain } from '#sts/operations.ts'
import { accessDeniedText } from '#wording/iam.ts'
import { stsSurface } from '../../../src/sts/surface.ts'

/** A running AWS endpoint over a few small handlers, on a port of its own, with a clock that a test moves. */

export const accessKey = {
  accessKeyId: 'AKIAEXAMPLEEXAMPLE00',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const account = parseAccountId('111122223333')
export const root = rootPrincipal(account, { accessKeyId: accessKey.accessKeyId, accessKeySince: 0 })

export interface TestRefusals {
  RepositoryNotFound: { repository: string; account: string }
  UploadGap: { upload: string; lastByte: number }
  AccessDenied: Denial
}
export const refuse = refusals<TestRefusals>()

const exceptions: Exceptions<TestRefusals> = {
  RepositoryNotFound: [
    'RepositoryNotFoundException',
    ({ repository, account }) =>
      `The repository with name '${repository}' does not exist in the registry with id '${account}'`,
  ],
  UploadGap: [
    'InvalidLayerPartException',
    ({ upload }) => `Upload ${upload} has a gap`,
    ({ upload, lastByte }) => ({ uploadId: upload, lastValidByteReceived: lastByte }),
  ],
  AccessDenied: ['AccessDeniedException', accessDeniedText],
}

export type TestHandlers = Partial<Handlers<Operations>>

export interface EndpointOptions {
  readonly handlers?: TestHandlers
  readonly authorizer?: Pick<Authorizer, 'decide'>
  readonly verifyOutputs?: boolean
  readonly limits?: Partial<BodyLimits>
}

/** Allows everything: this room asks, and is answered elsewhere. */
export const allowing: Pick<Authorizer, 'decide'> = {
  decide: ({ principal, action, resource }) => ({
    ...{ principalArn: principal.arn, action, resource },
    verdict: { allowed: true, statements: [] },
  }),
}

/** There is no database here, and nobody asks for what would need one. */
const unasked = async () => {
  throw new Error('there are no sessions here')
}
const withoutSessions: StsDomain = {
  roleSessions: { assume: unasked, assumeWithWebIdentity: unasked },
  sessions: { create: unasked },
  findKeyAccount: unasked,
}

export async function startEndpoint({
  handlers = {},
  authorizer = allowing,
  verifyOutputs = true,
  limits,
}: EndpointOptions = {}) {
  const state = { now: Date.now(), logged: [] as object[], facts: [] as unknown[], audited: [] as AuditedCall[] }
  const app = fastify({ genReqId: () => crypto.randomUUID() })
  app.addHook('onSend', async (request) => {
    state.facts.push(request.logFacts)
  })
  const dispatch = createDispatcher({
    requestRates: { require: () => {}, requireAnonymous: () => {} },
    surfaces: [
      jsonSurface<Operations>({ model, handlers, exceptions, constraints, violations: ecrViolations, verifyOutputs }),
      stsSurface(withoutSessions, { verifyOutputs }),
    ],
    findCredential: async (id) =>
      id === accessKey.accessKeyId ? { secret: accessKey.secretAccessKey, principal: root } : undefined,
    authorizer,
    audit: { record: (call) => state.audited.push(call) },
    keyUses: { record: () => {} },
    clock: () => state.now,
  })
  const bodies = new Bodies({ ...defaultBodyLimits, ...limits })
  awsRoutes(app, { dispatch, bodies, log: { error: (fields) => state.logged.push(fields) } })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const clients = { endpoint: url, region: 'eu-west-1', maxAttempts: 1 }
  return {
    url,
    state,
    ecr: (credentials = accessKey) => new ECRClient({ ...clients, credentials }),
    sts: (credentials = accessKey) => new STSClient({ ...clients, credentials }),
    [Symbol.asyncDispose]: () => app.close(),
  }
}

export interface Unsigned {
  readonly method?: string
  readonly query?: Record<string, string>
  readonly headers: Record<string, string>
  readonly body?: string | Buffer
}

export function ecrCall(operation: string, body: string | Buffer = '{}') {
  return {
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${operation}`,
    },
    body,
  }
}

export interface SignOptions {
  readonly service?: string
  readonly region?: string
  readonly signingDate?: Date
}

function signer({ service = 'ecr', region = 'eu-west-1' }: SignOptions) {
  return new SignatureV4({ credentials: accessKey, region, service, sha256: Sha256, applyChecksum: false })
}

function request(url: string, { method = 'POST', query = {}, headers, body }: Unsigned) {
  const { host, hostname } = new URL(url)
  return { method, protocol: 'http:', hostname, path: '/', query, headers: { host, ...headers }, body }
}

/** The headers that sign the call, `authorization` and `x-amz-date` among them. */
export async function signedHeaders(url: string, call: Unsigned, options: SignOptions = {}) {
  const { headers } = await signer(options).sign(request(url, call), { signingDate: options.signingDate ?? new Date() })
  return headers
}

/** The presigned call's URL. `X-Amz-*` headers stay headers and are signed, as the service reads its target there. */
export async function presignedUrl(url: string, call: Unsigned, options: SignOptions & { expiresIn?: number } = {}) {
  const { query } = await signer(options).presign(request(url, call), {
    expiresIn: options.expiresIn ?? 300,
    signingDate: options.signingDate ?? new Date(),
    unhoistableHeaders: new Set(Object.keys(call.headers)),
  })
  return `${url}/?${new URLSearchParams(query as Record<string, string>).toString().replaceAll('+', '%20')}`
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Sends a call as it stands: signed or not is the headers' affair. */
export async function send(url: string, { method = 'POST', headers, body }: Unsigned): Promise<Reply> {
  const response = await fetch(url, {
    method,
    headers,
    ...(body === undefined || method === 'GET' ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** Signs the call and sends it. */
export async function sendSigned(url: string, call: Unsigned, options: SignOptions = {}): Promise<Reply> {
  const { host: _, ...headers } = await signedHeaders(url, call, options)
  return send(url, { ...call, headers })
}

/** The members of a JSON answer. */
export function members(reply: Reply): Record<string, unknown> {
  return JSON.parse(reply.text)
}

/** Enough of DescribeRepositories to see what a handler was given. */
export const describeRepositories: TestHandlers = {
  DescribeRepositories: {
    resource: ({ input, registry }) =>
      (input.repositoryNames ?? ['*' as const]).map((name) => repositoryArn(registry, name)),
    handle: async ({ input, registry }) => ({
      repositories: (input.repositoryNames ?? []).map((repositoryName) => ({
        repositoryName,
        registryId: registry.account,
        repositoryArn: repositoryArn(registry, repositoryName),
        createdAt: new Date(1_700_000_000_250),
        imageTagMutability: 'MUTABLE' as const,
      })),
      nextToken: undefined,
    }),
  },
}
