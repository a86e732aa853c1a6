/**
 * A cache and another Lading, which it reads as ECR over HTTP with the AWS credentials of this process. Both have one clock. A test file
 * runs in a process of its own, so its environment is that of the cache alone.
 */
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { startEcrSession } from '#test/support/ecr-session.ts'
import type { Image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { type Credentials, startServer } from '#test/support/server.ts'
import { startNamedRegistry } from './named-registry.ts'

export const account = '000000000000'
export const other = '222222222222'
const region = 'eu-west-1'
const domain = 'upstream.test'
const pullActions = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']

const hostOf = (ofAccount: string) => `${ofAccount}.dkr.ecr.${region}.amazonaws.com`

/** The AWS credentials of this process. */
export function becomes({ accessKeyId, secretAccessKey }: Credentials): void {
  process.env.AWS_ACCESS_KEY_ID = accessKeyId
  process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey
}

/** A Lading with registries of two accounts, a role that may read, and a cache with rules for both registries. */
export async function startPair() {
  await using stack = new AsyncDisposableStack()
  let ahead = 0
  const clock = () => Date.now() + ahead
  const upstream = stack.use(await startServer({ clock, environment: { LADING_DOMAIN: domain } }))
  const named = async (ofAccount: string) => {
    const registry = await startNamedRegistry(upstream.url, `${ofAccount}.dkr.ecr.${region}.${domain}`)
    return `${hostOf(ofAccount)}=${stack.use(registry).url}`
  }
  const upstreams = [await named(account), await named(other)].join()
  const own = { endpoint: upstream.url, region, maxAttempts: 1 }
  const ecr = new ECR({ ...own, credentials: upstream.credentials })
  const otherEcr = new ECR({ ...own, credentials: await upstream.addAccount(other) })
  const iam = new IAM({ ...own, credentials: upstream.credentials })
  for (const client of [ecr, otherEcr, iam]) stack.defer(() => client.destroy())
  await iam.createUser({ UserName: 'cache' })
  const { AccessKey } = await iam.createAccessKey({ UserName: 'cache' })
  const allow = (Action: unknown, Resource = '*') =>
    JSON.stringify({ Statement: { Effect: 'Allow', Action, Resource } })
  await iam.putUserPolicy({ UserName: 'cache', PolicyName: 'assume', PolicyDocument: allow('sts:AssumeRole') })
  const trust = (arn: string) =>
    JSON.stringify({ Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: arn } } })
  const rootArn = `arn:aws:iam::${account}:root`
  const { Role } = await iam.createRole({ RoleName: 'reader', AssumeRolePolicyDocument: trust(rootArn) })
  const allowRole = (actions: readonly string[]) =>
    iam.putRolePolicy({ RoleName: 'reader', PolicyName: 'read', PolicyDocument: allow(actions) })
  await allowRole(['ecr:GetAuthorizationToken', ...pullActions])
  becomes({ accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' })

  const session = stack.use(
    await startEcrSession({
      clock,
      environment: {
        LADING_ACCESS_KEY_LOGIN: 'on',
        LADING_UPSTREAMS: upstreams,
      },
    }),
  )
  const rule = (ecrRepositoryPrefix: string, ofAccount: string, customRoleArn?: string) =>
    session.ecr.createPullThroughCacheRule({
      ...{ ecrRepositoryPrefix, upstreamRegistryUrl: hostOf(ofAccount), customRoleArn },
    })
  await rule('own', account, Role?.Arn)
  await rule('other', other, Role?.Arn)
  const client = stack.use(await openOciClient(session.server))
  // An access key, since a token lasts for hours of the server's clock.
  const key = session.server.credentials
  const authorization = `Basic ${Buffer.from(`${key.accessKeyId}:${key.secretAccessKey}`).toString('base64')}`
  const all = stack.move()
  return {
    ...{ upstream, ecr, otherEcr, iam, allowRole, trust, rule, session },
    get: (path: string) => client.call('GET', `/v2/${path}`, { headers: { authorization } }),
    push: async (to: ECR, repositoryName: string, pushed: Image) => {
      await to.createRepository({ repositoryName })
      await pushImageTo(to, repositoryName, pushed, 'v1')
    },
    add: (to: ECR, repositoryName: string, pushed: Image, tag?: string) => pushImageTo(to, repositoryName, pushed, tag),
    open: (repositoryName: string) =>
      otherEcr.setRepositoryPolicy({
        repositoryName,
        policyText: JSON.stringify({
          Statement: { Effect: 'Allow', Principal: { AWS: rootArn }, Action: pullActions },
        }),
      }),
    pass: (ms: number) => {
      ahead += ms
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
