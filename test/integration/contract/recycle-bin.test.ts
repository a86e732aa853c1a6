/** Deleted over HTTP: gone from every answer of both planes at once, and back byte for byte; and the lines of the docs that do it. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type * as wire from '#admin/model.ts'
import { callAdmin } from '#test/support/admin.ts'
import { commandsOver } from '#test/support/command.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { startEcrSession } from '#test/support/ecr-session.ts'
import { artifact, image, index } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pullWhole, pushImage } from '#test/support/push.ts'
import { openRetentionStage } from '#test/support/retention-stage.ts'
import { needs, run } from '#test/support/run.ts'
import type { RunningServer } from '#test/support/server.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

function keysOf({ url, credentials, region }: RunningServer) {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: region,
  }
}

eachDatabaseInCi(({ dialect, url }) => {
  test(`a deleted image is gone from every answer at once, and back byte for byte (${dialect})`, async () => {
    await using session = await startEcrSession({ database: await url() })
    const { server, ecr } = session
    await using client = await openOciClient(server)
    const repositoryName = await session.repository()
    const admin = <T>(operation: string, input: object) => callAdmin<T>(server, server.credentials, operation, input)
    const app = image({ seed: 'app' })
    const signature = artifact({ artifactType: 'application/vnd.test', subject: app })
    await pushImage(client.registry, repositoryName, app, 'v1')
    await pushImage(client.registry, repositoryName, signature)
    const imageIds = [{ imageDigest: app.digest }, { imageDigest: signature.digest }]
    await ecr.batchDeleteImage({ repositoryName, imageIds })

    const { imageIds: listed = [] } = await ecr.listImages({ repositoryName })
    const { imageDetails = [] } = await ecr.describeImages({ repositoryName })
    const { images = [], failures = [] } = await ecr.batchGetImage({ repositoryName, imageIds })
    assert.deepEqual([listed, imageDetails, images, failures.length], [[], [], [], 2])
    for (const method of ['HEAD', 'GET']) {
      for (const reference of ['v1', app.digest, signature.digest]) {
        const { status } = await client.call(method, `/v2/${repositoryName}/manifests/${reference}`)
        assert.equal(status, 404, `${method} ${reference}`)
      }
    }
    const tags = await client.call('GET', `/v2/${repositoryName}/tags/list`)
    assert.deepEqual(tags.json<{ tags: string[] | null }>().tags ?? [], [])
    const referrers = await client.call('GET', `/v2/${repositoryName}/referrers/${app.digest}`)
    assert.deepEqual(referrers.json<{ manifests: object[] }>().manifests, [])

    const { body } = await admin<{ images: object[] }>('ListDeletedImages', { repositoryName })
    assert.equal(body.images.length, 2)
    const restored = await admin('RestoreDeletedImage', { repositoryName, imageDigest: app.digest })
    assert.equal(restored.status, 200)
    assert.equal(await pullWhole(client.registry, repositoryName, 'v1'), app.digest)
    assert.equal(await pullWhole(client.registry, repositoryName, signature.digest), signature.digest)
    const again = await admin<{ __type: string }>('RestoreDeletedImage', { repositoryName, imageDigest: app.digest })
    assert.match(again.body.__type, /DeletedImageNotFoundException/)
  })

  test(`pages of the bin joined are the whole, and a purge names what it takes (${dialect})`, async () => {
    await using session = await startEcrSession({ database: await url() })
    const { server, ecr } = session
    const repositoryName = await session.repository()
    const pushed = ['a', 'b', 'c'].map((seed) => image({ seed }))
    for (const each of pushed) await session.push(repositoryName, each)
    await ecr.batchDeleteImage({ repositoryName, imageIds: pushed.map(({ digest }) => ({ imageDigest: digest })) })
    const admin = <T>(operation: string, input: object) => callAdmin<T>(server, server.credentials, operation, input)
    const found: string[] = []
    let nextToken: string | undefined
    do {
      const { body } = await admin<{ images: { imageDigest: string }[]; nextToken?: string }>('ListDeletedImages', {
        ...{ repositoryName, maxResults: 2, nextToken },
      })
      found.push(...body.images.map(({ imageDigest }) => imageDigest))
      nextToken = body.nextToken
    } while (nextToken !== undefined)
    assert.deepEqual([found.length, new Set(found)], [3, new Set<string>(pushed.map(({ digest }) => digest))])

    const refused = await admin<{ __type: string }>('PurgeDeletedImages', { repositoryName })
    assert.match(refused.body.__type, /InvalidParameterException/)
    const purge = (input: object) => admin<{ imageCount: number }>('PurgeDeletedImages', { repositoryName, ...input })
    assert.equal((await purge({ imageDigest: found[0] })).body.imageCount, 1)
    assert.equal((await purge({ all: true })).body.imageCount, 2)
  })

  test(`an image whose time is up is gone, though nobody has taken it away yet (${dialect})`, async (t) => {
    const {
      metadata,
      ask,
      refused,
      clock,
      repository,
      push,
      delete: remove,
      bin,
    } = await openRetentionStage(t, await url())
    const repositoryName = await repository()
    const app = image()
    await push(repositoryName, app, 'v1')
    const at = clock() / 1_000
    await remove(repositoryName, { imageDigest: app.digest })
    const pasts = async () =>
      (await ask<wire.GetTagAtResponse>('GetTagAt', { repositoryName, imageTag: 'v1', at })).imageState
    assert.equal(await pasts(), 'IN_RECYCLE_BIN')
    await metadata.transaction((trx) => trx.updateTable('deleted_image').set({ purge_at: clock() }).execute())
    assert.equal(await pasts(), 'GONE')
    assert.deepEqual(await bin(repositoryName), new Set())
    const restored = await refused('RestoreDeletedImage', { repositoryName, imageDigest: app.digest })
    assert.equal(restored.__type, 'DeletedImageNotFoundException')
    const rolledBack = await refused('RollbackTag', { repositoryName, imageTag: 'v1' })
    assert.match(rolledBack.message, /was deleted and is gone for good\. Push it again\.$/)
  })

  test(`an image that was pushed again is not in the bin, and gets back what went with it (${dialect})`, async (t) => {
    const { ask, refused, repository, push, delete: remove, bin } = await openRetentionStage(t, await url())
    const repositoryName = await repository()
    const [app, other] = [image({ seed: 'app' }), image({ seed: 'other' })]
    const signature = artifact({ artifactType: 'application/vnd.test', subject: app })
    await push(repositoryName, app, 'v1', 'v2', 'v3')
    await push(repositoryName, signature)
    await remove(repositoryName, { imageDigest: app.digest }, { imageDigest: signature.digest })
    await push(repositoryName, app, 'v1')
    await push(repositoryName, other, 'v2')
    assert.deepEqual(await bin(repositoryName), new Set([signature.digest]))
    const asked = { repositoryName, imageDigest: app.digest }
    assert.equal((await refused('PurgeDeletedImages', asked)).__type, 'DeletedImageNotFoundException')
    const restored = await ask<wire.RestoreDeletedImageResponse>('RestoreDeletedImage', asked)
    assert.deepEqual(restored.imageDigests, [signature.digest])
    assert.deepEqual([restored.imageTags, restored.takenTags], [['v1', 'v3'], ['v2']])

    await remove(repositoryName, { imageDigest: app.digest }, { imageDigest: other.digest })
    await push(repositoryName, other)
    const { imageCount } = await ask<wire.PurgeDeletedImagesResponse>('PurgeDeletedImages', {
      repositoryName,
      all: true,
    })
    assert.equal(imageCount, 1)
  })

  test(`whoever purges an index is told what of it remains (${dialect})`, async (t) => {
    const { ask, repository, push, delete: remove, bin, server } = await openRetentionStage(t, await url())
    const repositoryName = await repository()
    const [binned, there, gone] = ['binned', 'there', 'gone'].map((seed) => image({ seed }))
    assert.ok(binned && there && gone)
    const inner = index({ children: [binned, gone] })
    const both = index({ children: [inner, there] })
    await push(repositoryName, both, 'v1')
    await remove(repositoryName, ...[both, inner, binned, gone].map(({ digest }) => ({ imageDigest: digest })))
    const purge = (of: { digest: string }) =>
      ask<wire.PurgeDeletedImagesResponse>('PurgeDeletedImages', { repositoryName, imageDigest: of.digest })
    assert.deepEqual((await purge(gone)).remainingImageDigests, [])
    assert.deepEqual(
      new Set((await purge(both)).remainingImageDigests),
      new Set([inner, binned, there].map(({ digest }) => digest)),
    )
    assert.deepEqual(await bin(repositoryName), new Set([inner, binned].map(({ digest }) => digest)))
    const told = await commandsOver(keysOf(server)).run('recycle-bin', 'purge', repositoryName, inner.digest)
    assert.ok(told.includes(binned.digest))
    assert.match(
      told,
      /\n\nWhat the index referred to is not gone: the images left are there still, or in the bin\.\n$/,
    )
  })

  test(`whoever restores under a lifecycle policy is told that it counts anew (${dialect})`, async (t) => {
    const { ecr, repository, push, delete: remove, server } = await openRetentionStage(t, await url())
    const repositoryName = await repository()
    const app = image()
    await push(repositoryName, app, 'v1')
    const { run: lading } = commandsOver(keysOf(server))
    const restore = async () => {
      await remove(repositoryName, { imageDigest: app.digest })
      return lading('recycle-bin', 'restore', repositoryName, 'v1')
    }
    assert.doesNotMatch(await restore(), /lifecycle/)
    const selection = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 10 }
    const rules = [{ rulePriority: 1, description: 'ten', selection, action: { type: 'expire' } }]
    await ecr().putLifecyclePolicy({ repositoryName, lifecyclePolicyText: JSON.stringify({ rules }) })
    assert.match(
      await restore(),
      /\nIts age counts anew: where a rule of the lifecycle policy keeps so many, it may take another/,
    )
  })

  test(`with the bin off a deletion is for good (${dialect})`, async () => {
    await using session = await startEcrSession({ database: await url() })
    const { server, ecr } = session
    const admin = <T>(operation: string, input: object) => callAdmin<T>(server, server.credentials, operation, input)
    const put = await admin<object>('PutRetentionSettings', { recycleBinDays: 0 })
    assert.deepEqual(put.body, { registryId: server.account, recycleBinDays: 0, keepInUse: false })
    const repositoryName = await session.repository()
    const app = image()
    await session.push(repositoryName, app)
    await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest: app.digest }] })
    assert.deepEqual((await admin<{ images: object[] }>('ListDeletedImages', { repositoryName })).body.images, [])
    await session.push(repositoryName, app)
    await ecr.deleteRepository({ repositoryName, force: true })
    const listed = await admin<{ repositories: object[] }>('ListDeletedRepositories', {})
    assert.deepEqual(listed.body.repositories, [])
  })

  test(`a repository that is deleted takes nothing from the bin before the time that was promised (${dialect})`, async (t) => {
    const { ask, ecr, repository, push, move, done, delete: remove } = await openRetentionStage(t, await url())
    const repositoryName = await repository()
    const app = image()
    await push(repositoryName, app, 'v1')
    await remove(repositoryName, { imageDigest: app.digest })
    const deletedRepositories = async () =>
      (await ask<wire.ListDeletedRepositoriesResponse>('ListDeletedRepositories', {})).repositories
    const { images } = await ask<wire.ListDeletedImagesResponse>('ListDeletedImages', { repositoryName })
    for (const recycleBinDays of [0, 1]) {
      await ask('PutRetentionSettings', { recycleBinDays })
      // By itself it holds nothing.
      await ecr().deleteRepository({ repositoryName })
      assert.equal((await deletedRepositories())[0]?.purgeAt, images[0]?.purgeAt)
      move(2 * 86_400_000)
      await done('empty-recycle-bin')
      await ask('RestoreDeletedRepository', { repositoryName })
    }
    const restored = await ask<wire.RestoreDeletedImageResponse>('RestoreDeletedImage', {
      ...{ repositoryName, imageDigest: app.digest },
    })
    assert.deepEqual([restored.imageDigests, restored.imageTags], [[app.digest], ['v1']])

    await ask('PutRetentionSettings', { recycleBinDays: 14 })
    await remove(repositoryName, { imageDigest: app.digest })
    await ask('PutRetentionSettings', { recycleBinDays: 30 })
    await ecr().deleteRepository({ repositoryName })
    const [deleted] = await deletedRepositories()
    assert.equal(
      Number(deleted?.purgeAt) - Number(deleted?.deletedAt),
      30 * 86_400,
      'what the setting says, where it is later',
    )
  })

  test(`of one who restores a name and one who creates it, one gets it (${dialect})`, async () => {
    await using session = await startEcrSession({ database: await url() })
    const { server, ecr } = session
    const repositoryName = await session.repository()
    await session.push(repositoryName, image())
    await ecr.deleteRepository({ repositoryName, force: true })
    const [restored, created] = await Promise.all([
      callAdmin<{ __type?: string }>(server, server.credentials, 'RestoreDeletedRepository', { repositoryName }),
      ecr.createRepository({ repositoryName }).then(
        () => 'created',
        (error: Error) => error.name,
      ),
    ])
    const outcome = [restored.body.__type?.split('#').at(-1) ?? 'restored', created]
    const either = [
      ['restored', 'RepositoryAlreadyExistsException'],
      ['RepositoryAlreadyExistsException', 'created'],
    ]
    assert.ok(
      either.some((each) => each.join() === outcome.join()),
      outcome.join(),
    )
  })
})

test('docs/retention.md, "What was deleted", works when followed to the letter', needs('aws'), async () => {
  const page = await readFile(`${root}docs/retention.md`, 'utf8')
  const [, section = ''] = /^## What was deleted, and getting it back$(.*?)^## /ms.exec(page) ?? []
  const blocks = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block)
  await using session = await startEcrSession()
  const { server, ecr } = session
  const repositoryName = 'team/app'
  await ecr.createRepository({ repositoryName })
  const [app, gone] = [image({ seed: 'app' }), image({ seed: 'gone' })]
  await session.push(repositoryName, app, 'v1')
  await session.push(repositoryName, gone, 'v2')
  await ecr.batchDeleteImage({ repositoryName, imageIds: [app, gone].map(({ digest }) => ({ imageDigest: digest })) })
  const define = [
    `lading() { '${process.execPath}' '${root}src/main.ts' "$@"; }`,
    `aws() { command aws --endpoint-url '${server.url}' "$@"; }`,
  ]
  const output = await run('bash', ['-euo', 'pipefail', '-c', [...define, ...blocks].join('\n')], {
    env: {
      ...keysOf(server),
      AWS_DEFAULT_REGION: server.region,
      AWS_PAGER: '',
    },
  })
  assert.match(output, /^TAGS +SIZE +DELETED AT/)
  assert.match(output, /\nrecycle bin days +14\nkeep in use +false\n/)
  assert.match(output, /\npurged images +1\n$/)
  const { imageDetails = [] } = await ecr.describeImages({ repositoryName })
  assert.deepEqual(
    imageDetails.map(({ imageDigest, imageTags }) => [imageDigest, imageTags]),
    [[app.digest, ['v1']]],
  )
})
