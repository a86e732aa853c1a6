/** A running Lading with clients of Secrets Manager and ECR for it. They do not retry, so that a test sees the first answer. */
import { randomUUID } from 'node:crypto'
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { type Credentials, type RunningServer, type ServerOptions, startServer } from './server.ts'

export interface SecretsSession extends AsyncDisposable {
  readonly server: RunningServer
  readonly secrets: SecretsManager
  readonly iam: IAM
  readonly ecr: ECR
  client(options: { credentials?: Credentials; region?: string }): SecretsManager
  /** A name that no other test has. */
  name(): string
  /** A user of a name that no other test has, with the key to act as it. */
  user(...statements: readonly object[]): Promise<Credentials>
}

export async function startSecretsSession(options: ServerOptions = {}): Promise<SecretsSession> {
  const server = await startServer(options)
  const opened: { destroy(): void }[] = []
  const open = <Client extends { destroy(): void }>(client: Client) => {
    opened.push(client)
    return client
  }
  const given = (credentials = server.credentials, region = server.region) => ({
    ...{ endpoint: server.url, region, credentials, maxAttempts: 1 },
  })
  const client: SecretsSession['client'] = ({ credentials, region }) =>
    open(new SecretsManager(given(credentials, region)))
  const iam = open(new IAM(given()))
  return {
    ...{ server, client, iam, secrets: client({}), ecr: open(new ECR(given())) },
    name: () => `ecr-pullthroughcache/${randomUUID()}`,
    async user(...Statement) {
      const UserName = randomUUID()
      await iam.createUser({ UserName })
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
      if (Statement.length > 0) await iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument })
      const { AccessKey } = await iam.createAccessKey({ UserName })
      return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
    },
    async [Symbol.asyncDispose]() {
      for (const each of opened) each.destroy()
      await server.stop()
    },
  }
}
