/** Pulls through rules for another Lading, which the cache reads as ECR over HTTP with its own AWS credentials. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amd64, arm64, image, index } from '#test/support/images/build.ts'
import { account, becomes, other, startPair } from '#test/support/upstreams/ecr-pair.ts'

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
