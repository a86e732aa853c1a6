/** Pulls through rules for another Lading, which the cache reads as ECR over HTTP with its own AWS credentials. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { IAM } from '@aws-sdk/client-iam'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { startEcrSession } from '#test/support/ecr-session.ts'
import { amd64, arm64, type Image, image, index } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { type Credentials, startServer } from '#test/support/server.ts'
import { startNamedRegistry } from '#test/support/upstreams/named-registry.ts'

const account = '000000000000'
const other = '222222222222'
const region = 'eu-west-1'
const domain = 'upstream.test'
const pullActions = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']

const hostOf = (ofAccount: string) => `${ofAccount}.dkr.ecr.${region}.amazonaws.com`

/** The credentials of this process. No other test runs in it. */
function becomes({ accessKeyId, secretAccessKey }: Credentials): void {
  process.env.AWS_ACCESS_KEY_ID = accessKeyId
  process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey
}

/** A Lading with registries of two accounts, a role that may read, and a cache with rules for both registries. */
async function startPair() {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startServer({ environment: { LADING_DOMAIN: domain } }))
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

  let ahead = 0
  const session = stack.use(
    await startEcrSession({
      clock: () => Date.now() + ahead,
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
  const all = stack.move()
  return {
    ...{ upstream, ecr, otherEcr, iam, allowRole, trust, rule, session },
    get: (path: string) => client.call('GET', `/v2/${path}`),
    push: async (to: ECR, repositoryName: string, pushed: Image) => {
      await to.createRepository({ repositoryName })
      await pushImageTo(to, repositoryName, pushed, 'v1')
    },
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

test('an index of the same account is pulled by tag, by digest and with all blobs', async () => {
  await using pair = await startPair()
  const children = [image({ platform: amd64, layers: [50_000] }), image({ platform: arm64, layers: [40_000] })]
  const both = index({ children })
  await pair.push(pair.ecr, 'team/app', both)
  becomes(pair.upstream.credentials)
  await pair.rule('plain', account)
  const validated = await pair.session.ecr.validatePullThroughCacheRule({ ecrRepositoryPrefix: 'plain' })
  assert.deepEqual([validated.isValid, validated.failure], [true, undefined])
  assert.ok((await pair.get('plain/team/app/manifests/v1')).body.equals(both.bytes))
  for (const child of children) {
    assert.ok((await pair.get(`plain/team/app/manifests/${child.digest}`)).body.equals(child.bytes))
    for (const { digest, bytes } of child.blobs) {
      assert.ok((await pair.get(`plain/team/app/blobs/${digest}`)).body.equals(bytes))
    }
  }
})

test('with a role the cache pulls from its own account, and from another one where its repository allows it', async () => {
  await using pair = await startPair()
  const [own, others] = [image({ layers: [10_000] }), image({ layers: [20_000] })]
  await pair.push(pair.ecr, 'team/app', own)
  await pair.push(pair.otherEcr, 'team/app', others)
  assert.ok((await pair.get('own/team/app/manifests/v1')).body.equals(own.bytes))
  assert.equal((await pair.get('other/team/app/manifests/v1')).error, 'DENIED')
  await pair.open('team/app')
  pair.pass(60_000)
  const pulled = await pair.get('other/team/app/manifests/v1')
  assert.equal(pulled.status, 200, pulled.message)
  assert.ok(pulled.body.equals(others.bytes))
  for (const { digest, bytes } of others.blobs) {
    assert.ok((await pair.get(`other/team/app/blobs/${digest}`)).body.equals(bytes))
  }
})

test('a role without rights, or that does not trust the credentials, is named as the cause', async () => {
  await using pair = await startPair()
  await pair.push(pair.ecr, 'team/app', image({ layers: [1_000] }))
  await pair.iam.updateAssumeRolePolicy({
    ...{ RoleName: 'reader', PolicyDocument: pair.trust(`arn:aws:iam::${other}:root`) },
  })
  const untrusted = await pair.get('own/team/app/manifests/v1')
  assert.equal(untrusted.error, 'DENIED')
  assert.match(untrusted.message, /STS refuses/)
  await pair.iam.updateAssumeRolePolicy({
    ...{ RoleName: 'reader', PolicyDocument: pair.trust(`arn:aws:iam::${account}:root`) },
  })
  await pair.allowRole(['ecr:BatchGetImage'])
  pair.pass(60_000)
  const withoutToken = await pair.get('own/team/app/manifests/v1')
  assert.equal(withoutToken.error, 'DENIED')
  assert.match(withoutToken.message, /ECR refuses/)
  await pair.allowRole(['ecr:GetAuthorizationToken'])
  pair.pass(60_000)
  const repositoryName = 'own/team/app'
  const { failures } = await pair.session.ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'v1' }] })
  assert.deepEqual(
    failures?.map(({ failureCode }) => failureCode),
    ['UpstreamAccessDenied'],
  )
})
