/** Archiving images and restoring them: UpdateImageStorageClass by the AWS SDK, and what an archived image is to both planes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { DescribeImagesFilter, ImageIdentifier, TargetStorageClass } from '@aws-sdk/client-ecr'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { arm64, artifact, image, index } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { type Registry, request } from '#test/support/push.ts'

const registryId = '000000000000'
const sorted = (texts: Iterable<string>) => [...texts].sort((a, b) => (a < b ? -1 : 1))

eachDatabaseInCi(({ dialect, url }) => {
  describe(`archived images (${dialect})`, () => {
    let session: EcrSession
    let registry: Registry
    let now = Date.now()
    before(async () => {
      session = await startEcrSession({ database: await url(), clock: () => now })
      const { authorizationData = [] } = await session.ecr.getAuthorizationToken({})
      registry = { url: session.server.url, authorization: `Basic ${authorizationData[0]?.authorizationToken}` }
    })
    after(() => session[Symbol.asyncDispose]())

    const update = (repositoryName: string, imageId: ImageIdentifier, targetStorageClass: TargetStorageClass) =>
      answerOf(session.ecr.updateImageStorageClass({ repositoryName, imageId, targetStorageClass }))
    const archive = (repositoryName: string, { digest: imageDigest }: { digest: string }) =>
      update(repositoryName, { imageDigest }, 'ARCHIVE')
    const restore = (repositoryName: string, { digest: imageDigest }: { digest: string }) =>
      update(repositoryName, { imageDigest }, 'STANDARD')
    async function digestsOf(repositoryName: string, imageStatus?: DescribeImagesFilter['imageStatus']) {
      const filter = imageStatus && { imageStatus }
      const { imageIds = [] } = await session.ecr.listImages({ repositoryName, filter })
      return sorted(new Set(imageIds.map(({ imageDigest = '' }) => imageDigest)))
    }
    async function detailOf(repositoryName: string, { digest: imageDigest }: { digest: string }) {
      const { imageDetails } = await session.ecr.describeImages({ repositoryName, imageIds: [{ imageDigest }] })
      const { imageStatus, lastArchivedAt, lastActivatedAt } = imageDetails?.[0] ?? {}
      return { imageStatus, lastArchivedAt, lastActivatedAt }
    }
    const get = (path: string, method = 'GET') => request(registry, path, { method })

    test('an image is archived and restored, each told with its time', async () => {
      const repositoryName = await session.repository()
      const app = image({ seed: 'app' })
      await session.push(repositoryName, app, 'v1')
      assert.deepEqual(await detailOf(repositoryName, app), {
        imageStatus: 'ACTIVE',
        lastArchivedAt: undefined,
        lastActivatedAt: undefined,
      })

      const lastArchivedAt = new Date(now)
      const imageId = { imageDigest: app.digest, imageTag: 'v1' }
      assert.deepEqual(await update(repositoryName, { imageTag: 'v1' }, 'ARCHIVE'), {
        registryId,
        repositoryName,
        imageId,
        imageStatus: 'ARCHIVED',
      })
      const archived = { imageStatus: 'ARCHIVED', lastArchivedAt, lastActivatedAt: undefined }
      assert.deepEqual(await detailOf(repositoryName, app), archived)
      now += 5_000
      assert.equal((await archive(repositoryName, app)).imageStatus, 'ARCHIVED')
      assert.deepEqual(await detailOf(repositoryName, app), archived)

      const lastActivatedAt = new Date(now)
      assert.deepEqual(await update(repositoryName, imageId, 'STANDARD'), {
        registryId,
        repositoryName,
        imageId,
        imageStatus: 'ACTIVATING',
      })
      const restored = { imageStatus: 'ACTIVE', lastArchivedAt, lastActivatedAt }
      assert.deepEqual(await detailOf(repositoryName, app), restored)
      now += 5_000
      assert.equal((await restore(repositoryName, app)).imageStatus, 'ACTIVE')
      assert.deepEqual(await detailOf(repositoryName, app), restored)
    })

    test('an archived image cannot be pulled on either plane, which say why and what to do', async () => {
      const repositoryName = await session.repository()
      const app = image({ seed: 'pulled' })
      await session.push(repositoryName, app, 'v1')
      // Once before, so that nothing that is remembered of it outlives the archiving.
      assert.equal((await get(`/v2/${repositoryName}/manifests/v1`)).status, 200)
      await archive(repositoryName, app)

      const references = [
        ['v1', `${repositoryName}:v1`],
        [app.digest, `${repositoryName}@${app.digest}`],
      ] as const
      for (const [reference, named] of references) {
        const message = `Requested image not found: ${named} is archived. Restore it first: aws ecr update-image-storage-class --repository-name ${repositoryName} --image-id imageDigest=${app.digest} --target-storage-class STANDARD`
        const answer = await get(`/v2/${repositoryName}/manifests/${reference}`)
        assert.deepEqual(
          [answer.status, await answer.json()],
          [404, { errors: [{ code: 'MANIFEST_UNKNOWN', message }] }],
        )
        assert.equal((await get(`/v2/${repositoryName}/manifests/${reference}`, 'HEAD')).status, 404)
      }
      const imageIds = [
        { imageTag: 'v1' },
        { imageDigest: app.digest },
        { imageDigest: app.digest, imageTag: 'v1' },
        { imageTag: 'v2' },
      ]
      const { images, failures = [] } = await session.ecr.batchGetImage({ repositoryName, imageIds })
      assert.deepEqual(images, [])
      const inaccessible = { failureCode: 'ImageInaccessible', failureReason: 'Requested image is archived' }
      const absent = { failureCode: 'ImageNotFound', failureReason: 'Requested image not found' }
      assert.deepEqual(
        failures,
        imageIds.map((imageId, place) => ({ imageId, ...(place === 3 ? absent : inaccessible) })),
      )
      const scan = await refusalOf(session.ecr.startImageScan({ repositoryName, imageId: { imageTag: 'v1' } }))
      assert.equal(scan.name, 'ImageArchivedException')

      await restore(repositoryName, app)
      assert.equal((await get(`/v2/${repositoryName}/manifests/v1`)).status, 200)
    })

    test('lists leave archived images out unless they are asked for, and tags/list always does', async () => {
      const repositoryName = await session.repository()
      const [cold, warm] = [image({ seed: 'cold' }), image({ seed: 'warm' })]
      await session.push(repositoryName, cold, 'cold')
      await session.push(repositoryName, warm, 'warm')
      await archive(repositoryName, cold)

      const cases = [
        [undefined, [warm]],
        ['ACTIVE', [warm]],
        ['ARCHIVED', [cold]],
        ['ACTIVATING', []],
        ['ANY', [cold, warm]],
      ] as const
      for (const [imageStatus, images] of cases) {
        const expected = sorted(images.map((each) => each.digest))
        assert.deepEqual(await digestsOf(repositoryName, imageStatus), expected)
        const filter = imageStatus && { imageStatus }
        const { imageDetails = [] } = await session.ecr.describeImages({ repositoryName, filter })
        assert.deepEqual(sorted(imageDetails.map(({ imageDigest = '' }) => imageDigest)), expected)
      }
      const imageIds = [{ imageTag: 'cold' }]
      const named = await session.ecr.describeImages({ repositoryName, imageIds })
      assert.equal(named.imageDetails?.[0]?.imageStatus, 'ARCHIVED')
      const active = await session.ecr.describeImages({ repositoryName, imageIds, filter: { imageStatus: 'ACTIVE' } })
      assert.deepEqual(active.imageDetails, [])
      const tags = await get(`/v2/${repositoryName}/tags/list`)
      assert.deepEqual(await tags.json(), { name: repositoryName, tags: ['warm'] })
    })

    test('a layer of archived images alone is archived, one that another image shares is not', async () => {
      const repositoryName = await session.repository()
      const [cold, warm] = [image({ seed: 'c', layers: [300, 301] }), image({ seed: 'w', layers: [300, 302] })]
      await session.push(repositoryName, cold)
      await session.push(repositoryName, warm)
      await archive(repositoryName, cold)
      const shared = new Set<string>(warm.blobs.map((each) => each.digest))
      const layerDigests = cold.blobs.map((each) => each.digest)
      const { layers = [] } = await session.ecr.batchCheckLayerAvailability({ repositoryName, layerDigests })
      for (const { layerDigest = '', layerAvailability, layerSize } of layers) {
        assert.equal(layerAvailability, shared.has(layerDigest) ? 'AVAILABLE' : 'ARCHIVED')
        assert.ok(layerSize !== undefined && layerSize > 0)
        const link = session.ecr.getDownloadUrlForLayer({ repositoryName, layerDigest })
        if (shared.has(layerDigest)) await link
        else {
          assert.deepEqual(await refusalOf(link), {
            name: 'LayerInaccessibleException',
            message: `The layer with digest ${layerDigest} within the repository with name '${repositoryName}' in the registry with id '${registryId}' is not accessible: the images that refer to it are archived`,
            status: 400,
          })
        }
      }
      assert.ok(layers.some(({ layerAvailability }) => layerAvailability === 'ARCHIVED'))

      // Whoever believes that pushes the layer, and then an image that has it.
      await session.push(repositoryName, cold, 'v1')
      const again = await session.ecr.batchCheckLayerAvailability({ repositoryName, layerDigests })
      assert.ok(again.layers?.every(({ layerAvailability }) => layerAvailability === 'AVAILABLE'))
    })

    test('what an active index refers to cannot be archived, until the index is', async () => {
      const repositoryName = await session.repository()
      const [child, other] = [image({ seed: 'child' }), image({ seed: 'other', platform: arm64 })]
      const both = index({ children: [child, other] })
      await session.push(repositoryName, both, 'all')
      assert.deepEqual(await refusalOf(archive(repositoryName, child)), {
        name: 'ImageStorageClassUpdateNotSupportedException',
        message: `Requested image referenced by manifest list: [${both.digest}]`,
        status: 400,
      })
      await archive(repositoryName, both)
      assert.deepEqual(await digestsOf(repositoryName, 'ARCHIVED'), [both.digest])
      await archive(repositoryName, child)
      // An index that is active again needs what it refers to.
      await restore(repositoryName, both)
      assert.deepEqual(await digestsOf(repositoryName, 'ARCHIVED'), [])
    })

    test('referrers follow their subject both ways, and referrers of those, but not what an active index holds', async () => {
      const repositoryName = await session.repository()
      const app = image({ seed: 'subject' })
      const blobs = [Buffer.from('{}')]
      const sbom = artifact({ artifactType: 'application/sbom', subject: app, blobs })
      const signature = artifact({ artifactType: 'application/signature', subject: sbom, blobs })
      const held = image({ seed: 'held', subject: app })
      const holder = index({ children: [held] })
      for (const each of [app, sbom, signature, holder]) await session.push(repositoryName, each)
      await archive(repositoryName, app)
      const followers = sorted([app, sbom, signature].map((each) => each.digest))
      assert.deepEqual(await digestsOf(repositoryName, 'ARCHIVED'), followers)
      assert.equal((await get(`/v2/${repositoryName}/manifests/${held.digest}`)).status, 200)

      const list = async () => (await (await get(`/v2/${repositoryName}/referrers/${app.digest}`)).json()) as object
      assert.deepEqual(
        ((await list()) as { manifests: { digest: string }[] }).manifests.map((each) => each.digest),
        [held.digest],
      )
      await restore(repositoryName, app)
      assert.deepEqual(await digestsOf(repositoryName, 'ARCHIVED'), [])

      await archive(repositoryName, holder)
      await archive(repositoryName, app)
      assert.deepEqual(await digestsOf(repositoryName, 'ACTIVE'), [])
    })

    test('a push of an archived image restores it at once, and is no push of the same once more', async () => {
      const repositoryName = await session.repository({ imageTagMutability: 'IMMUTABLE' })
      const app = image({ seed: 'again' })
      await session.push(repositoryName, app, 'v1')
      await archive(repositoryName, app)
      const again = { repositoryName, imageManifest: app.bytes.toString(), imageTag: 'v1' }
      await session.ecr.putImage(again)
      assert.equal((await detailOf(repositoryName, app)).imageStatus, 'ACTIVE')
      assert.equal((await refusalOf(session.ecr.putImage(again))).name, 'ImageAlreadyExistsException')

      await archive(repositoryName, app)
      const init = { method: 'PUT', headers: { 'content-type': app.mediaType }, body: new Uint8Array(app.bytes) }
      assert.equal((await request(registry, `/v2/${repositoryName}/manifests/v1`, init)).status, 201)
      assert.equal((await detailOf(repositoryName, app)).imageStatus, 'ACTIVE')
    })

    test('an index pushed over an archived child restores the child', async () => {
      const repositoryName = await session.repository()
      const child = image({ seed: 'base' })
      await session.push(repositoryName, child, 'v1')
      await archive(repositoryName, child)
      const imageManifest = index({ children: [child] }).bytes.toString()
      await session.ecr.putImage({ repositoryName, imageManifest })
      assert.equal((await get(`/v2/${repositoryName}/manifests/v1`)).status, 200)
    })

    test('a tag of an archived image moves by the rules of the repository', async () => {
      const [cold, warm] = [image({ seed: 'before' }), image({ seed: 'afterwards' })]
      for (const imageTagMutability of ['MUTABLE', 'IMMUTABLE'] as const) {
        const repositoryName = await session.repository({ imageTagMutability })
        await session.push(repositoryName, cold, 'v1')
        await archive(repositoryName, cold)
        const push = session.push(repositoryName, warm, 'v1')
        if (imageTagMutability === 'MUTABLE') await push
        else assert.equal((await refusalOf(push)).name, 'ImageTagAlreadyExistsException')
      }
    })

    test('an archived image is content to the deletion of its repository, and can be deleted itself', async () => {
      const repositoryName = await session.repository()
      const app = image({ seed: 'kept' })
      await session.push(repositoryName, app, 'v1')
      await archive(repositoryName, app)
      const kept = await refusalOf(session.ecr.deleteRepository({ repositoryName }))
      assert.equal(kept.name, 'RepositoryNotEmptyException')
      const imageIds = [{ imageTag: 'v1' }]
      const { imageIds: gone } = await session.ecr.batchDeleteImage({ repositoryName, imageIds })
      assert.deepEqual(gone, [{ imageDigest: app.digest, imageTag: 'v1' }])
      await session.ecr.deleteRepository({ repositoryName })
    })

    test('what is not there is refused as everywhere', async () => {
      const repositoryName = await session.repository()
      const app = image({ seed: 'there' })
      await session.push(repositoryName, app, 'v1')
      const imageDigest = digest(Buffer.from('absent'))
      const notFound = (given: string, tag: string) =>
        `The image with imageId {imageDigest:'${given}', imageTag:'${tag}'} does not exist within the repository with name '${repositoryName}' in the registry with id '${registryId}'`
      const cases = [
        [{ imageDigest }, 'ImageNotFoundException', notFound(imageDigest, 'null')],
        [{ imageTag: 'v2' }, 'ImageNotFoundException', notFound('null', 'v2')],
        [{ imageDigest, imageTag: 'v1' }, 'ImageNotFoundException', notFound(imageDigest, 'v1')],
        [{ imageDigest: 'md5:00' }, 'ImageNotFoundException', notFound('md5:00', 'null')],
        [
          {},
          'InvalidParameterException',
          "Invalid parameter at 'imageId' failed to satisfy constraint: 'Invalid request parameters: both tag and digest cannot be null'",
        ],
      ] as const
      for (const [imageId, name, message] of cases) {
        assert.deepEqual(await refusalOf(update(repositoryName, imageId, 'ARCHIVE')), { name, message, status: 400 })
      }
      assert.deepEqual(await refusalOf(update('no/where', { imageTag: 'v1' }, 'ARCHIVE')), {
        name: 'RepositoryNotFoundException',
        message: `The repository with name 'no/where' does not exist in the registry with id '${registryId}'`,
        status: 400,
      })
      // A class that the model does not have.
      const frozen = await refusalOf(update(repositoryName, { imageTag: 'v1' }, 'FROZEN' as TargetStorageClass))
      assert.equal(frozen.name, 'InvalidParameterException')
    })
  })
})
