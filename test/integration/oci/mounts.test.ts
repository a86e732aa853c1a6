/** `POST /v2/<name>/blobs/uploads/?mount=…&from=…`: when a blob of another repository is taken, and when it must be uploaded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateRepositoryCommand, type EncryptionConfiguration, PutAccountSettingCommand } from '@aws-sdk/client-ecr'
import { type Image, image } from '#test/support/images/build.ts'
import { pullWhole, pushImage } from '#test/support/push.ts'
import { eachServerInCi, expect } from './world.ts'

eachServerInCi('mounts', (world) => {
  const call: typeof world.call = (...parameters) => world.call(...parameters)
  let count = 0

  async function encrypted(encryptionConfiguration: EncryptionConfiguration): Promise<string> {
    const repositoryName = `encrypted/${++count}`
    await world.client.ecr.send(new CreateRepositoryCommand({ repositoryName, encryptionConfiguration }))
    return repositoryName
  }

  /** A repository with an image of its own. */
  async function withImage(name?: string): Promise<{ name: string; app: Image }> {
    const repository = name ?? (await world.repository())
    const app = image({ seed: `mounts ${world.dialect} ${++count}`, layers: [1_000] })
    await pushImage(world.client.registry, repository, app, 'latest')
    return { name: repository, app }
  }

  const mount = (to: string, from: string, { digest }: { digest: string }) =>
    call('POST', `/v2/${to}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`)

  const set = (value: string) => world.client.ecr.send(new PutAccountSettingCommand({ name: 'BLOB_MOUNTING', value }))

  test('nothing is mounted until the account setting says so, and what was mounted stays when it no longer does', async () => {
    const { name, app } = await withImage()
    const to = await world.repository()
    for (const blob of app.blobs) expect(await mount(to, name, blob), 202)

    await set('ENABLED')
    for (const blob of app.blobs) {
      for (const _ of [1, 2]) {
        const { headers } = expect(await mount(to, name, blob), 201)
        assert.equal(headers.location, `/v2/${to}/blobs/${blob.digest}`)
        assert.equal(headers['docker-content-digest'], blob.digest)
      }
    }
    expect(await world.putManifest(to, app, 'latest'), 201)

    await set('DISABLED')
    expect(await mount(await world.repository(), name, app.blobs[0] ?? app), 202)
    await world.client.deleteRepository(name)
    assert.equal(await pullWhole(world.client.registry, to, 'latest'), app.digest)
  })

  test('a blob that no image of the other repository refers to is uploaded', async () => {
    await set('ENABLED')
    const [name, to] = [await world.repository(), await world.repository()]
    const app = image({ seed: `unreferenced ${world.dialect}` })
    await world.pushBlobs(name, app)
    const [blob] = app.blobs
    assert.ok(blob !== undefined)
    expect(await mount(to, name, blob), 202)
    expect(await world.putManifest(name, app, 'latest'), 201)
    expect(await mount(to, name, blob), 201)
    expect(await call('DELETE', `/v2/${name}/manifests/${app.digest}`), 202)
    expect(await mount(await world.repository(), name, blob), 202)
  })

  test('a blob is mounted between repositories of one encryption, and no others', async () => {
    await set('ENABLED')
    const kmsKey = (id: string) => ({ encryptionType: 'KMS' as const, kmsKey: `alias/${id}` })
    const { name: from, app } = await withImage(await encrypted(kmsKey('one')))
    const { name: plain, app: plainApp } = await withImage()
    const expected: readonly [to: string, from: string, app: Image, status: number][] = [
      [await encrypted(kmsKey('one')), from, app, 201],
      [await encrypted(kmsKey('two')), from, app, 202],
      [await encrypted({ encryptionType: 'KMS_DSSE', kmsKey: 'alias/one' }), from, app, 202],
      [await world.repository(), from, app, 202],
      [await encrypted({ encryptionType: 'AES256' }), plain, plainApp, 201],
      [await encrypted(kmsKey('one')), plain, plainApp, 202],
    ]
    for (const [to, source, { blobs }, status] of expected) {
      for (const blob of blobs) expect(await mount(to, source, blob), status)
    }
  })
})
