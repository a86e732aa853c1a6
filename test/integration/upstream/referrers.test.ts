/** What refers to a cached image: asked of the upstream, kept, and served from here. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { artifact, type Image, image } from '#test/support/images/build.ts'
import { pushImage } from '#test/support/push.ts'
import { type CacheSession, startCacheSession } from '#test/support/upstreams/cache-session.ts'

const day = 24 * 60 * 60_000
const repository = 'hub/library/app'

const app = image({ layers: [1_000] })
const sbomOf = (subject: Image, text: string) =>
  artifact({ artifactType: 'application/spdx+json', subject, blobs: [Buffer.from(text)] })

async function list({ get }: Pick<CacheSession, 'get'>, subject: Image): Promise<string[]> {
  const { status, body, message } = await get(`${repository}/referrers/${subject.digest}`)
  assert.equal(status, 200, message)
  const { manifests } = JSON.parse(body.toString()) as { manifests: { digest: string }[] }
  return manifests.map(({ digest }) => digest)
}

eachDatabaseInCi((databases) =>
  describe(`referrers of cached images on ${databases.dialect}`, () => {
    async function cached(): Promise<CacheSession> {
      const session = await startCacheSession({ database: await databases.url() })
      session.hub.content.push('library/app', app, 'latest')
      assert.equal((await session.get(`${repository}/manifests/latest`)).status, 200)
      return session
    }
    const asked = ({ hub }: CacheSession) => hub.log.count({ kind: 'referrers', status: 200 })

    test('are asked for once a day, and are served when the upstream is gone', async () => {
      await using session = await cached()
      const { hub } = session
      const [first, second] = [sbomOf(app, 'first'), sbomOf(app, 'second')]
      hub.content.push('library/app', first)
      assert.deepEqual(await list(session, app), [first.digest])
      hub.content.push('library/app', second)
      assert.deepEqual(await list(session, app), [first.digest])
      assert.equal(asked(session), 1)

      session.pass(2 * day)
      assert.deepEqual(new Set(await list(session, app)), new Set([first.digest, second.digest]))
      session.pass(2 * day)
      hub.behaviour.down = true
      assert.deepEqual(new Set(await list(session, app)), new Set([first.digest, second.digest]))
      const pulled = await session.get(`${repository}/manifests/${first.digest}`)
      assert.ok(pulled.body.equals(first.bytes))
    })

    test('are an error where the upstream was never asked and fails, since an empty list would hide a signature', async () => {
      await using session = await cached()
      session.hub.content.push('library/app', sbomOf(app, 'signature'))
      session.hub.behaviour.down = true
      const { status, error } = await session.get(`${repository}/referrers/${app.digest}`)
      assert.deepEqual([status, error], [503, 'UNAVAILABLE'])
    })

    test('of an image that is not here are not asked for again at once', async () => {
      await using session = await cached()
      const other = image({ layers: [2_000] })
      const sbom = sbomOf(other, 'other')
      session.hub.content.push('library/app', other)
      session.hub.content.push('library/app', sbom)
      for (let each = 0; each < 5; each++) assert.deepEqual(await list(session, other), [sbom.digest])
      assert.equal(asked(session), 1)
    })

    test('of an image that a client pushed are those that clients pushed', async () => {
      await using session = await cached()
      const ours = image({ layers: [2_000] })
      session.hub.content.push('library/app', sbomOf(ours, 'theirs'))
      const { url, credentials } = session.server
      const { accessKeyId, secretAccessKey } = credentials
      const authorization = `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString('base64')}`
      await pushImage({ url, authorization }, repository, ours, 'ours')
      assert.deepEqual(await list(session, ours), [])
      assert.equal(asked(session), 0)
    })

    test('are not asked for by a caller who may not import', async () => {
      await using session = await cached()
      session.hub.content.push('library/app', sbomOf(app, 'first'))
      const actions = ['ecr:GetAuthorizationToken', 'ecr:BatchGetImage', 'ecr:ListImageReferrers']
      const statement = { Effect: 'Allow', Action: actions, Resource: '*' }
      const reader = await session.user('reader', { Version: '2012-10-17', Statement: [statement] })
      assert.deepEqual(await list(reader, app), [])
      assert.equal(asked(session), 0)
    })
  }),
)
