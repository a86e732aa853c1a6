/**
 * A running Lading and the AWS SDK's ECR client for it, with the root key of its account. The client does not retry, so that a
 * test sees the first answer.
 */
import { ECR } from '@aws-sdk/client-ecr'
import type { Image } from '#test/support/images/build.ts'
import { pushBlobTo, pushImageTo } from './ecr-push.ts'
import { type Credentials, type RunningServer, type ServerOptions, startServer } from './server.ts'

export interface EcrSession extends AsyncDisposable {
  readonly server: RunningServer
  readonly ecr: ECR
  /** A client of another account, or of another region. */
  client(options: { credentials?: Credentials; region?: string }): ECR
  /** Creates a repository of a name that no other test has. */
  repository(settings?: Omit<Parameters<ECR['createRepository']>[0], 'repositoryName'>): Promise<string>
  /** Pushes a blob in one part, unless the repository has it. */
  pushBlob(repositoryName: string, blob: { readonly digest: string; readonly bytes: Uint8Array }): Promise<void>
  /** Pushes the image with everything below it; the tag goes to the topmost manifest. */
  push(repositoryName: string, image: Image, imageTag?: string): Promise<void>
}

export async function startEcrSession(options: ServerOptions = {}): Promise<EcrSession> {
  const server = await startServer(options)
  const clients: ECR[] = []
  const client: EcrSession['client'] = ({ credentials = server.credentials, region = server.region }) => {
    const created = new ECR({ endpoint: server.url, region, credentials, maxAttempts: 1 })
    clients.push(created)
    return created
  }
  const ecr = client({})
  let repositories = 0

  return {
    server,
    ecr,
    client,
    async repository(settings = {}) {
      const repositoryName = `team/app-${++repositories}`
      await ecr.createRepository({ repositoryName, ...settings })
      return repositoryName
    },
    pushBlob: (repositoryName, blob) => pushBlobTo(ecr, repositoryName, blob),
    push: (repositoryName, image, imageTag) => pushImageTo(ecr, repositoryName, image, imageTag),
    async [Symbol.asyncDispose]() {
      for (const each of clients) each.destroy()
      await server.stop()
    },
  }
}

/** The answer without what the SDK adds to it. */
export async function answerOf<Output extends { $metadata: unknown }>(call: Promise<Output>) {
  const { $metadata, ...output } = await call
  return output
}

/** How a call was refused, for comparing; a call that succeeds fails the test that uses it. */
export async function refusalOf(call: Promise<unknown>): Promise<{ name: string; message: string; status: number }> {
  const [outcome] = await Promise.allSettled([call])
  if (outcome.status === 'fulfilled') throw new Error(`answered instead of refusing: ${JSON.stringify(outcome.value)}`)
  const { name, message, $metadata } = outcome.reason
  return { name, message, status: $metadata?.httpStatusCode }
}
