/** A Lading with several accounts and regions, which has a host for each of its registries, and clients of both planes for them. */
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { pushImageTo } from '#test/support/ecr-push.ts'
import type { Image } from '#test/support/images/build.ts'
import { type Answer, type Call, openOciClient } from '#test/support/oci-client.ts'
import { type Credentials, type RunningServer, startServer } from '#test/support/server.ts'
import { until } from '#test/support/until.ts'

const domain = 'registry.test'

export interface Deployment extends AsyncDisposable {
  readonly server: RunningServer
  /** IAM of an account, by default the server's own. */
  iamOf(credentials?: Credentials): IAM
  /** The registry of an account in a region, as its root. */
  registry(region: string, credentials?: Credentials & { readonly account: string }): Promise<RegistryClient>
  /** Moves the clock of the server, such as over the seconds for which a failure is remembered. */
  pass(ms: number): void
}

export interface RegistryClient {
  readonly host: string
  readonly ecr: ECR
  call(method: string, path: string, call?: Call): Promise<Answer>
  /** GET below `/v2/`. */
  get(path: string): Promise<Answer>
  /** Creates the repository, if it is missing, and pushes an image to it. */
  push(repositoryName: string, image: Image, tag?: string): Promise<void>
  /** Waits until an image is one of the repository, with all that it refers to. */
  stored(repositoryName: string, image: Pick<Image, 'digest'>): Promise<void>
}

export interface DeploymentOptions {
  readonly database?: string
  readonly environment?: Readonly<Record<string, string>>
}

export async function startDeployment({ database, environment }: DeploymentOptions = {}): Promise<Deployment> {
  await using stack = new AsyncDisposableStack()
  let ahead = 0
  const server = stack.use(
    await startServer({
      ...(database !== undefined && { database }),
      clock: () => Date.now() + ahead,
      environment: { LADING_DOMAIN: domain, LADING_ACCESS_KEY_LOGIN: 'on', ...environment },
    }),
  )
  const all = stack.move()
  /** Of an account in a region. The client signs by the clock of the server. */
  function open<C extends ECR | IAM>(Client: new (options: object) => C, region: string, credentials: Credentials): C {
    const client = new Client({ endpoint: server.url, region, credentials, maxAttempts: 1 })
    Object.defineProperty(client.config, 'systemClockOffset', { get: () => ahead, set: () => {} })
    all.defer(() => client.destroy())
    return client
  }
  return {
    server,
    iamOf: (credentials = server.credentials) => open(IAM, server.region, credentials),
    async registry(region, { account, ...credentials } = { account: server.account, ...server.credentials }) {
      const ecr = open(ECR, region, credentials)
      const client = all.use(await openOciClient(server, { region, credentials }))
      const host = `${account}.dkr.ecr.${region}.${domain}`
      // An access key, since a token lasts for hours of the server's clock.
      const key = Buffer.from(`${credentials.accessKeyId}:${credentials.secretAccessKey}`).toString('base64')
      const call: RegistryClient['call'] = (method, path, given = {}) =>
        client.call(method, path, { ...given, headers: { host, authorization: `Basic ${key}`, ...given.headers } })
      return {
        ...{ host, ecr, call },
        get: (path) => call('GET', `/v2/${path}`),
        async push(repositoryName, image, tag) {
          await ecr.createRepository({ repositoryName }).catch((error: Error) => {
            if (error.name !== 'RepositoryAlreadyExistsException') throw error
          })
          await pushImageTo(ecr, repositoryName, image, tag)
        },
        async stored(repositoryName, { digest: imageDigest }) {
          await until(async () => {
            const { imageDetails = [] } = await ecr
              .describeImages({ repositoryName, imageIds: [{ imageDigest }] })
              .catch(() => ({ imageDetails: [] }))
            return imageDetails.length > 0
          })
        },
      }
    },
    pass(ms) {
      ahead += ms
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
