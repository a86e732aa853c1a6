/** What deletion leaves of an image's layers, over HTTP: nothing to read, and nothing to push again, until their time is up. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { type Image, image, layer } from '#test/support/images/build.ts'
import { pullWhole, pushBlob } from '#test/support/push.ts'
import { openRetentionStage } from '#test/support/retention-stage.ts'

eachDatabaseInCi(({ dialect, url }) => {
  async function stage(t: TestContext) {
    const opened = await openRetentionStage(t, await url())
    const repositoryName = await opened.repository()
    const base = layer({ 'etc/motd': 'base' })
    const [app, other] = ['app', 'other'].map((seed) => image({ seed, layers: [base, 500] }))
    assert.ok(app && other)
    const [, shared, own] = app.blobs
    assert.ok(shared && own)
    const of = ({ digest }: Image) => ({ repositoryName, imageDigest: digest })
    const call = async (method: string, { digest }: { readonly digest: string }) =>
      (await opened.oci.call(method, `/v2/${repositoryName}/blobs/${digest}`)).status
    return { ...opened, repositoryName, app, other, own, shared, of, call }
  }

  test(`layers of a deleted image are not read, and come back with it (${dialect})`, async (t) => {
    const { repositoryName, app, other, own, shared, of, call, push, ask, delete: remove, oci } = await stage(t)
    await push(repositoryName, app, 'v1')
    await push(repositoryName, other, 'v2')
    assert.equal(await call('GET', own), 200)
    await remove(repositoryName, { imageDigest: app.digest })
    assert.deepEqual([await call('GET', own), await call('HEAD', own)], [404, 200])
    assert.equal(await call('GET', shared), 200)
    assert.equal(await pullWhole(oci.registry, repositoryName, 'v2'), other.digest)
    await ask('RestoreDeletedImage', of(app))
    assert.equal(await pullWhole(oci.registry, repositoryName, 'v1'), app.digest)
  })

  test(`a layer that is pushed again is read again, whatever was deleted (${dialect})`, async (t) => {
    const { repositoryName, app, own, call, push, delete: remove, oci } = await stage(t)
    await push(repositoryName, app)
    await remove(repositoryName, { imageDigest: app.digest })
    assert.equal(await call('GET', own), 404)
    await pushBlob(oci.registry, repositoryName, own)
    assert.equal(await call('GET', own), 200)
  })

  test(`layers of a purged image are not read, and go when they are deleted (${dialect})`, async (t) => {
    const { repositoryName, app, own, of, call, push, ask, delete: remove, move } = await stage(t)
    await push(repositoryName, app)
    await remove(repositoryName, { imageDigest: app.digest })
    await ask('PurgeDeletedImages', of(app))
    // Whoever is told so long after the purge that it is there begins its grace anew, and can read it no more than before.
    move(2 * 3_600_000)
    assert.deepEqual([await call('HEAD', own), await call('GET', own)], [200, 404])
    assert.deepEqual([await call('DELETE', own), await call('HEAD', own)], [202, 404])
  })

  test(`with the bin off, layers are not read from the deletion on (${dialect})`, async (t) => {
    const { repositoryName, app, own, call, push, ask, delete: remove } = await stage(t)
    await ask('PutRetentionSettings', { recycleBinDays: 0 })
    await push(repositoryName, app)
    await remove(repositoryName, { imageDigest: app.digest })
    assert.deepEqual([await call('GET', own), await call('HEAD', own)], [404, 200])
  })
})
