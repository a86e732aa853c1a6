/** ListImages and DescribeImages, by the AWS SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type DescribeImagesCommandInput,
  type ImageIdentifier,
  paginateDescribeImages,
  paginateListImages,
} from '@aws-sdk/client-ecr'
import fc from 'fast-check'
import { eachDatabase } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { arm64, artifact, type Image, image, index, mediaTypes } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'

const account = '000000000000'
const absent = digest(Buffer.from('absent'))

function invalid(member: string, constraint: string) {
  const message = `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`
  return { name: 'InvalidParameterException', message, status: 400 }
}

const sizeOf = ({ blobs }: Image) => blobs.reduce((sum, { bytes }) => sum + bytes.length, 0)
const digestOf = ({ imageDigest = '' }: ImageIdentifier) => imageDigest
const sorted = (texts: Iterable<string>) => [...texts].sort((a, b) => (a < b ? -1 : 1))
const printed = ({ imageDigest = '', imageTag = '' }: ImageIdentifier) => `${imageDigest}/${imageTag}`

eachDatabase(({ dialect, url }) => {
  describe(`lists of images by the SDK (${dialect})`, () => {
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url() })
    })
    after(() => session[Symbol.asyncDispose]())

    /** A repository with an image of two tags, one of none, an index over it and an artifact about it. */
    async function fleet() {
      const repositoryName = await session.repository()
      const app = image({ layers: [100, 2_000] })
      const child = image({ seed: 'child', platform: arm64, layers: [5_000], format: 'docker' })
      const both = index({ children: [app, child] })
      const sbom = artifact({
        artifactType: 'application/spdx+json',
        subject: app,
        blobs: [Buffer.from('{"spdxVersion":"SPDX-2.3"}')],
      })
      await session.push(repositoryName, both, 'all')
      for (const imageTag of ['v1', 'v2']) {
        await session.ecr.putImage({ repositoryName, imageManifest: app.bytes.toString(), imageTag })
      }
      await session.push(repositoryName, sbom)
      return { repositoryName, app, child, both, sbom }
    }

    test('a listing has one line a tag and one an untagged image', async () => {
      const { repositoryName, app, child, both, sbom } = await fleet()
      const tagged = [
        { imageDigest: app.digest, imageTag: 'v1' },
        { imageDigest: app.digest, imageTag: 'v2' },
        { imageDigest: both.digest, imageTag: 'all' },
      ]
      const untagged = [{ imageDigest: child.digest }, { imageDigest: sbom.digest }]
      const all = [...tagged, ...untagged]
      const cases = [
        [undefined, all],
        [{}, all],
        [{ tagStatus: 'ANY' }, all],
        [{ tagStatus: 'TAGGED' }, tagged],
        [{ tagStatus: 'UNTAGGED' }, untagged],
        [{ imageStatus: 'ACTIVE' }, all],
        [{ imageStatus: 'ANY', tagStatus: 'UNTAGGED' }, untagged],
        [{ imageStatus: 'ARCHIVED' }, []],
        [{ imageStatus: 'ACTIVATING', tagStatus: 'TAGGED' }, []],
      ] as const
      for (const [filter, expected] of cases) {
        const { imageIds = [], nextToken } = await session.ecr.listImages({ repositoryName, filter })
        assert.deepEqual(sorted(imageIds.map(printed)), sorted(expected.map(printed)))
        assert.equal(nextToken, undefined)
        const { imageDetails = [] } = await session.ecr.describeImages({ repositoryName, filter })
        assert.deepEqual(sorted(imageDetails.map(digestOf)), sorted(new Set(expected.map(digestOf))))
      }
    })

    test('an image is described with every field that it has, and none that it has not', async () => {
      const { ecr } = session
      const { repositoryName, app, child, both, sbom } = await fleet()
      const { imageDetails = [] } = await ecr.describeImages({ repositoryName })
      const described = new Map(
        imageDetails.map(({ imagePushedAt, ...fields }) => {
          assert.ok(imagePushedAt && Math.abs(imagePushedAt.getTime() - Date.now()) < 60_000)
          return [fields.imageDigest, fields]
        }),
      )
      const common = { registryId: account, repositoryName, imageStatus: 'ACTIVE' }
      assert.deepEqual(described.get(app.digest), {
        ...common,
        imageDigest: app.digest,
        imageTags: ['v1', 'v2'],
        imageSizeInBytes: sizeOf(app),
        imageManifestMediaType: mediaTypes.oci.manifest,
        artifactMediaType: mediaTypes.oci.config,
      })
      assert.deepEqual(described.get(child.digest), {
        ...common,
        imageDigest: child.digest,
        imageSizeInBytes: sizeOf(child),
        imageManifestMediaType: mediaTypes.docker.manifest,
        artifactMediaType: mediaTypes.docker.config,
      })
      assert.deepEqual(described.get(both.digest), {
        ...common,
        imageDigest: both.digest,
        imageTags: ['all'],
        imageSizeInBytes: Math.max(sizeOf(app), sizeOf(child)),
        imageManifestMediaType: mediaTypes.oci.index,
      })
      assert.deepEqual(described.get(sbom.digest), {
        ...common,
        imageDigest: sbom.digest,
        imageSizeInBytes: sizeOf(sbom),
        imageManifestMediaType: mediaTypes.oci.manifest,
        artifactMediaType: 'application/spdx+json',
        subjectManifestDigest: app.digest,
      })
    })

    test('a pull is recorded, and nothing else is', async () => {
      const { ecr } = session
      const { repositoryName, app, child } = await fleet()
      await ecr.listImages({ repositoryName })
      await ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag: 'v1' }] })
      const pulledAt = async ({ digest: imageDigest }: Image) => {
        const { imageDetails } = await ecr.describeImages({ repositoryName, imageIds: [{ imageDigest }] })
        return imageDetails?.[0]?.lastRecordedPullTime
      }
      let recorded: Date | undefined
      for (const deadline = Date.now() + 10_000; recorded === undefined && Date.now() < deadline; await delay(50)) {
        recorded = await pulledAt(app)
      }
      assert.ok(recorded && Math.abs(recorded.getTime() - Date.now()) < 60_000)
      assert.equal(await pulledAt(child), undefined)
    })

    test('a second push of the same content keeps the time of the first', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      await session.push(repositoryName, image(), 'v1')
      const before = await ecr.describeImages({ repositoryName })
      await ecr.putImage({ repositoryName, imageManifest: image().bytes.toString(), imageTag: 'v2' })
      const { imageDetails } = await ecr.describeImages({ repositoryName })
      assert.deepEqual(imageDetails?.[0]?.imagePushedAt, before.imageDetails?.[0]?.imagePushedAt)
    })

    test('images asked for are described once each, those that pass the filter', async () => {
      const { ecr } = session
      const { repositoryName, app, child } = await fleet()
      const imageIds = [
        { imageTag: 'v1' },
        { imageDigest: app.digest },
        { imageTag: 'v2', imageDigest: app.digest },
        { imageDigest: child.digest },
      ]
      const cases = [
        [undefined, [app.digest, child.digest]],
        [{ tagStatus: 'TAGGED' }, [app.digest]],
        [{ tagStatus: 'UNTAGGED' }, [child.digest]],
        [{ imageStatus: 'ARCHIVED' }, []],
      ] as const
      for (const [filter, expected] of cases) {
        const { imageDetails = [] } = await ecr.describeImages({ repositoryName, imageIds, filter })
        assert.deepEqual(sorted(imageDetails.map(digestOf)), sorted(expected))
      }
    })

    test('an image is described with the tags that it was chosen for, while they move', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const [app, other] = [image(), image({ seed: 'other' })]
      await session.push(repositoryName, app, 'v1')
      await session.push(repositoryName, other)
      let moving = true
      const moves = async () => {
        for (let move = 0; moving; move++) {
          const imageManifest = (move % 2 === 0 ? other : app).bytes.toString()
          await ecr.putImage({ repositoryName, imageManifest, imageTag: 'v1' })
        }
      }
      const describes = async () => {
        try {
          for (let described = 0; described < 100; described++) {
            const tagged = await ecr.describeImages({ repositoryName, filter: { tagStatus: 'TAGGED' } })
            const named = await ecr.describeImages({ repositoryName, imageIds: [{ imageTag: 'v1' }] })
            for (const { imageDetails } of [tagged, named]) {
              assert.deepEqual(
                imageDetails?.map(({ imageTags }) => imageTags),
                [['v1']],
              )
            }
          }
        } finally {
          moving = false
        }
      }
      await Promise.all([moves(), describes()])
    })

    test('one image asked for that is not there fails the whole call, and what was not asked is null', async (t) => {
      const { ecr } = session
      const { repositoryName, child } = await fleet()
      const missing = (imageDigest: string, imageTag: string) => ({
        name: 'ImageNotFoundException',
        message: `The image with imageId {imageDigest:'${imageDigest}', imageTag:'${imageTag}'} does not exist within the repository with name '${repositoryName}' in the registry with id '${account}'`,
        status: 400,
      })
      const cases: readonly [imageIds: ImageIdentifier[], refusal: object][] = [
        [[{ imageTag: 'v1' }, { imageTag: 'absent' }], missing('null', 'absent')],
        [[{ imageDigest: absent }, { imageTag: 'v1' }], missing(absent, 'null')],
        [[{ imageTag: 'v1', imageDigest: child.digest }], missing(child.digest, 'v1')],
        [[{ imageTag: 'absent', imageDigest: child.digest }], missing(child.digest, 'absent')],
        [[{ imageTag: 'not a tag' }], missing('null', 'not a tag')],
        [[{ imageDigest: 'md5:00' }], missing('md5:00', 'null')],
        [
          [{ imageDigest: 'sha256' }],
          invalid('imageDigest', "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"),
        ],
        [[{}], invalid('imageIds', 'Invalid request parameters: both tag and digest cannot be null')],
        [[], invalid('imageIds', 'Member must have length greater than or equal to 1')],
      ]
      for (const [imageIds, refusal] of cases) {
        await t.test(JSON.stringify(imageIds), async () => {
          assert.deepEqual(await refusalOf(ecr.describeImages({ repositoryName, imageIds })), refusal)
        })
      }
    })

    test('a repository that is not there is named, whatever is asked of it', async () => {
      const { ecr } = session
      const refusal = {
        name: 'RepositoryNotFoundException',
        message: `The repository with name 'missing/app' does not exist in the registry with id '${account}'`,
        status: 400,
      }
      const requests: Omit<DescribeImagesCommandInput, 'repositoryName'>[] = [
        {},
        { filter: { imageStatus: 'ARCHIVED' } },
        { imageIds: [{ imageTag: 'v1' }] },
        { imageIds: [{ imageTag: 'not a tag' }] },
      ]
      for (const { imageIds, ...request } of requests) {
        const repositoryName = 'missing/app'
        assert.deepEqual(await refusalOf(ecr.describeImages({ repositoryName, imageIds, ...request })), refusal)
        assert.deepEqual(await refusalOf(ecr.listImages({ repositoryName, ...request })), refusal)
      }
    })

    test('paging does not go with images asked for, nor a token with another listing', async () => {
      const { ecr } = session
      const { repositoryName } = await fleet()
      const other = await session.repository()
      const imageIds = [{ imageTag: 'v1' }]
      for (const [member, value] of [
        ['maxResults', 1],
        ['nextToken', 'x'],
      ] as const) {
        assert.deepEqual(
          await refusalOf(ecr.describeImages({ repositoryName, imageIds, [member]: value })),
          invalid(member, 'must not be given together with imageIds'),
        )
      }
      const badToken = invalid('NextToken', 'Invalid next token provided')
      const { nextToken } = await ecr.listImages({ repositoryName, maxResults: 1 })
      assert.ok(nextToken)
      for (const request of [
        { repositoryName, nextToken: 'x' },
        { repositoryName: other, nextToken },
        { repositoryName, nextToken, filter: { tagStatus: 'TAGGED' } as const },
      ]) {
        assert.deepEqual(await refusalOf(ecr.listImages(request)), badToken)
      }
      assert.deepEqual(await refusalOf(ecr.describeImages({ repositoryName, nextToken })), badToken)
      for (const maxResults of [0, 1001]) {
        const bound = maxResults === 0 ? 'greater than or equal to 1' : 'less than or equal to 1000'
        const refusal = invalid('maxResults', `Member must have value ${bound}`)
        assert.deepEqual(await refusalOf(ecr.listImages({ repositoryName, maxResults })), refusal)
        assert.deepEqual(await refusalOf(ecr.describeImages({ repositoryName, maxResults })), refusal)
      }
    })

    test('a page has a hundred lines unless asked', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      await session.push(repositoryName, image(), 'tag-0')
      const imageManifest = image().bytes.toString()
      for (let tag = 1; tag <= 100; tag++) await ecr.putImage({ repositoryName, imageManifest, imageTag: `tag-${tag}` })
      const { imageIds = [], nextToken } = await ecr.listImages({ repositoryName })
      assert.equal(imageIds.length, 100)
      const rest = await answerOf(ecr.listImages({ repositoryName, nextToken }))
      assert.equal(rest.imageIds?.length, 1)
      assert.equal(rest.nextToken, undefined)
    })

    test('pages joined are the whole, while images come, move and go', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const stay = Array.from({ length: 7 }, (_, place) => image({ seed: `stay-${place}`, layers: [10] }))
      for (const [place, each] of stay.entries()) {
        await session.push(repositoryName, each, place % 3 === 0 ? undefined : `stay-${place}`)
        if (place % 3 === 2) {
          const imageManifest = each.bytes.toString()
          await ecr.putImage({ repositoryName, imageManifest, imageTag: `stay-${place}-too` })
        }
      }
      const whole = (await ecr.listImages({ repositoryName })).imageIds?.map(printed) ?? []
      const digests = new Set(stay.map((each) => each.digest as string))
      let writes = 0
      let kept: { imageDigest: string }[] = []
      const write = async () => {
        const passing = image({ seed: `passing-${++writes}`, layers: [10] })
        const imageDigest = passing.digest
        await session.push(repositoryName, passing, 'moving')
        if (writes % 2) await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageDigest }] })
        else kept.push({ imageDigest })
      }
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 9 }), async (pageSize) => {
          // What earlier runs left would let small pages grow in number from run to run.
          if (kept.length > 0) await ecr.batchDeleteImage({ repositoryName, imageIds: kept })
          kept = []
          const lines: string[] = []
          let pages = 0
          for await (const { imageIds = [] } of paginateListImages({ client: ecr, pageSize }, { repositoryName })) {
            assert.ok(imageIds.length <= pageSize && ++pages < 100)
            lines.push(...imageIds.filter((each) => digests.has(digestOf(each))).map(printed))
            await write()
          }
          assert.deepEqual(sorted(lines), sorted(whole))

          const images: string[] = []
          for await (const page of paginateDescribeImages({ client: ecr, pageSize }, { repositoryName })) {
            images.push(...(page.imageDetails ?? []).map(digestOf))
            await write()
          }
          assert.equal(new Set(images).size, images.length)
          assert.deepEqual(sorted(images.filter((each) => digests.has(each))), sorted(digests))
        }),
        { numRuns: 6 },
      )
    })
  })
})
