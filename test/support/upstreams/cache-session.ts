/** A Lading with a rule of the pull-through cache for a stand-in for Docker Hub, and clients of both planes. */
import type { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { startEcrSession } from '#test/support/ecr-session.ts'
import { type Answer, type Call, openOciClient } from '#test/support/oci-client.ts'
import type { RunningServer, ServerOptions } from '#test/support/server.ts'
import { type Hub, type HubOptions, startHub } from './hub.ts'

export interface CacheSession extends AsyncDisposable {
  readonly hub: Hub
  readonly server: RunningServer
  readonly ecr: ECR
  call(method: string, path: string, call?: Call): Promise<Answer>
  /** GET below `/v2/`. */
  get(path: string, headers?: Call['headers']): Promise<Answer>
  /** A user with this identity policy, as a client of both planes. */
  user(name: string, policy: object): Promise<CacheUser>
  /** Moves the clock of the server. */
  pass(ms: number): void
}

export interface CacheUser {
  readonly ecr: ECR
  get(path: string): Promise<Answer>
}

export interface CacheSessionOptions {
  readonly database?: string
  readonly hub?: HubOptions
  readonly environment?: Readonly<Record<string, string>>
  /** Of the rule; `hub` by default. */
  readonly prefix?: string
  /** How the server under test differs. */
  readonly server?: Pick<ServerOptions, 'upstreamWaits' | 'trustedCertificates'>
}

export async function startCacheSession(options: CacheSessionOptions = {}): Promise<CacheSession> {
  const { database, prefix = 'hub', environment } = options
  await using stack = new AsyncDisposableStack()
  const hub = stack.use(await startHub(options.hub))
  let ahead = 0
  const session = stack.use(
    await startEcrSession({
      ...options.server,
      ...(database !== undefined && { database }),
      clock: () => Date.now() + ahead,
      environment: {
        LADING_ACCESS_KEY_LOGIN: 'on',
        LADING_UPSTREAMS: `registry-1.docker.io=${hub.url},${hub.cdnHost}`,
        ...environment,
      },
    }),
  )
  const iam = new IAM({
    ...{ endpoint: session.server.url, region: 'us-east-1', credentials: session.server.credentials },
  })
  stack.defer(() => iam.destroy())
  const client = stack.use(await openOciClient(session.server))
  const { accessKeyId, secretAccessKey } = session.server.credentials
  // An access key, since a token lasts for hours of the server's clock.
  const authorization = `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString('base64')}`
  const call: CacheSession['call'] = (method, path, { headers, ...rest } = {}) =>
    client.call(method, path, { ...rest, headers: { authorization, ...headers } })
  Object.defineProperty(session.ecr.config, 'systemClockOffset', { get: () => ahead, set: () => {} })
  await session.ecr.createPullThroughCacheRule({
    ecrRepositoryPrefix: prefix,
    upstreamRegistryUrl: 'registry-1.docker.io',
  })
  const all = stack.move()
  return {
    hub,
    server: session.server,
    ecr: session.ecr,
    call,
    get: (path, headers) => call('GET', `/v2/${path}`, { ...(headers && { headers }) }),
    async user(UserName, policy) {
      await iam.createUser({ UserName })
      await iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument: JSON.stringify(policy) })
      const { AccessKey } = await iam.createAccessKey({ UserName })
      const { AccessKeyId: id = '', SecretAccessKey: secret = '' } = AccessKey ?? {}
      const basic = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
      return {
        ecr: session.client({ credentials: { accessKeyId: id, secretAccessKey: secret } }),
        get: (path) => call('GET', `/v2/${path}`, { headers: { authorization: basic } }),
      }
    },
    pass(ms) {
      ahead += ms
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
