/** The quotas of repositories, images and tags, by the AWS SDK and on the data plane; small ones, as the real are long in reaching. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { openPeer } from '#test/support/peer.ts'
import { request } from '#test/support/push.ts'

const account = '000000000000'
const ofRegistries = 'repositories=4,repositoryCreationTemplates=3,pullThroughCacheRules=3,pullTimeUpdateExclusions=3'
const environment = { LADING_QUOTAS: `${ofRegistries},images=2,tags=2,layerParts=2,lifecycleRules=1` }

function limitExceeded(what: string, where: string) {
  const message = `The maximum number of ${what}, has been reached in ${where}the registry with id '${account}'`
  return { name: 'LimitExceededException', message, status: 400 }
}

eachDatabaseInCi(({ dialect, url }) => {
  describe(`quotas (${dialect})`, () => {
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url(), environment })
    })
    after(() => session[Symbol.asyncDispose]())

    const manifests = ['a', 'b', 'c'].map((seed) => image({ seed }))
    const put = (repositoryName: string, place: number, imageTag?: string) =>
      session.ecr.putImage({ repositoryName, imageManifest: manifests[place]?.bytes.toString(), imageTag })

    async function repositoryWithBlobs(): Promise<string> {
      const repositoryName = await session.repository()
      for (const { blobs } of manifests) for (const blob of blobs) await session.pushBlob(repositoryName, blob)
      return repositoryName
    }

    test('of many that race for the last places of a registry no more get one than there are', async () => {
      const other = session.client({ region: 'eu-central-1' })
      const race = async (add: (place: number) => Promise<unknown>) => {
        const outcomes = await Promise.allSettled(Array.from({ length: 12 }, (_, place) => add(place)))
        const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.name] : []))
        assert.deepEqual(new Set(refused), new Set(['LimitExceededException']))
        return outcomes.length - refused.length
      }
      assert.deepEqual(
        [
          await race((place) => other.createRepository({ repositoryName: `team/raced-${place}` })),
          await race((place) =>
            other.createRepositoryCreationTemplate({ prefix: `raced-${place}`, appliedFor: ['REPLICATION'] }),
          ),
          await race((place) =>
            other.createPullThroughCacheRule({ ecrRepositoryPrefix: `raced-${place}`, upstreamRegistryUrl: 'quay.io' }),
          ),
          await race((place) =>
            other.registerPullTimeUpdateExclusion({ principalArn: `arn:aws:iam::${account}:role/raced-${place}` }),
          ),
        ],
        [4, 3, 3, 3],
      )
    })

    test('an image beyond the quota is not stored, on either plane, until another is deleted', async () => {
      const { ecr, server } = session
      const repositoryName = await repositoryWithBlobs()
      await put(repositoryName, 0, 'v1')
      await put(repositoryName, 1)
      const full = limitExceeded('images, 2', `the repository with name '${repositoryName}' in `)
      assert.deepEqual(await refusalOf(put(repositoryName, 2, 'v1')), full)

      const { authorizationData = [] } = await ecr.getAuthorizationToken({})
      const registry = { url: server.url, authorization: `Basic ${authorizationData[0]?.authorizationToken}` }
      const { mediaType, bytes } = manifests[2] ?? image()
      const init = { method: 'PUT', headers: { 'content-type': mediaType }, body: new Uint8Array(bytes) }
      const denied = await request(registry, `/v2/${repositoryName}/manifests/v1`, init)
      assert.deepEqual(
        [denied.status, await denied.json()],
        [403, { errors: [{ code: 'DENIED', message: full.message }] }],
      )

      await using peer = await openPeer(server, server.credentials)
      const replica = await peer.putManifest(repositoryName, manifests[2] ?? image(), { tag: 'v1' })
      assert.deepEqual([replica.status, replica.error, replica.message], [403, 'DENIED', full.message])

      const { imageIds } = await ecr.listImages({ repositoryName, filter: { tagStatus: 'TAGGED' } })
      assert.deepEqual(imageIds, [{ imageDigest: manifests[0]?.digest, imageTag: 'v1' }])
      await put(repositoryName, 1, 'v2')
      await ecr.batchDeleteImage({ repositoryName, imageIds: [{ imageTag: 'v1' }] })
      await put(repositoryName, 2, 'v1')
    })

    test('a tag beyond the quota of its image is not set, until another moves away', async () => {
      const repositoryName = await repositoryWithBlobs()
      await put(repositoryName, 0, 'v1')
      await put(repositoryName, 0, 'v2')
      const full = limitExceeded('tags, 2', `an image of the repository with name '${repositoryName}' in `)
      assert.deepEqual(await refusalOf(put(repositoryName, 0, 'v3')), full)
      await put(repositoryName, 1, 'v2')
      await put(repositoryName, 0, 'v3')
    })

    test('a part beyond the quota of its upload is refused, and the upload can be completed without it', async () => {
      const { ecr } = session
      const repositoryName = await session.repository()
      const part = new Uint8Array(5 * 1024 * 1024).fill(7)
      const { uploadId } = await ecr.initiateLayerUpload({ repositoryName })
      const send = (place: number) => {
        const partFirstByte = place * part.length
        const partLastByte = partFirstByte + part.length - 1
        return ecr.uploadLayerPart({ repositoryName, uploadId, partFirstByte, partLastByte, layerPartBlob: part })
      }
      await send(0)
      // One that is refused counts for nothing.
      assert.equal((await refusalOf(send(0))).name, 'InvalidLayerPartException')
      await send(1)
      const full = limitExceeded('layer parts, 2', `an upload to the repository with name '${repositoryName}' in `)
      assert.deepEqual(await refusalOf(send(2)), full)
      const layerDigests = [digest(Buffer.concat([part, part]))]
      await ecr.completeLayerUpload({ repositoryName, uploadId, layerDigests })
    })

    test('a rule of a lifecycle policy beyond the quota is refused, in a preview too', async () => {
      const repositoryName = await session.repository()
      const rule = (rulePriority: number) => ({
        rulePriority,
        description: 'keep a few of the images that nobody has given any tag to',
        selection: {
          tagStatus: 'tagged',
          tagPrefixList: [`v${rulePriority}`],
          countType: 'imageCountMoreThan',
          countNumber: 1,
        },
        action: { type: 'expire' },
      })
      const policyOf = (...rules: object[]) => ({ repositoryName, lifecyclePolicyText: JSON.stringify({ rules }) })
      await session.ecr.putLifecyclePolicy(policyOf(rule(1)))
      const tooMany = policyOf(rule(1), rule(2))
      // One after the other: a refusal that comes while nobody waits for it fails the test by itself.
      for (const call of [
        () => session.ecr.putLifecyclePolicy(tooMany),
        () => session.ecr.startLifecyclePolicyPreview(tooMany),
      ]) {
        const { name, message } = await refusalOf(call())
        assert.equal(name, 'InvalidParameterException')
        assert.match(message, /maximum: 1|at most 1|1 element/)
      }
      await session.ecr.deleteRepository({ repositoryName })
    })

    test('a repository beyond the quota is not created, until another is deleted', async () => {
      const { ecr, server, client } = session
      const repositoryName = await session.repository()
      assert.deepEqual(await refusalOf(session.repository()), limitExceeded('repositories, 4', ''))
      const taken = await refusalOf(ecr.createRepository({ repositoryName }))
      assert.equal(taken.name, 'RepositoryAlreadyExistsException')
      await client({ region: 'eu-west-1' }).createRepository({ repositoryName })
      const { repositories } = await ecr.describeRepositories({})
      assert.equal(repositories?.length, 4, server.region)
      await ecr.deleteRepository({ repositoryName })
      await session.repository()
    })
  })
})
