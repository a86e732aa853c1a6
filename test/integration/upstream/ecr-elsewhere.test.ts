/** Another Lading as ECR over HTTP: what refers to an image, what the role may not read, tokens that expire, and an upstream that is gone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusalOf } from '#test/support/ecr-session.ts'
import { artifact, image } from '#test/support/images/build.ts'
import { account, becomes, startPair } from '#test/support/upstreams/ecr-pair.ts'

const hour = 3_600_000
const app = image({ layers: [10_000] })
const sbom = artifact({ artifactType: 'application/spdx+json', subject: app, blobs: [Buffer.from('sbom')] })

test('referrers of an image come from the upstream', async () => {
  await using pair = await startPair()
  await pair.push(pair.ecr, 'team/app', app)
  await pair.add(pair.ecr, 'team/app', sbom)
  assert.equal((await pair.get('own/team/app/manifests/v1')).status, 200)
  const listed = await pair.get(`own/team/app/referrers/${app.digest}`)
  assert.equal(listed.status, 200, listed.message)
  const { manifests } = listed.json<{ manifests: { digest: string }[] }>()
  assert.deepEqual(
    manifests.map(({ digest }) => digest),
    [sbom.digest],
  )
  const pulled = await pair.get(`own/team/app/manifests/${sbom.digest}`)
  assert.ok(pulled.body.equals(sbom.bytes), pulled.message)
})

test('without the right to read layers of referrers, a list that was never read is denied', async () => {
  await using pair = await startPair()
  await pair.push(pair.ecr, 'team/app', app)
  await pair.add(pair.ecr, 'team/app', sbom)
  await pair.allowRole(['ecr:GetAuthorizationToken', 'ecr:BatchGetImage'])
  assert.equal((await pair.get('own/team/app/manifests/v1')).status, 200)
  const listed = await pair.get(`own/team/app/referrers/${app.digest}`)
  assert.deepEqual([listed.status, listed.error], [403, 'DENIED'])
})

test('without the right to read layers, a pull of a layer is denied on both planes', async () => {
  await using pair = await startPair()
  await pair.push(pair.ecr, 'team/app', app)
  await pair.allowRole(['ecr:GetAuthorizationToken', 'ecr:BatchGetImage'])
  assert.equal((await pair.get('own/team/app/manifests/v1')).status, 200)
  const layerDigest = app.blobs[1]?.digest
  const denied = await pair.get(`own/team/app/blobs/${layerDigest}`)
  assert.deepEqual([denied.status, denied.error], [403, 'DENIED'])
  const call = pair.session.ecr.getDownloadUrlForLayer({ repositoryName: 'own/team/app', layerDigest })
  assert.equal((await refusalOf(call)).name, 'UnableToGetUpstreamLayerException')
})

for (const [how, prefix] of [
  ['of the credentials', 'plain'],
  ['of a role', 'own'],
] as const) {
  test(`an expired token ${how} is renewed`, async () => {
    await using pair = await startPair()
    const next = image({ layers: [20_000] })
    await pair.push(pair.ecr, 'team/app', app)
    await pair.add(pair.ecr, 'team/app', next, 'v2')
    if (prefix === 'plain') {
      becomes(pair.upstream.credentials)
      await pair.rule(prefix, account)
    }
    assert.equal((await pair.get(`${prefix}/team/app/manifests/v1`)).status, 200)
    pair.pass(13 * hour)
    const pulled = await pair.get(`${prefix}/team/app/manifests/v2`)
    assert.ok(pulled.body.equals(next.bytes), pulled.message)
  })
}

test('what is cached is served when the upstream is gone', async () => {
  await using pair = await startPair()
  await pair.push(pair.ecr, 'team/app', app)
  assert.equal((await pair.get('own/team/app/manifests/v1')).status, 200)
  for (const { digest } of app.blobs) assert.equal((await pair.get(`own/team/app/blobs/${digest}`)).status, 200)
  await pair.upstream.stop()
  pair.pass(48 * hour)
  const stale = await pair.get('own/team/app/manifests/v1')
  assert.ok(stale.body.equals(app.bytes), stale.message)
  assert.match(String(stale.headers.warning), /^111 lading /)
  for (const { digest, bytes } of app.blobs) {
    assert.ok((await pair.get(`own/team/app/blobs/${digest}`)).body.equals(bytes))
  }
  const absent = await pair.get('own/team/app/manifests/v2')
  assert.deepEqual([absent.status, absent.error], [503, 'UNAVAILABLE'])
})
