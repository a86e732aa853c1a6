/** `lading replication status` and `retry`: what waits, what was refused and why, how far behind a destination is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandsOver } from '#test/support/command.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { startEcrSession } from '#test/support/ecr-session.ts'
import { image } from '#test/support/images/build.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { replicateTo, settled } from '#test/support/replication.ts'
import { until } from '#test/support/until.ts'

const near = { region: 'eu-west-1', registryId: '000000000000' }
const foreign = { region: 'us-east-1', registryId: '222222222222' }

eachDatabase(({ dialect, url }) => {
  test(`lading replication status groups refusals, and retry sends once they are mended (${dialect})`, async () => {
    await using session = await startEcrSession({ database: await url() })
    const { ecr, server } = session
    const foreignKey = await server.addAccount(foreign.registryId)
    const lading = commandsOver({
      ...server.environment,
      AWS_ENDPOINT_URL: server.url,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      AWS_REGION: server.region,
    })
    assert.equal(await lading.run('replication', 'status'), 'no destinations\n')
    await replicateTo(ecr, [near, foreign])
    const repositoryName = await session.repository()
    const pushed = image({ seed: 'refused' })
    await session.push(repositoryName, pushed, 'v1')
    await settled(ecr, repositoryName, pushed.digest)

    const shown = await lading.ended('replication', 'status', '--json')
    assert.equal(shown.code, 2)
    const { destinations } = JSON.parse(shown.output)
    const [first, second] = destinations
    assert.partialDeepStrictEqual(first, {
      ...{ destination: '000000000000/eu-west-1', inRules: true, waiting: 0, failed: 0, paused: 0, secondsBehind: 0 },
      ...{ sentImages: 1, failures: [] },
    })
    assert.partialDeepStrictEqual(second, { destination: '222222222222/us-east-1', failed: 1, sentImages: 0 })
    assert.equal(second.failures.length, 1)
    assert.equal(second.failures[0].images, 1)
    const ofNear = await lading.run('replication', 'status', '--destination', '000000000000/eu-west-1')
    assert.match(ofNear, /^DESTINATION +WAITING +FAILED +PAUSED +BEHIND .*\n000000000000\/eu-west-1 +0 +0 +0 +0s +1 /)

    const failed = await lading.ended('replication', 'status', '--failed', '--json')
    assert.equal(failed.code, 2)
    const [only, ...others] = JSON.parse(failed.output).images
    assert.deepEqual(others, [])
    assert.partialDeepStrictEqual(only, {
      ...{ destination: '222222222222/us-east-1', repository: repositoryName, digest: pushed.digest, tags: ['v1'] },
      ...{ cause: 'push', code: second.failures[0].code, reason: second.failures[0].reason, attempts: 1 },
    })

    const labels = 'account="000000000000",region="us-east-1"'
    const metrics = await readMetrics(server)
    const failedSeries = `lading_replication_images{${labels},destination="222222222222/us-east-1",state="failed"}`
    assert.equal(metrics.get(failedSeries), 1)
    assert.equal(metrics.get(`lading_replication_lag_seconds{${labels},destination="000000000000/eu-west-1"}`), 0)
    assert.ok((metrics.get(`lading_replication_lag_seconds{${labels},destination="222222222222/us-east-1"}`) ?? 0) > 0)

    await session.client({ credentials: foreignKey, region: foreign.region }).putRegistryPolicy({
      policyText: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            ...{ Sid: 'copies', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:root' } },
            ...{ Action: ['ecr:CreateRepository', 'ecr:ReplicateImage'] },
            Resource: `arn:aws:ecr:us-east-1:${foreign.registryId}:repository/*`,
          },
        ],
      }),
    })
    const retried = await lading.json('replication', 'retry', '--destination', '222222222222/us-east-1')
    assert.deepEqual(retried, { destination: '222222222222/us-east-1', images: 1 })
    await until(async () =>
      (await settled(ecr, repositoryName, pushed.digest)).every((each) => each.endsWith('COMPLETE')),
    )
    assert.equal((await lading.ended('replication', 'status')).code, 0)

    assert.match(
      await lading.refusal('replication', 'retry', '--destination', '000000000000/eu-west-9'),
      /^No replication rule of the registry '000000000000' in us-east-1 names the destination '000000000000\/eu-west-9'$/,
    )
    assert.match(
      await lading.refusal('replication', 'status', '--destination', 'eu'),
      /^"eu" is no registry: expected one/,
    )
  })
})
