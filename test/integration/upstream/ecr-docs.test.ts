/** docs/pull-through.md, "From ECR" and "Upstreams of ECR", as it stands. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blocksOf, exportsOf, readPage } from '#test/support/documentation.ts'
import { refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { startDeployment } from '#test/support/upstreams/deployment.ts'

test('a role and a repository with the documented policies let the cache pull from another account', async () => {
  await using deployment = await startDeployment()
  const page = await readPage('pull-through.md', deployment.server)
  const [, section = ''] = page.split('## From ECR\n')
  const [trust = '', rights = '', policyText = ''] = blocksOf(section.split('\n## ')[0] ?? '', 'json')
  const region = 'eu-west-1'
  const owner = { account: '222222222222', ...(await deployment.server.addAccount('222222222222')) }
  const [cache, upstream] = [await deployment.registry(region), await deployment.registry(region, owner)]
  const app = image({ layers: [1_000] })
  await upstream.push('team/app', app, 'v1')
  const iam = deployment.iamOf()
  const { Role } = await iam.createRole({ RoleName: 'cache', AssumeRolePolicyDocument: trust })
  await iam.putRolePolicy({ RoleName: 'cache', PolicyName: 'pull', PolicyDocument: rights })
  await upstream.ecr.setRepositoryPolicy({ repositoryName: 'team/app', policyText })
  await cache.ecr.createPullThroughCacheRule({
    ...{ ecrRepositoryPrefix: 'other', upstreamRegistryUrl: upstream.host, customRoleArn: Role?.Arn },
  })

  const validated = await cache.ecr.validatePullThroughCacheRule({ ecrRepositoryPrefix: 'other' })
  assert.deepEqual([validated.isValid, validated.failure], [true, undefined])
  const { status, body } = await cache.get('other/team/app/manifests/v1')
  assert.equal(status, 200)
  assert.ok(body.equals(app.bytes))
  for (const { digest, bytes } of app.blobs) {
    assert.ok((await cache.get(`other/team/app/blobs/${digest}`)).body.equals(bytes))
  }
})

test('the documented setting makes the other Lading an upstream of ECR', async () => {
  await using deployment = await startDeployment()
  const page = await readPage('pull-through.md', deployment.server)
  const [, section = ''] = page.split('### Upstreams of ECR\n')
  const environment = exportsOf(section.split('\n## ')[0] ?? '', 'LADING_')
  await using session = await startEcrSession({ environment })
  const [upstreamRegistryUrl] = String(environment.LADING_UPSTREAMS).split('=')
  const rule = await session.ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'listed', upstreamRegistryUrl })
  assert.equal(rule.upstreamRegistry, 'ecr')
  const unlisted = {
    ecrRepositoryPrefix: 'unlisted',
    upstreamRegistryUrl: '333333333333.dkr.ecr.eu-west-1.amazonaws.com',
  }
  assert.equal((await refusalOf(session.ecr.createPullThroughCacheRule(unlisted))).name, 'InvalidParameterException')
})
