/** A backup of a cache, restored elsewhere: rules, secrets, cached tags, and an image with content still on its way. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { commandsOver } from '#test/support/command.ts'
import { postgresUrl, sqliteUrl } from '#test/support/databases.ts'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pullWhole } from '#test/support/push.ts'
import { startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'
import { createUpstreamSecret, openSecrets } from '#test/support/upstream-secret.ts'
import { startCacheSession } from '#test/support/upstreams/cache-session.ts'
import { hubUser } from '#test/support/upstreams/hub.ts'

const urls = { sqlite: sqliteUrl, postgres: postgresUrl }
const names = { kept: 'team/kept', arriving: 'team/arriving' }

for (const [from, to] of [
  ['sqlite', 'sqlite'],
  ['sqlite', 'postgres'],
  ['postgres', 'sqlite'],
] as const) {
  test(`a cache is restored with its secrets and goes on with what was on its way: ${from} to ${to}`, async () => {
    await using session = await startCacheSession({ database: await urls[from]() })
    const { hub, server, ecr } = session
    for (const name of Object.values(names)) hub.behaviour.privateRepositories.add(name)
    const value = JSON.stringify({ username: hubUser.username, accessToken: hubUser.password })
    const credentialArn = await createUpstreamSecret(server, 'hub', { value })
    await ecr.updatePullThroughCacheRule({ ecrRepositoryPrefix: 'hub', credentialArn })
    const [kept, arriving] = [image({ layers: [1_000] }), image({ layers: [200_000, 3_000] })]
    hub.content.push(names.kept, kept, 'latest')
    hub.content.push(names.arriving, arriving, 'latest')
    assert.equal((await session.get(`hub/${names.kept}/manifests/latest`)).status, 200)
    const hasImage = (client: Pick<ECR, 'describeImages'>, name: string) =>
      client.describeImages({ repositoryName: `hub/${name}` }).then(
        ({ imageDetails = [] }) => imageDetails.length === 1,
        () => false,
      )
    await until(() => hasImage(ecr, names.kept))
    hub.fail({ at: 'cdn', kind: 'blobs' }, { kind: 'silence', afterBytes: 500 })
    assert.equal((await session.get(`hub/${names.arriving}/manifests/latest`)).status, 200)
    await until(() => hub.log.count({ at: 'cdn', repository: names.arriving }) > 0)

    assert.equal(await hasImage(ecr, names.arriving), false)
    await using folder = await temporaryFolder()
    const backup = join(folder.path, 'backup')
    await commandsOver(server.environment).json('backup', backup)
    await server.stop()
    hub.recover()
    hub.log.clear()

    const environment = {
      ...server.environment,
      LADING_DATA_DIR: join(folder.path, 'data'),
      LADING_DATABASE: await urls[to](),
      LADING_UPSTREAMS: `registry-1.docker.io=${hub.url},${hub.cdnHost}`,
    }
    await commandsOver(environment).json('restore', backup)
    // Later than the leases that the backup has of the first server.
    await using restored = await startServer({ environment, clock: () => Date.now() + 60_000 })
    await using client = await openOciClient(restored)
    using secrets = openSecrets(restored)
    assert.equal((await secrets.client.getSecretValue({ SecretId: credentialArn })).SecretString, value)
    const reader = new ECR({ endpoint: restored.url, region: restored.region, credentials: restored.credentials })
    try {
      assert.equal(await pullWhole(client.registry, `hub/${names.kept}`, 'latest'), kept.digest)
      assert.equal(hub.log.count({ repository: names.kept }), 0)
      await until(() => hasImage(reader, names.arriving))
      assert.equal(await pullWhole(client.registry, `hub/${names.arriving}`, 'latest'), arriving.digest)
      const rules = await reader.describePullThroughCacheRules({})
      assert.deepEqual(
        rules.pullThroughCacheRules?.map((rule) => [rule.ecrRepositoryPrefix, rule.credentialArn]),
        [['hub', credentialArn]],
      )
    } finally {
      reader.destroy()
    }
  })
}
