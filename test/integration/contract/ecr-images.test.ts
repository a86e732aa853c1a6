/** PutImage, BatchGetImage and BatchDeleteImage, by the AWS SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ImageIdentifier, PutImageCommandInput } from '@aws-sdk/client-ecr'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { arm64, artifact, type Image, image, index, mediaTypes } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { oddImages } from '#test/support/images/odd.ts'

const account = '000000000000'
const absent = digest(Buffer.from('absent'))

function invalid(member: string, constraint: string) {
  const message = `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`
  return { name: 'InvalidParameterException', message, status: 400 }
}

const notFound = { failureCode: 'ImageNotFound', failureReason: 'Requested image not found' }
const mismatch = {
  failureCode: 'ImageTagDoesNotMatchDigest',
  failureReason: 'Invalid request parameters: given tag does not map to the given digest',
}

/** What both batches answer to identifiers that name no image. */
const faults: readonly [imageId: ImageIdentifier, failure: { failureCode: string; failureReason: string }][] = [
  [
    {},
    {
      failureCode: 'MissingDigestAndTag',
      failureReason: 'Invalid request parameters: both tag and digest cannot be null',
    },
  ],
  [
    { imageDigest: 'sha256' },
    {
      failureCode: 'InvalidImageDigest',
      failureReason:
        "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
    },
  ],
  [
    { imageTag: 'not a tag' },
    {
      failureCode: 'InvalidImageTag',
      failureReason:
        "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'",
    },
  ],
  [{ imageTag: 'absent' }, notFound],
  [{ imageDigest: absent }, notFound],
  [{ imageDigest: 'md5:d41d8cd98f00b204e9800998ecf8427e' }, notFound],
  [{ imageTag: 'absent', imageDigest: absent }, notFound],
]

eachDatabaseInCi(({ dialect, url }) => {
  describe(`images by the SDK (${dialect})`, () => {
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url() })
    })
    after(() => session[Symbol.asyncDispose]())

    const manifestOf = ({ bytes }: Image) => bytes.toString()

    async function tagsOf(repositoryName: string) {
      const { imageIds = [] } = await session.ecr.listImages({ repositoryName })
      return imageIds.map(({ imageTag }) => imageTag).sort()
    }

    test('a manifest with members that are null, empty or missing is refused', async () => {
      const repositoryName = await session.repository()
      for (const [what, odd] of oddImages()) {
        const put = session.ecr.putImage({
          repositoryName,
          imageManifest: manifestOf(odd),
          imageManifestMediaType: odd.mediaType,
        })
        assert.deepEqual(await refusalOf(put), invalid('ImageManifest', 'Invalid JSON syntax'), what)
      }
    })

    test('a manifest is echoed and given back byte for byte', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const app = image({ annotations: { title: 'é — \u{1f6a2}' } })
      await session.push(repositoryName, app)
      const put = await answerOf(
        ecr.putImage({
          repositoryName,
          imageManifest: manifestOf(app),
          imageTag: 'v1',
          imageDigest: app.digest,
          imageManifestMediaType: app.mediaType,
        }),
      )
      const expected = {
        registryId: account,
        repositoryName,
        imageId: { imageDigest: app.digest, imageTag: 'v1' },
        imageManifest: manifestOf(app),
        imageManifestMediaType: app.mediaType,
      }
      assert.deepEqual(put, { image: expected })
      const byTag = await answerOf(ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'v1' }] }))
      assert.deepEqual(byTag, { images: [expected], failures: [] })
      const imageId = { imageDigest: app.digest }
      const byDigest = await answerOf(ecr.batchGetImage({ repositoryName, imageIds: [imageId] }))
      assert.deepEqual(byDigest, { images: [{ ...expected, imageId }], failures: [] })
      assert.equal(digest(Buffer.from(byTag.images?.[0]?.imageManifest ?? '')), app.digest)
    })

    test('an image without a tag answers its digest alone, and both kinds of index are taken', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      for (const format of ['oci', 'docker'] as const) {
        const child = image({ format, platform: arm64 })
        await session.push(repositoryName, child)
        const both = index({ format, children: [child] })
        const { image: put } = await ecr.putImage({ repositoryName, imageManifest: manifestOf(both) })
        assert.deepEqual(put?.imageId, { imageDigest: both.digest })
        assert.equal(put?.imageManifestMediaType, both.mediaType)
      }
    })

    test('an image asked for by tag comes in the format that is accepted, and can be pushed in it', async () => {
      const { ecr } = session
      for (const [format, other] of [
        ['docker', 'oci'],
        ['oci', 'docker'],
      ] as const) {
        const repositoryName = await session.repository()
        const app = image({ format })
        await session.push(repositoryName, app, 'v1')
        const acceptedMediaTypes = [mediaTypes[other].manifest, mediaTypes[other].index]
        const { images = [] } = await ecr.batchGetImage({
          repositoryName,
          imageIds: [{ imageTag: 'v1' }, { imageDigest: app.digest }, { imageTag: 'v1', imageDigest: app.digest }],
          acceptedMediaTypes,
        })
        const [byTag, ...byDigest] = images
        const { imageManifest = '' } = byTag ?? {}
        const imageDigest = digest(Buffer.from(imageManifest))
        assert.deepEqual(byTag?.imageId, { imageDigest, imageTag: 'v1' })
        assert.deepEqual(JSON.parse(imageManifest), JSON.parse(manifestOf(image({ format: other }))))
        assert.equal(byTag?.imageManifestMediaType, mediaTypes[other].manifest)
        for (const each of byDigest) assert.equal(each.imageManifest, manifestOf(app))
        const { image: put } = await ecr.putImage({ repositoryName, imageManifest })
        assert.equal(put?.imageId?.imageDigest, imageDigest)
      }
    })

    test('an image that is there under that tag is refused, and one that gets a further tag is not', async () => {
      const { ecr } = session
      const repositoryName = await session.repository({ imageTagMutability: 'IMMUTABLE' })
      const imageManifest = manifestOf(image())
      await session.push(repositoryName, image())
      const again = (tag: string | undefined) => ({
        name: 'ImageAlreadyExistsException',
        message: `Image with digest '${image().digest}' and tag '${tag ?? 'null'}' already exists in the repository with name '${repositoryName}' in registry with id '${account}'`,
        status: 400,
      })
      assert.deepEqual(await refusalOf(ecr.putImage({ repositoryName, imageManifest })), again(undefined))
      for (const imageTag of ['v1', 'v2']) {
        await ecr.putImage({ repositoryName, imageManifest, imageTag })
        assert.deepEqual(await refusalOf(ecr.putImage({ repositoryName, imageManifest, imageTag })), again(imageTag))
      }
      assert.deepEqual(await tagsOf(repositoryName), ['v1', 'v2'])
    })

    test('a tag moves where tags may, and does not where they may not', async () => {
      const { ecr } = session
      const [first, second] = [image(), image({ seed: 'second' })]
      const mutable = await session.repository()
      await session.push(mutable, first, 'v1')
      await session.push(mutable, second, 'v1')
      const { imageIds } = await ecr.listImages({ repositoryName: mutable, filter: { tagStatus: 'UNTAGGED' } })
      assert.deepEqual(imageIds, [{ imageDigest: first.digest }], 'the image that the tag left stays')

      const immutable = await session.repository({
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
      })
      await session.push(immutable, first, 'v1')
      await ecr.putImage({ repositoryName: immutable, imageManifest: manifestOf(first), imageTag: 'dev-1' })
      await session.push(immutable, second)
      const move = (imageTag: string) =>
        ecr.putImage({ repositoryName: immutable, imageManifest: manifestOf(second), imageTag })
      assert.deepEqual(await refusalOf(move('v1')), {
        name: 'ImageTagAlreadyExistsException',
        message: `The image tag 'v1' already exists in the '${immutable}' repository and cannot be overwritten because the tag is immutable.`,
        status: 400,
      })
      const { image: moved } = await move('dev-1')
      assert.equal(moved?.imageId?.imageDigest, second.digest)
    })

    const config = image().blobs[0]
    const whole = {
      schemaVersion: 2,
      mediaType: mediaTypes.oci.manifest,
      config: { mediaType: config?.mediaType, digest: config?.digest, size: config?.bytes.length },
      layers: [],
    }
    const invalidManifest = invalid('ImageManifest', 'Invalid JSON syntax')
    const unusableManifests: readonly [claim: string, input: Partial<PutImageCommandInput>][] = [
      ['no JSON', { imageManifest: '{"schemaVersion": 2' }],
      ['no object', { imageManifest: '[]' }],
      ['without a media type', { imageManifest: JSON.stringify({ ...whole, mediaType: undefined }) }],
      ['of a media type nobody knows', { imageManifest: JSON.stringify({ ...whole, mediaType: 'text/plain' }) }],
      ['declared as another type than its own', { imageManifestMediaType: mediaTypes.docker.manifest }],
      ['without layers', { imageManifest: JSON.stringify({ ...whole, layers: undefined }) }],
      ['with half a character', { imageManifest: JSON.stringify(whole).replace('}', ',"x":"\ud800"}') }],
    ]
    test('a manifest that ECR cannot take is refused by one text, whatever is wrong with it', async (t) => {
      const repositoryName = await session.repository()
      if (config !== undefined) await session.pushBlob(repositoryName, config)
      for (const [claim, input] of unusableManifests) {
        await t.test(claim, async () => {
          const request = { repositoryName, imageManifest: JSON.stringify(whole), imageTag: 'v1', ...input }
          assert.deepEqual(await refusalOf(session.ecr.putImage(request)), invalidManifest)
        })
      }
      assert.deepEqual(await tagsOf(repositoryName), [])
      await session.ecr.putImage({ repositoryName, imageManifest: JSON.stringify(whole) })
    })

    test('a manifest without a media type of its own is of the type that the request names', async () => {
      const repositoryName = await session.repository()
      if (config !== undefined) await session.pushBlob(repositoryName, config)
      const imageManifest = JSON.stringify({ ...whole, mediaType: undefined })
      const { image: put } = await session.ecr.putImage({
        repositoryName,
        imageManifest,
        imageManifestMediaType: mediaTypes.oci.manifest,
      })
      assert.equal(put?.imageManifestMediaType, mediaTypes.oci.manifest)
    })

    test("a digest that is not the manifest's is refused", async () => {
      const repositoryName = await session.repository()
      const app = image()
      for (const blob of app.blobs) await session.pushBlob(repositoryName, blob)
      for (const imageDigest of [absent, 'md5:d41d8cd98f00b204e9800998ecf8427e']) {
        const refusal = await refusalOf(
          session.ecr.putImage({ repositoryName, imageManifest: manifestOf(app), imageDigest }),
        )
        assert.deepEqual(refusal, {
          name: 'ImageDigestDoesNotMatchException',
          message: `The image with digest '${imageDigest}' in repository '${repositoryName}' and registry ID '${account}' does not match the image digest that Amazon ECR has calculated.`,
          status: 400,
        })
      }
      const { name } = await refusalOf(
        session.ecr.putImage({ repositoryName: 'missing/app', imageManifest: manifestOf(app), imageDigest: absent }),
      )
      assert.equal(name, 'ImageDigestDoesNotMatchException')
    })

    test('what a manifest refers to must be there, but for its subject', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const app = image({ layers: [10, 20] })
      const [, ...layers] = app.blobs
      if (app.blobs[0] !== undefined) await session.pushBlob(repositoryName, app.blobs[0])
      const missing = layers.map((layer) => layer.digest)
      assert.deepEqual(await refusalOf(ecr.putImage({ repositoryName, imageManifest: manifestOf(app) })), {
        name: 'LayersNotFoundException',
        message: `Layers with digests '[${missing.join(', ')}]' required for pushing image into repository with name '${repositoryName}' in the registry with id '${account}' do not exist`,
        status: 400,
      })
      const both = index({ children: [app] })
      assert.deepEqual(await refusalOf(ecr.putImage({ repositoryName, imageManifest: manifestOf(both) })), {
        name: 'ReferencedImagesNotFoundException',
        message: `Images with digests '[${app.digest}]' required for pushing image into repository with name '${repositoryName}' in the registry with id '${account}' do not exist`,
        status: 400,
      })
      await session.push(repositoryName, artifact({ artifactType: 'application/spdx+json', subject: app }))
    })

    test('a tag beyond the grammar of the distribution specification is refused', async () => {
      const repositoryName = await session.repository()
      const refusal = invalid('imageTag', "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'")
      for (const imageTag of ['not a tag', '.v1', 'a'.repeat(129)]) {
        const request = { repositoryName, imageManifest: manifestOf(image()), imageTag }
        assert.deepEqual(await refusalOf(session.ecr.putImage(request)), refusal)
      }
    })

    test('each image of a batch that is not there fails for itself, and the others are answered', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const [app, other] = [image(), image({ seed: 'other' })]
      await session.push(repositoryName, app, 'v1')
      await session.push(repositoryName, other, 'v2')
      const wrong: typeof faults = [
        ...faults,
        [{ imageTag: 'v1', imageDigest: other.digest }, mismatch],
        [{ imageTag: 'v1', imageDigest: absent }, mismatch],
        [{ imageTag: 'absent', imageDigest: app.digest }, notFound],
      ]
      const imageIds = [
        { imageTag: 'v1' },
        ...wrong.map(([imageId]) => imageId),
        { imageTag: 'v2', imageDigest: other.digest },
      ]
      const expected = wrong.map(([imageId, failure]) => ({ imageId, ...failure }))

      const got = await ecr.batchGetImage({ repositoryName, imageIds })
      assert.deepEqual(got.failures, expected)
      const found = [
        { imageDigest: app.digest, imageTag: 'v1' },
        { imageDigest: other.digest, imageTag: 'v2' },
      ]
      assert.deepEqual(
        got.images?.map(({ imageId }) => imageId),
        found,
      )

      const deleted = await answerOf(ecr.batchDeleteImage({ repositoryName, imageIds: imageIds.slice(1) }))
      assert.deepEqual(deleted, { imageIds: found.slice(1), failures: expected })
    })

    test('a batch whose manifests are too much for one answer is refused, and a part of it is not', async () => {
      const repositoryName = await session.repository()
      const large = index({ children: [], annotations: { padding: 'x'.repeat(4_000_000) } })
      await session.push(repositoryName, large, 'large')
      const asked = (count: number) => Array.from({ length: count }, () => ({ imageTag: 'large' }))
      const { images } = await session.ecr.batchGetImage({ repositoryName, imageIds: asked(4) })
      assert.equal(images?.length, 4)
      for (const { imageManifest } of images) assert.ok(imageManifest === manifestOf(large), 'byte for byte')
      const refused = await refusalOf(session.ecr.batchGetImage({ repositoryName, imageIds: asked(20) }))
      assert.equal(refused.name, 'LimitExceededException')
    })

    test('a batch in a repository that is not there fails whole', async () => {
      const refusal = {
        name: 'RepositoryNotFoundException',
        message: `The repository with name 'missing/app' does not exist in the registry with id '${account}'`,
        status: 400,
      }
      for (const imageIds of [[{ imageTag: 'v1' }], [{}]]) {
        const request = { repositoryName: 'missing/app', imageIds }
        assert.deepEqual(await refusalOf(session.ecr.batchGetImage(request)), refusal)
        assert.deepEqual(await refusalOf(session.ecr.batchDeleteImage(request)), refusal)
      }
      const put = { repositoryName: 'missing/app', imageManifest: manifestOf(image()) }
      assert.deepEqual(await refusalOf(session.ecr.putImage(put)), refusal)
      const none = { repositoryName: 'missing/app', imageIds: [] }
      const tooFew = invalid('imageIds', 'Member must have length greater than or equal to 1')
      assert.deepEqual(await refusalOf(session.ecr.batchGetImage(none)), tooFew)
      assert.deepEqual(await refusalOf(session.ecr.batchDeleteImage(none)), tooFew)
    })

    test('deleting a tag leaves the image to its other tags, and the last tag takes the image with it', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const app = image()
      await session.push(repositoryName, app, 'v1')
      await ecr.putImage({ repositoryName, imageManifest: manifestOf(app), imageTag: 'v2' })
      for (const imageTag of ['v1', 'v2']) {
        const deleted = await answerOf(ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageTag }] }))
        assert.deepEqual(deleted, { imageIds: [{ imageTag, imageDigest: app.digest }], failures: [] })
      }
      assert.deepEqual(await answerOf(ecr.describeImages({ repositoryName })), { imageDetails: [] })
    })

    test('deleting a digest together with a tag takes that tag alone', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const app = image()
      const imageDigest = app.digest
      await session.push(repositoryName, app, 'v1')
      await ecr.putImage({ repositoryName, imageManifest: manifestOf(app), imageTag: 'v2' })
      for (const imageTag of ['v1', 'v2']) {
        const imageIds = [{ imageDigest, imageTag }]
        const deleted = await answerOf(ecr.batchDeleteImage({ repositoryName, imageIds }))
        assert.deepEqual(deleted, { imageIds, failures: [] })
        const { imageDetails = [] } = await ecr.describeImages({ repositoryName })
        assert.deepEqual(
          imageDetails.map(({ imageTags }) => imageTags),
          imageTag === 'v1' ? [['v2']] : [],
        )
      }
    })

    test('deleting a digest takes all its tags, one entry each, or one entry without a tag', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const [app, untagged] = [image(), image({ seed: 'untagged' })]
      await session.push(repositoryName, app, 'v1')
      await ecr.putImage({ repositoryName, imageManifest: manifestOf(app), imageTag: 'v2' })
      await session.push(repositoryName, untagged)
      const imageIds = [{ imageDigest: app.digest }, { imageTag: 'v2' }, { imageDigest: untagged.digest }]
      const deleted = await answerOf(ecr.batchDeleteImage({ repositoryName, imageIds }))
      assert.deepEqual(deleted, {
        imageIds: [
          { imageDigest: app.digest, imageTag: 'v1' },
          { imageDigest: app.digest, imageTag: 'v2' },
          { imageDigest: untagged.digest },
        ],
        failures: [],
      })
    })

    test('what an index refers to stays, unless the index goes in the same call', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const child = image()
      const both = index({ children: [child] })
      const outer = index({ children: [both], annotations: { title: 'outer' } })
      await session.push(repositoryName, outer, 'all')
      await ecr.putImage({ repositoryName, imageManifest: manifestOf(child), imageTag: 'child' })
      const referenced = (by: Image) => ({
        failureCode: 'ImageReferencedByManifestList',
        failureReason: `Requested image referenced by manifest list: [${by.digest}]`,
      })
      for (const imageId of [{ imageTag: 'child' }, { imageDigest: child.digest }]) {
        const kept = await answerOf(ecr.batchDeleteImage({ repositoryName, imageIds: [imageId] }))
        assert.deepEqual(kept, { imageIds: [], failures: [{ imageId, ...referenced(both) }] })
      }
      assert.deepEqual(await tagsOf(repositoryName), ['all', 'child', undefined])

      const imageIds = [child, both, outer].map((each) => ({ imageDigest: each.digest }))
      const deleted = await answerOf(ecr.batchDeleteImage({ repositoryName, imageIds }))
      assert.deepEqual(deleted, {
        imageIds: [
          { imageDigest: outer.digest, imageTag: 'all' },
          { imageDigest: both.digest },
          { imageDigest: child.digest, imageTag: 'child' },
        ],
        failures: [],
      })
    })
  })
})
