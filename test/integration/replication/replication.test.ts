/** Replication's configuration by the AWS SDK, and what is true of images while nothing is copied. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ReplicationRule } from '@aws-sdk/client-ecr'
import { refusalsOfMissingImages } from '#test/support/about-an-image.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { answerOf, type EcrSession, refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'

const registryId = '000000000000'

const invalid = (member: string, constraint: string) => ({
  name: 'InvalidParameterException',
  message: `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`,
  status: 400,
})

const to = (region: string, account = registryId) => ({ region, registryId: account })
const prefixes = (...filters: string[]) => filters.map((filter) => ({ filter, filterType: 'PREFIX_MATCH' as const }))
const numbered = (count: number) => Array.from({ length: count }, (_, index) => index)

eachDatabaseInCi(({ dialect, url }) => {
  describe(`replication by the SDK (${dialect})`, () => {
    let session: EcrSession
    before(async () => {
      session = await startEcrSession({ database: await url() })
    })
    after(() => session[Symbol.asyncDispose]())

    const put = (rules: ReplicationRule[]) =>
      session.ecr.putReplicationConfiguration({ replicationConfiguration: { rules } })
    const described = (client = session.ecr) => answerOf(client.describeRegistry({}))

    test('a registry has no rules, then exactly those that were put, and none again', async () => {
      assert.deepEqual(await described(), { registryId, replicationConfiguration: { rules: [] } })
      for (const rules of [
        [{ destinations: [to('eu-west-1'), to('lab')], repositoryFilters: prefixes('prod', 'team/') }],
        [
          { destinations: [to('us-east-1', '222222222222')] },
          { destinations: [to('eu-west-1')], repositoryFilters: prefixes('prod') },
        ],
        [{ destinations: [] }],
        [],
      ]) {
        assert.deepEqual(await answerOf(put(rules)), { replicationConfiguration: { rules } })
        assert.deepEqual(await described(), { registryId, replicationConfiguration: { rules } })
      }
    })

    test('a registry is no destination of itself, and a region has the name of one', async () => {
      const rules = [{ destinations: [to('eu-west-1')] }]
      await put(rules)
      assert.deepEqual(
        await refusalOf(put([{ destinations: [to('eu-west-1'), to('us-east-1')] }])),
        invalid('replicationConfiguration', 'Replication destination cannot be the same as the source registry'),
      )
      for (const region of ['1st', '--', 'us-east-']) {
        assert.deepEqual(
          await refusalOf(put([{ destinations: [to(region)] }])),
          invalid('replicationConfiguration', `Invalid destination region ${region}`),
        )
      }
      assert.deepEqual(await described(), { registryId, replicationConfiguration: { rules } })
    })

    test('ten rules, twenty-five destinations over all of them, and a hundred filters each are the most', async () => {
      const destinations = numbered(25).map((index) => to(`region-${index}`))
      const most = numbered(10).map(() => ({
        destinations,
        repositoryFilters: prefixes(...numbered(100).map((index) => `prefix-${index}`)),
      }))
      await put(most)
      assert.deepEqual((await described()).replicationConfiguration, { rules: most })

      assert.deepEqual(
        await refusalOf(put([...most.slice(1), { destinations: [to('region-0'), to('one-more')] }])),
        invalid('replicationConfiguration', 'Replication rules must not have more than 25 unique destinations'),
      )
      const atMost = (member: string, limit: number) =>
        invalid(member, `Member must have length less than or equal to ${limit}`)
      assert.deepEqual(await refusalOf(put([...most, { destinations: [] }])), atMost('rules', 10))
      const repositoryFilters = prefixes(...numbered(101).map((index) => `prefix-${index}`))
      assert.deepEqual(await refusalOf(put([{ destinations, repositoryFilters }])), atMost('repositoryFilters', 100))
      assert.deepEqual(
        await refusalOf(put([{ destinations, repositoryFilters: [] }])),
        invalid('repositoryFilters', 'Member must have length greater than or equal to 1'),
      )
      await put([])
    })

    test('how many destinations there may be is a setting', async () => {
      const environment = { LADING_QUOTAS: 'replicationDestinations=1' }
      await using other = await startEcrSession({ database: await url(), environment })
      const rules = [{ destinations: [to('eu-west-1'), to('eu-north-1')] }]
      assert.deepEqual(
        await refusalOf(other.ecr.putReplicationConfiguration({ replicationConfiguration: { rules } })),
        invalid('replicationConfiguration', 'Replication rules must not have more than 1 unique destinations'),
      )
    })

    test('of configurations that are put at once one wins whole', async () => {
      const given = numbered(8).map((index) =>
        numbered(index + 1).map(() => ({ destinations: [to(`region-${index}`)] })),
      )
      await Promise.all(given.map(put))
      const { replicationConfiguration } = await described()
      assert.ok(given.some((rules) => JSON.stringify({ rules }) === JSON.stringify(replicationConfiguration)))
      await put([])
    })

    test("an account's rules are its own, in each region", async () => {
      await put([{ destinations: [to('eu-west-1')] }])
      const credentials = await session.server.addAccount('222222222222')
      for (const other of [session.client({ credentials }), session.client({ region: 'eu-west-1' })]) {
        assert.deepEqual((await described(other)).replicationConfiguration, { rules: [] })
      }
      await put([])
    })

    test('an image is on its way nowhere', async () => {
      const repositoryName = await session.repository()
      const app = image()
      await session.push(repositoryName, app, 'v1')
      const status = (imageId: { imageTag?: string; imageDigest?: string }) =>
        answerOf(session.ecr.describeImageReplicationStatus({ repositoryName, imageId }))
      const imageDigest = app.digest
      assert.deepEqual(await status({ imageTag: 'v1' }), {
        repositoryName,
        imageId: { imageDigest, imageTag: 'v1' },
        replicationStatuses: [],
      })
      assert.deepEqual((await status({ imageDigest })).imageId, { imageDigest })
    })

    test('an image that is not there is refused as such', async () => {
      const { actual, expected } = await refusalsOfMissingImages(session, (request) =>
        session.ecr.describeImageReplicationStatus(request),
      )
      assert.deepEqual(actual, expected)
    })
  })
})
