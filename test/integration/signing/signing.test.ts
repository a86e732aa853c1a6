/** Signing's configuration by the AWS SDK, and what is true of images while nothing is signed. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { SigningRule } from '@aws-sdk/client-ecr'
import { refusalsOfMissingImages } from '#test/support/about-an-image.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { artifact, image } from '#test/support/images/build.ts'

const registryId = '000000000000'

const invalid = (member: string, constraint: string) => ({
  name: 'InvalidParameterException',
  message: `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`,
  status: 400,
})
const missing = {
  name: 'SigningConfigurationNotFoundException',
  message: `Signing configuration does not exist in the registry with id '${registryId}'`,
  status: 400,
}

const profile = (name: string, region = 'us-east-1', account = registryId) =>
  `arn:aws:signer:${region}:${account}:/signing-profiles/${name}`
const wildcards = (...filters: string[]) => filters.map((filter) => ({ filter, filterType: 'WILDCARD_MATCH' as const }))
const numbered = (count: number) => Array.from({ length: count }, (_, index) => index)

eachDatabaseInCi(({ dialect, url }) => {
  describe(`signing by the SDK (${dialect})`, () => {
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url() })
    })
    after(() => session[Symbol.asyncDispose]())

    const put = (rules: SigningRule[]) => session.ecr.putSigningConfiguration({ signingConfiguration: { rules } })
    const get = (client = session.ecr) => client.getSigningConfiguration({})
    const remove = (client = session.ecr) => client.deleteSigningConfiguration({})

    test('a registry has no configuration, then exactly what was put, and after its deletion none again', async () => {
      assert.deepEqual(await refusalOf(get()), missing)
      assert.deepEqual(await refusalOf(remove()), missing)
      let rules: SigningRule[] = []
      for (rules of [
        [],
        [{ signingProfileArn: profile('release'), repositoryFilters: wildcards('team/*', 'prod-*') }],
        [
          { signingProfileArn: profile('release') },
          { signingProfileArn: profile('other', 'us-east-1', '222222222222') },
        ],
      ]) {
        assert.deepEqual(await answerOf(put(rules)), { signingConfiguration: { rules } })
        assert.deepEqual(await answerOf(get()), { registryId, signingConfiguration: { rules } })
      }
      assert.deepEqual(await answerOf(remove()), { registryId, signingConfiguration: { rules } })
      assert.deepEqual(await refusalOf(get()), missing)
      assert.deepEqual(await refusalOf(remove()), missing)
    })

    test('a profile is one of the region of the registry', async () => {
      const elsewhere = profile('release', 'eu-west-1')
      assert.deepEqual(
        await refusalOf(put([{ signingProfileArn: profile('release') }, { signingProfileArn: elsewhere }])),
        invalid('signingProfileArn', `The signing profile ${elsewhere} must be in region us-east-1`),
      )
      const malformed = await refusalOf(put([{ signingProfileArn: 'arn:aws:kms:us-east-1:000000000000:key/x' }]))
      assert.match(malformed.message, /^Invalid parameter at 'signingProfileArn' failed to satisfy constraint/)
      assert.deepEqual(await refusalOf(get()), missing)
    })

    test('ten rules of a hundred filters are the most', async () => {
      const most = numbered(10).map((index) => ({
        signingProfileArn: profile(`profile_${index}`),
        repositoryFilters: wildcards(...numbered(100).map((index) => `filter-${index}*`)),
      }))
      await put(most)
      assert.deepEqual((await get()).signingConfiguration, { rules: most })
      assert.deepEqual(
        await refusalOf(put([...most, { signingProfileArn: profile('more') }])),
        invalid('rules', 'Member must have length less than or equal to 10'),
      )
      const repositoryFilters = wildcards(...numbered(101).map((index) => `filter-${index}`))
      assert.deepEqual(
        await refusalOf(put([{ signingProfileArn: profile('release'), repositoryFilters }])),
        invalid('repositoryFilters', 'Member must have length less than or equal to 100'),
      )
      await remove()
    })

    test('of configurations that are put at once one wins whole, and one of two deletions finds it', async () => {
      const given = numbered(8).map((index) =>
        numbered(index + 1).map((rule) => ({ signingProfileArn: profile(`p${index}_${rule}`) })),
      )
      await Promise.all(given.map(put))
      const { signingConfiguration } = await get()
      assert.ok(given.some((rules) => JSON.stringify({ rules }) === JSON.stringify(signingConfiguration)))
      const outcomes = await Promise.allSettled([remove(), remove()])
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    })

    test("an account's configuration is its own, in each region", async () => {
      await put([{ signingProfileArn: profile('release') }])
      const credentials = await session.server.addAccount('222222222222')
      for (const other of [session.client({ credentials }), session.client({ region: 'eu-west-1' })]) {
        assert.equal((await refusalOf(get(other))).name, missing.name)
        assert.equal((await refusalOf(remove(other))).name, missing.name)
      }
      await remove()
    })

    test('an image that rules match is shown as not signed, once for each profile, with the reason', async () => {
      const repositoryName = await session.repository()
      const app = image()
      const signature = artifact({ artifactType: 'application/vnd.cncf.notary.signature', subject: app })
      await session.push(repositoryName, app, 'v1')
      await session.push(repositoryName, signature)
      const [first] = repositoryName.split(/[-/]/)
      await put([
        { signingProfileArn: profile('all') },
        { signingProfileArn: profile('matching'), repositoryFilters: wildcards('elsewhere', `${first}*`) },
        { signingProfileArn: profile('all'), repositoryFilters: wildcards(repositoryName) },
        { signingProfileArn: profile('other'), repositoryFilters: wildcards('elsewhere', 'else*') },
      ])
      const statuses = async (imageDigest: string) =>
        (await session.ecr.describeImageSigningStatus({ repositoryName, imageId: { imageDigest } })).signingStatuses
      assert.deepEqual(
        await statuses(app.digest),
        ['all', 'matching'].map((name) => ({
          signingProfileArn: profile(name),
          status: 'FAILED',
          failureCode: 'SigningNotSupported',
          failureReason: 'This version of Lading keeps signing rules and signs no images.',
        })),
      )
      assert.deepEqual(await statuses(signature.digest), [])
      await put([])
      assert.deepEqual(await statuses(app.digest), [])
      await remove()
    })

    test('without a rule an image has no signatures in the making', async () => {
      const repositoryName = await session.repository()
      const app = image()
      await session.push(repositoryName, app, 'v1')
      const status = (imageId: { imageTag?: string; imageDigest?: string }) =>
        answerOf(session.ecr.describeImageSigningStatus({ repositoryName, imageId }))
      const imageDigest = app.digest
      assert.deepEqual(await status({ imageTag: 'v1' }), {
        registryId,
        repositoryName,
        imageId: { imageDigest, imageTag: 'v1' },
        signingStatuses: [],
      })
      assert.deepEqual((await status({ imageDigest })).imageId, { imageDigest })
    })

    test('an image that is not there is refused as such', async () => {
      const { actual, expected } = await refusalsOfMissingImages(session, (request) =>
        session.ecr.describeImageSigningStatus(request),
      )
      assert.deepEqual(actual, expected)
    })
  })
})
