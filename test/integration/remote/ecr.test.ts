import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import type { RemoteCredentials } from '#remote/registry.ts'
import { createRemotes } from '#remote/remotes.ts'
import { startIamSession } from '#test/support/iam-session.ts'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushImage } from '#test/support/push.ts'
import { collect, failure } from '#test/support/upstreams/remote.ts'

const pushed = image()

test('another Lading is read as ECR, with own credentials and with a role', async () => {
  await using session = await startIamSession()
  const { server, iam } = session
  await using client = await openOciClient(server)
  await pushImage(client.registry, await client.createRepository('app'), pushed, 'latest')
  const { Role } = await iam.createRole({
    RoleName: 'reader',
    AssumeRolePolicyDocument: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${server.account}:root` }, Action: 'sts:AssumeRole' },
      ],
    }),
  })
  await iam.putRolePolicy({
    RoleName: 'reader',
    PolicyName: 'read',
    PolicyDocument: JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'ecr:*', Resource: '*' }],
    }),
  })
  const user = await iam.createUser({ UserName: 'puller' })
  await iam.putUserPolicy({
    UserName: 'puller',
    PolicyName: 'assume',
    PolicyDocument: JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }],
    }),
  })
  const { AccessKey } = await iam.createAccessKey({ UserName: user.User?.UserName })
  const key = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
  const host = `${server.account}.dkr.ecr.${server.region}.amazonaws.com`
  const ecr: RemoteCredentials = { kind: 'ecr', account: server.account, region: server.region }
  const own = { hosts: [{ host, url: server.url }], isKnown: () => true, clock: systemClock }
  await using asRoot = createRemotes({ ...own, awsCredentials: async () => server.credentials })
  await using asUser = createRemotes({ ...own, awsCredentials: async () => key })
  await using asNone = createRemotes({ ...own, awsCredentials: () => Promise.reject(new Error('none')) })

  const role = { ...ecr, roleArn: Role?.Arn ?? '' }
  for (const registry of [asRoot.connect(host, ecr), asUser.connect(host, role)]) {
    await registry.check()
    assert.equal((await registry.getManifest('app', 'latest'))?.digest, pushed.digest)
    const [blob] = pushed.blobs
    assert.ok(blob)
    const opened = await registry.openBlob('app', blob.digest, { offset: 0 })
    assert.ok(opened)
    assert.deepEqual(await collect(opened.body), blob.bytes)
  }
  await assert.rejects(asUser.connect(host, ecr).check(), failure('unauthorized'))
  await assert.rejects(asNone.connect(host, ecr).check(), failure('unauthorized', /no AWS credentials/))
  const missing = { ...ecr, roleArn: `arn:aws:iam::${server.account}:role/missing` }
  await assert.rejects(asUser.connect(host, missing).check(), failure('unauthorized', /STS refuses/))
})
