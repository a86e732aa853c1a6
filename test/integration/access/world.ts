/**
 * Who may do what, with real policies: a running Lading with two accounts, a user in each whose policy a test switches, and a
 * repository in the first with an image in it, whose policy and whose registry's policy a test switches too.
 */
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { image } from '#test/support/images/build.ts'
import { type Credentials, type RunningServer, startServer } from '#test/support/server.ts'
import type { Target } from './operations.ts'

export interface Statement {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal?: object | '*'
  readonly Action?: string | readonly string[]
  readonly NotAction?: string | readonly string[]
  readonly Resource?: string | readonly string[]
  readonly Condition?: object
}

export interface Actor {
  readonly account: string
  readonly arn: string
  readonly userName: string
  readonly credentials: Credentials
  readonly ecr: ECR
  /** Gives it these statements and no others. */
  may(...statements: Statement[]): Promise<void>
}

export interface World extends AsyncDisposable {
  readonly server: RunningServer
  readonly domain: string
  /** The repository, which holds an image. */
  readonly target: Target
  /** The client of the root of the account that owns it. */
  readonly root: ECR
  readonly iam: IAM
  /** A user of that account. */
  readonly own: Actor
  /** A user of another. */
  readonly foreign: Actor
  /** Puts these statements as the policy of the repository, or takes it away. */
  repositoryPolicy(...statements: Statement[]): Promise<void>
  registryPolicy(...statements: Statement[]): Promise<void>
  client(credentials: Credentials): ECR
  user(userName: string, tags?: Readonly<Record<string, string>>): Promise<Actor>
}

const otherAccount = '222222222222'
const domain = 'registry.test'

export function documentOf(statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

export async function startWorld({ database }: { database: string }): Promise<World> {
  const server = await startServer({ database, environment: { LADING_DOMAIN: domain } })
  const clients: { destroy(): void }[] = []
  const opened = <Client extends { destroy(): void }>(client: Client): Client => {
    clients.push(client)
    return client
  }
  const options = (credentials: Credentials) => {
    return { endpoint: server.url, region: server.region, credentials, maxAttempts: 1 }
  }
  const client = (credentials: Credentials) => opened(new ECR(options(credentials)))
  const iam = opened(new IAM(options(server.credentials)))
  const otherIam = opened(new IAM(options(await server.addAccount(otherAccount))))
  const root = client(server.credentials)
  const target = { registryId: server.account, region: server.region, repositoryName: 'team/app' }
  const { repositoryName } = target

  async function hire(iam: IAM, account: string, UserName: string, tags: Readonly<Record<string, string>> = {}) {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
    await iam.createUser({ UserName, Tags })
    const { AccessKey } = await iam.createAccessKey({ UserName })
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {}
    const credentials = { accessKeyId, secretAccessKey }
    let current = ''
    const may: Actor['may'] = async (...statements) => {
      const PolicyDocument = statements.length === 0 ? '' : documentOf(statements)
      if (PolicyDocument === current) return
      const policy = { UserName, PolicyName: 'own' }
      if (PolicyDocument === '') await iam.deleteUserPolicy(policy)
      else await iam.putUserPolicy({ ...policy, PolicyDocument })
      current = PolicyDocument
    }
    const arn = `arn:aws:iam::${account}:user/${UserName}`
    return { account, arn, userName: UserName, credentials, ecr: client(credentials), may }
  }

  await root.createRepository({ repositoryName })
  await pushImageTo(root, repositoryName, image(), 'v1')
  return {
    ...{ server, domain, target, root, iam, client },
    own: await hire(iam, server.account, 'alice'),
    foreign: await hire(otherIam, otherAccount, 'bob'),
    user: (userName, tags) => hire(iam, server.account, userName, tags),
    async repositoryPolicy(...statements) {
      if (statements.length > 0) {
        await root.setRepositoryPolicy({ repositoryName, policyText: documentOf(statements), force: true })
      } else await unless('RepositoryPolicyNotFoundException', root.deleteRepositoryPolicy({ repositoryName }))
    },
    async registryPolicy(...statements) {
      if (statements.length > 0) await root.putRegistryPolicy({ policyText: documentOf(statements) })
      else await unless('RegistryPolicyNotFoundException', root.deleteRegistryPolicy({}))
    },
    async [Symbol.asyncDispose]() {
      for (const each of clients) each.destroy()
      await server.stop()
    },
  }
}

async function unless(name: string, call: Promise<unknown>): Promise<void> {
  await call.catch((error: Error) => {
    if (error.name !== name) throw error
  })
}
