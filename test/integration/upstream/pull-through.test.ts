/** Pulls through a rule of the cache: by tag, by digest, of an index, while the upstream works and after it is gone. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { amd64, arm64, type Image, image, index } from '#test/support/images/build.ts'
import { until } from '#test/support/until.ts'
import { type CacheSession, startCacheSession } from '#test/support/upstreams/cache-session.ts'

const day = 24 * 60 * 60_000

/** Waits until an image is one of the repository, with all that it refers to. */
async function stored({ ecr }: CacheSession, repositoryName: string, { digest: imageDigest }: Image): Promise<void> {
  await until(async () => {
    const { imageDetails = [] } = await ecr
      .describeImages({ repositoryName, imageIds: [{ imageDigest }] })
      .catch(() => ({ imageDetails: [] }))
    return imageDetails.length > 0
  })
}

/** Pulls all blobs of an image, and compares them. */
async function pullBlobs({ get }: CacheSession, repository: string, { blobs }: Image): Promise<void> {
  for (const blob of blobs) {
    const { status, body } = await get(`${repository}/blobs/${blob.digest}`)
    assert.equal(status, 200)
    assert.ok(body.equals(blob.bytes))
  }
}

eachDatabaseInCi((databases) =>
  describe(`the pull-through cache on ${databases.dialect}`, () => {
    test('a first pull by tag creates the repository, answers at once, and fetches each blob once', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      const { hub, get, ecr } = session
      const app = image({ layers: [100_000] })
      hub.content.push('library/app', app, 'latest')

      const pulled = await get('hub/library/app/manifests/latest')
      assert.equal(pulled.status, 200)
      assert.ok(pulled.body.equals(app.bytes))
      assert.equal(pulled.headers['docker-content-digest'], app.digest)
      assert.equal(pulled.headers['content-type'], app.mediaType)
      await pullBlobs(session, 'hub/library/app', app)
      await stored(session, 'hub/library/app', app)

      const { repositories = [] } = await ecr.describeRepositories({ repositoryNames: ['hub/library/app'] })
      assert.equal(repositories[0]?.imageTagMutability, 'MUTABLE')
      assert.equal(hub.log.count({ method: 'HEAD', kind: 'blobs' }), 0)
      assert.equal(hub.log.count({ at: 'cdn', method: 'GET' }), app.blobs.length)
      assert.equal(hub.log.count({ at: 'token' }), 1)
    })

    test('an index is kept with all children, and every part is served when the upstream is gone', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      const { hub, get } = session
      const children = [image({ platform: amd64, layers: [10_000] }), image({ platform: arm64, layers: [20_000] })]
      const both = index({ children })
      hub.content.push('library/both', both, 'v1')

      const head = await session.call('HEAD', '/v2/hub/library/both/manifests/v1')
      assert.equal(head.status, 200)
      assert.equal(head.headers['docker-content-digest'], both.digest)
      await stored(session, 'hub/library/both', both)
      hub.behaviour.down = true
      session.pass(3 * day)

      const pulled = await get('hub/library/both/manifests/v1')
      assert.equal(pulled.status, 200)
      assert.ok(pulled.body.equals(both.bytes))
      assert.match(String(pulled.headers.warning), /^111 lading /)
      for (const child of children) {
        const { status, body } = await get(`hub/library/both/manifests/${child.digest}`)
        assert.equal(status, 200)
        assert.ok(body.equals(child.bytes))
        await pullBlobs(session, 'hub/library/both', child)
      }
    })

    test('a child that a client asks for is served before the whole index is here', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      const { hub, get } = session
      const wanted = image({ platform: amd64, layers: [10_000] })
      const slow = image({ platform: arm64, layers: [20_000] })
      const both = index({ children: [slow, wanted] })
      hub.content.push('library/both', both, 'v1')
      for (const blob of slow.blobs) hub.fail({ kind: 'blobs', reference: blob.digest }, { kind: 'silence' })

      assert.equal((await get('hub/library/both/manifests/v1')).status, 200)
      assert.equal((await get(`hub/library/both/manifests/${wanted.digest}`)).status, 200)
      await pullBlobs(session, 'hub/library/both', wanted)
      hub.recover()
    })

    test('a first pull by digest works, and creates no tag', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      const { hub, get, ecr } = session
      const app = image({ layers: [1_000] })
      hub.content.push('library/app', app, 'latest')

      const pulled = await get(`hub/library/app/manifests/${app.digest}`)
      assert.equal(pulled.status, 200)
      assert.ok(pulled.body.equals(app.bytes))
      await pullBlobs(session, 'hub/library/app', app)
      await stored(session, 'hub/library/app', app)
      const { imageIds } = await ecr.listImages({ repositoryName: 'hub/library/app' })
      assert.deepEqual(imageIds, [{ imageDigest: app.digest }])
    })

    test('a tag is checked once a day by HEAD, and moves when the upstream moved it', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      const { hub, get } = session
      const [first, second] = [image({ layers: [1_000] }), image({ layers: [2_000] })]
      const path = 'hub/library/app/manifests/latest'
      hub.content.push('library/app', first, 'latest')
      await get(path)
      await stored(session, 'hub/library/app', first)
      hub.content.push('library/app', second, 'latest')
      hub.log.clear()

      assert.equal((await get(path)).headers['docker-content-digest'], first.digest)
      assert.equal(hub.log.count(), 0)
      session.pass(day)
      assert.equal((await get(path)).headers['docker-content-digest'], second.digest)
      await pullBlobs(session, 'hub/library/app', second)
      await stored(session, 'hub/library/app', second)
      session.pass(day)
      hub.log.clear()
      assert.equal((await get(path)).headers['docker-content-digest'], second.digest)
      assert.equal(hub.log.count({ method: 'HEAD', kind: 'manifests' }), 1)
      assert.equal(hub.log.count({ method: 'GET', kind: 'manifests' }), 0)
      assert.equal((await get(`hub/library/app/manifests/${first.digest}`)).status, 200)
    })

    test('each of several tags of one image follows the upstream', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      const { hub, get } = session
      const [first, second] = [image({ layers: [1_000] }), image({ layers: [2_000] })]
      const pull = async (tag: string) =>
        (await get(`hub/library/app/manifests/${tag}`)).headers['docker-content-digest']
      hub.content.push('library/app', first, '1.27', 'latest')
      await pull('1.27')
      await stored(session, 'hub/library/app', first)
      assert.equal(await pull('latest'), first.digest)
      hub.content.push('library/app', second, 'latest')
      session.pass(2 * day)

      assert.equal(await pull('latest'), second.digest)
      assert.equal(await pull('1.27'), first.digest)
    })

    test('what the upstream refuses is said plainly, and a limit comes with its time', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      const { hub, get } = session
      assert.equal((await get('hub/library/none/manifests/latest')).error, 'MANIFEST_UNKNOWN')
      hub.content.push('library/app', image({ layers: [1_000] }), 'latest')
      hub.behaviour.rateLimit = { limit: 1, used: 1, windowSeconds: 21_600, retryAfter: '3600' }
      const limited = await get('hub/library/app/manifests/latest')
      assert.deepEqual([limited.status, limited.error], [429, 'TOOMANYREQUESTS'])
      assert.equal(limited.headers['retry-after'], '3600')
      hub.behaviour.rateLimit = undefined
      session.pass(3_600_000)
      hub.behaviour.down = true
      const down = await get('hub/library/app/manifests/latest')
      assert.deepEqual([down.status, down.error], [503, 'UNAVAILABLE'])
      hub.behaviour.down = false
      session.pass(10_000)
      assert.equal((await get('hub/library/app/manifests/latest')).status, 200)
    })

    test('a tag with its digest is found where the upstream has moved the tag to that digest', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      const { hub, ecr } = session
      const [first, second] = [image({ layers: [1_000] }), image({ layers: [2_000] })]
      const pull = async ({ digest }: Image) => {
        const imageIds = [{ imageTag: 'latest', imageDigest: digest }]
        const { images = [], failures = [] } = await ecr.batchGetImage({ repositoryName: 'hub/library/app', imageIds })
        return images[0]?.imageId?.imageDigest ?? failures[0]?.failureCode
      }
      hub.content.push('library/app', first, 'latest')
      assert.equal(await pull(first), first.digest)
      await stored(session, 'hub/library/app', first)
      hub.content.push('library/app', second, 'latest')
      assert.equal(await pull(second), 'ImageTagDoesNotMatchDigest')
      session.pass(2 * day)
      assert.equal(await pull(second), second.digest)
      await stored(session, 'hub/library/app', second)
      assert.equal(await pull(first), 'ImageTagDoesNotMatchDigest')
    })

    test('a tag that a client pushed to a cached repository is never replaced', async () => {
      await using session = await startCacheSession({ database: await databases.url() })
      const { hub, get } = session
      const [theirs, ours] = [image({ layers: [1_000] }), image({ layers: [2_000] })]
      const path = '/v2/hub/library/app/manifests/latest'
      hub.content.push('library/app', theirs, 'latest')
      await get('hub/library/app/manifests/latest')
      await stored(session, 'hub/library/app', theirs)
      for (const blob of ours.blobs) {
        const pushed = await session.call('POST', `/v2/hub/library/app/blobs/uploads/?digest=${blob.digest}`, {
          body: blob.bytes,
        })
        assert.equal(pushed.status, 201)
      }
      const put = await session.call('PUT', path, { body: ours.bytes, headers: { 'content-type': ours.mediaType } })
      assert.equal(put.status, 201)
      session.pass(2 * day)
      assert.equal((await get('hub/library/app/manifests/latest')).headers['docker-content-digest'], ours.digest)
    })
  }),
)
