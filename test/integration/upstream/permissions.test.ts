/** Who may pull through a rule, by identity, registry and repository policy, and what each refusal says. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { amd64, arm64, image, index } from '#test/support/images/build.ts'
import { type CacheSession, startCacheSession } from '#test/support/upstreams/cache-session.ts'

const login = 'ecr:GetAuthorizationToken'
const read = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']

function allow(...actions: readonly string[]): object {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: [login, ...actions], Resource: '*' }] }
}

function pushed({ hub }: CacheSession) {
  const app = image({ layers: [1_000] })
  hub.content.push('library/app', app, 'latest')
  return app
}

const path = 'hub/library/app/manifests/latest'

describe('permissions of the pull-through cache', () => {
  test('a first pull needs BatchImportUpstreamImage and CreateRepository', async () => {
    await using session = await startCacheSession()
    const app = pushed(session)
    const reader = await session.user('reader', allow(...read))
    const importer = await session.user('importer', allow(...read, 'ecr:BatchImportUpstreamImage'))
    const creator = await session.user(
      'creator',
      allow(...read, 'ecr:BatchImportUpstreamImage', 'ecr:CreateRepository'),
    )
    for (const { get } of [reader, importer]) {
      const { status, error, message } = await get(path)
      assert.deepEqual([status, error], [404, 'NAME_UNKNOWN'])
      assert.match(
        message,
        /^The repository with name 'hub\/library\/app' does not exist in the registry with id '\d+'/,
      )
    }
    assert.equal(session.hub.log.count(), 0)
    assert.equal((await creator.get(path)).headers['docker-content-digest'], app.digest)
    // What is here or on its way needs the right to read alone.
    assert.equal((await reader.get(path)).status, 200)
    const [layer] = app.blobs
    assert.equal((await reader.get(`hub/library/app/blobs/${layer?.digest}`)).status, 200)
  })

  test('a child of an index that is on its way needs the right to read alone', async () => {
    await using session = await startCacheSession()
    const { hub } = session
    const [slow, child] = [image({ platform: arm64, layers: [1_000] }), image({ platform: amd64, layers: [2_000] })]
    hub.content.push('library/app', index({ children: [slow, child] }), 'latest')
    hub.content.push('library/app', image({ layers: [3_000] }), 'other')
    const reader = await session.user('reader', allow(...read))
    // The job that brings the children waits for this one.
    hub.fail({ kind: 'manifests', reference: slow.digest }, { kind: 'silence' })
    assert.equal((await session.get(path)).status, 200)
    assert.equal((await reader.get(path)).status, 200)
    const pulled = await reader.get(`hub/library/app/manifests/${child.digest}`)
    assert.equal(pulled.status, 200)
    assert.ok(pulled.body.equals(child.bytes))
    assert.equal(
      (await reader.get(`hub/library/app/manifests/${image({ layers: [3_000] }).digest}`)).error,
      'MANIFEST_UNKNOWN',
    )
    hub.recover()
  })

  test('without BatchImportUpstreamImage a new tag of a cached repository is not found', async () => {
    await using session = await startCacheSession()
    pushed(session)
    const reader = await session.user('reader', allow(...read))
    await session.get(path)
    const { status, error, message } = await reader.get('hub/library/app/manifests/other')
    assert.deepEqual([status, error], [404, 'MANIFEST_UNKNOWN'])
    assert.match(message, /^Requested image not found/)
  })

  test('the registry policy may give both rights below the prefix', async () => {
    await using session = await startCacheSession()
    pushed(session)
    const { account, region } = session.server
    const reader = await session.user('reader', allow(...read))
    await session.ecr.putRegistryPolicy({
      policyText: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'Cache',
            Effect: 'Allow',
            Principal: { AWS: `arn:aws:iam::${account}:user/reader` },
            Action: ['ecr:CreateRepository', 'ecr:BatchImportUpstreamImage'],
            Resource: [`arn:aws:ecr:${region}:${account}:repository/hub/*`],
          },
        ],
      }),
    })
    assert.equal((await reader.get(path)).status, 200)
  })

  test('an explicit deny keeps the upstream from being asked', async () => {
    await using session = await startCacheSession()
    pushed(session)
    const denied = await session.user('denied', {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 'ecr:*', Resource: '*' },
        { Effect: 'Deny', Action: 'ecr:BatchImportUpstreamImage', Resource: '*' },
      ],
    })
    assert.equal((await denied.get(path)).status, 404)
    assert.equal(session.hub.log.count(), 0)
  })
})
