/** A foreign layer need not be pushed with its image. Once it is pushed, it is a layer as any other. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { eachDatabase } from '#test/support/databases.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { type Blob, type Image, imageWithForeignLayer, index, rewritten } from '#test/support/images/build.ts'
import { pushBlob } from '#test/support/push.ts'
import { openRetentionStage } from '#test/support/retention-stage.ts'

const types = [
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
]

eachDatabase(({ dialect, url }) => {
  async function stage(t: TestContext) {
    const opened = await openRetentionStage(t, await url())
    const { ecr, oci } = opened
    let seed = 0
    return {
      ...opened,
      make: (type?: string) => imageWithForeignLayer(`foreign ${dialect} ${++seed}`, type),
      link: (name: string, blob: Blob) => pushBlob(oci.registry, name, blob),
      sizeOf: async (repositoryName: string, { digest }: Image) => {
        const imageIds = [{ imageDigest: digest }]
        return (await ecr().describeImages({ repositoryName, imageIds })).imageDetails?.[0]?.imageSizeInBytes
      },
      call: async (method: string, name: string, { digest }: Blob) =>
        (await oci.call(method, `/v2/${name}/blobs/${digest}`)).status,
      download: (repositoryName: string, { digest }: Blob) =>
        ecr().getDownloadUrlForLayer({ repositoryName, layerDigest: digest }),
    }
  }
  const sum = (blobs: readonly Blob[]) => blobs.reduce((bytes, blob) => bytes + blob.bytes.length, 0)

  for (const order of ['before', 'after'] as const) {
    test(`a foreign layer that is pushed ${order} its image is referenced as any layer (${dialect})`, async (t) => {
      const { make, link, push, sizeOf, call, download, repository, ecr } = await stage(t)
      for (const type of types) {
        const repositoryName = await repository()
        const { image: app, layer } = make(type)
        const both = index({ children: [app] })
        const deep = index({ children: [both] })
        if (order === 'before') await link(repositoryName, layer)
        await push(repositoryName, app, 'v1')
        await push(repositoryName, deep, 'deep')
        if (order === 'after') await link(repositoryName, layer)
        const size = sum([...app.blobs, layer])
        for (const each of [app, both, deep]) assert.equal(await sizeOf(repositoryName, each), size, type)
        assert.equal(await call('DELETE', repositoryName, layer), 405)
        assert.ok((await download(repositoryName, layer)).downloadUrl)
        const layerDigests = [layer.digest]
        const { layers } = await ecr().batchCheckLayerAvailability({ repositoryName, layerDigests })
        assert.deepEqual(layers, [
          {
            layerDigest: layer.digest,
            layerAvailability: 'AVAILABLE',
            layerSize: layer.bytes.length,
            mediaType: layer.mediaType,
          },
        ])
      }
    })
  }

  test(`foreign layers of one image that are pushed at once all count (${dialect})`, async (t) => {
    const { make, link, push, sizeOf, repository } = await stage(t)
    const repositoryName = await repository()
    const { image: app } = make()
    const foreign = [1, 2, 3, 4].map(() => make().layer)
    const layers = foreign.map(({ mediaType, digest, bytes }) => ({ mediaType, digest, size: bytes.length }))
    const many = { ...rewritten(app, { layers }), blobs: app.blobs.slice(0, 1) }
    await push(repositoryName, many)
    await Promise.all(foreign.map((layer) => link(repositoryName, layer)))
    assert.equal(await sizeOf(repositoryName, many), sum([...many.blobs, ...foreign]))
  })

  test(`a foreign layer that an index lists itself is referenced too (${dialect})`, async (t) => {
    const { make, link, push, sizeOf, call, repository } = await stage(t)
    const repositoryName = await repository()
    const { layer } = make()
    const { mediaType, digest, bytes } = layer
    const cache = rewritten(index({ children: [] }), { manifests: [{ mediaType, digest, size: bytes.length }] })
    await push(repositoryName, cache, 'cache')
    assert.equal(await sizeOf(repositoryName, cache), 0)
    await link(repositoryName, layer)
    assert.equal(await sizeOf(repositoryName, cache), bytes.length)
    assert.equal(await call('DELETE', repositoryName, layer), 405)
  })

  test(`a foreign layer is mounted from a repository that has an image with it (${dialect})`, async (t) => {
    const { make, link, push, sizeOf, repository, oci, ecr } = await stage(t)
    await ecr().putAccountSetting({ name: 'BLOB_MOUNTING', value: 'ENABLED' })
    const [from, to] = [await repository(), await repository()]
    const { image: app, layer } = make()
    await push(from, app)
    await push(to, app)
    const mount = () => oci.call('POST', `/v2/${to}/blobs/uploads/?mount=${layer.digest}&from=${from}`)
    assert.equal((await mount()).status, 202)
    await link(from, layer)
    assert.equal((await mount()).status, 201)
    assert.equal(await sizeOf(to, app), sum([...app.blobs, layer]))
  })

  test(`a foreign layer is not read while its image is deleted or archived, and comes back with it (${dialect})`, async (t) => {
    const { make, link, push, sizeOf, call, download, repository, ecr, ask, delete: remove } = await stage(t)
    const repositoryName = await repository()
    const { image: app, layer } = make()
    const of = { repositoryName, imageDigest: app.digest }
    await push(repositoryName, app)
    await link(repositoryName, layer)

    await remove(repositoryName, { imageDigest: app.digest })
    assert.deepEqual(
      [await call('GET', repositoryName, layer), await call('DELETE', repositoryName, layer)],
      [404, 405],
    )
    await ask('RestoreDeletedImage', of)
    assert.equal(await call('GET', repositoryName, layer), 200)
    assert.equal(await sizeOf(repositoryName, app), sum([...app.blobs, layer]))

    const imageId = { imageDigest: app.digest }
    await ecr().updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'ARCHIVE' })
    assert.equal((await refusalOf(download(repositoryName, layer))).name, 'LayerInaccessibleException')
    await ecr().updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'STANDARD' })
    assert.ok((await download(repositoryName, layer)).downloadUrl)

    await remove(repositoryName, imageId)
    await ask('PurgeDeletedImages', of)
    assert.deepEqual(
      [await call('DELETE', repositoryName, layer), await call('HEAD', repositoryName, layer)],
      [202, 404],
    )
  })

  test(`a foreign layer that is pushed while its image is deleted counts once that is back (${dialect})`, async (t) => {
    const { make, link, push, sizeOf, repository, ask, delete: remove } = await stage(t)
    const repositoryName = await repository()
    const { image: app, layer } = make()
    const both = index({ children: [app] })
    await push(repositoryName, both, 'both')
    await remove(repositoryName, { imageDigest: both.digest })
    await remove(repositoryName, { imageDigest: app.digest })
    await link(repositoryName, layer)
    await ask('RestoreDeletedImage', { repositoryName, imageDigest: both.digest })
    for (const each of [app, both]) assert.equal(await sizeOf(repositoryName, each), sum([...app.blobs, layer]))
  })

  test(`an image without its foreign layer is whole, and is deleted and restored (${dialect})`, async (t) => {
    const { make, push, sizeOf, call, download, repository, ask, delete: remove } = await stage(t)
    const repositoryName = await repository()
    const { image: app, layer } = make()
    await push(repositoryName, app, 'v1')
    assert.equal(await sizeOf(repositoryName, app), sum(app.blobs))
    for (const method of ['GET', 'HEAD', 'DELETE']) assert.equal(await call(method, repositoryName, layer), 404)
    assert.equal((await refusalOf(download(repositoryName, layer))).name, 'LayersNotFoundException')
    await remove(repositoryName, { imageDigest: app.digest })
    await ask('RestoreDeletedImage', { repositoryName, imageDigest: app.digest })
    assert.equal(await sizeOf(repositoryName, app), sum(app.blobs))
  })

  test(`a foreign layer that is there with another size than the manifest says is refused (${dialect})`, async (t) => {
    const { make, link, repository, oci } = await stage(t)
    const repositoryName = await repository()
    const { image: app, layer } = make()
    await link(repositoryName, layer)
    for (const blob of app.blobs) await link(repositoryName, blob)
    const parsed = JSON.parse(app.bytes.toString()) as { layers: { size: number }[] }
    const layers = parsed.layers.map((each) => ({ ...each, size: each.size + 1 })).slice(-1)
    const { bytes, mediaType } = rewritten(app, { layers })
    const answer = await oci.call('PUT', `/v2/${repositoryName}/manifests/v1`, {
      headers: { 'content-type': mediaType },
      body: bytes,
    })
    assert.equal(answer.error, 'MANIFEST_INVALID', answer.message)
  })
})
