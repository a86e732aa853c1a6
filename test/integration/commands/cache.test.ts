/** `lading cache`: what people and scripts are shown, and what is refused before a server is asked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ECR } from '@aws-sdk/client-ecr'
import { openMetadata } from '#metadata/open.ts'
import { markCached, markTagCached } from '#test/support/cached-images.ts'
import { commandsOver } from '#test/support/command.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { image } from '#test/support/images/build.ts'
import { startServer } from '#test/support/server.ts'

eachDatabaseInCi(({ dialect, url }) => {
  test(`lading cache shows rules, changes their settings and asks upstreams (${dialect})`, async (t) => {
    const database = await url()
    await using server = await startServer({
      database,
      environment: { LADING_UPSTREAMS: 'quay.io=http://127.0.0.1:1' },
    })
    const ecr = new ECR({ endpoint: server.url, region: server.region, credentials: server.credentials })
    t.after(() => ecr.destroy())
    const metadata = await openMetadata(database, () => {})
    t.after(() => metadata.close())
    await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix: 'quay', upstreamRegistryUrl: 'quay.io' })
    const repositoryName = 'quay/org/app'
    await ecr.createRepository({ repositoryName })
    const cached = image({ seed: 'cached' })
    await pushImageTo(ecr, repositoryName, cached, 'v1')
    const id = await markCached(metadata, repositoryName, [cached.digest])
    await markTagCached(metadata, id, 'v1', { digest: cached.digest })

    const lading = commandsOver({
      ...server.environment,
      AWS_ENDPOINT_URL: server.url,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      AWS_REGION: server.region,
    })
    const table = await lading.run('cache', 'status')
    assert.match(
      table,
      /^PREFIX +UPSTREAM +REPOSITORIES +IMAGES +SIZE +LIMIT +MAX AGE +LAST SUCCESS AT +LAST FAILURE AT\n/,
    )
    assert.match(table, /\nquay +quay\.io +1 +1 +[\d.]+ \S*B +none +1d +- +-\n$/)
    const sizeBytes = cached.blobs.reduce((sum, { bytes }) => sum + bytes.length, 0)
    const shown = {
      prefix: 'quay',
      upstream: 'quay.io',
      repositories: 1,
      images: 1,
      sizeBytes,
      importsWaiting: 0,
      importsRunning: 0,
      importsFailed: 0,
    }
    const usual = { ...shown, maxAgeSeconds: 86_400, maxBytes: 'none' }
    assert.deepEqual(await lading.json('cache', 'status'), { caches: [usual] })
    assert.deepEqual(await lading.json('cache', 'status', 'quay/'), usual)

    assert.equal(
      await lading.run('cache', 'set', 'quay', '--max-age', '90m', '--max-bytes', '10GiB'),
      'prefix           quay\nmax age seconds  5400\nmax bytes        10737418240\n',
    )
    assert.match(await lading.run('cache', 'status'), / 10\.0 GiB +90m /)
    assert.deepEqual(await lading.json('cache', 'set', 'quay', '--max-age', 'never', '--max-bytes', 'none'), {
      ...{ prefix: 'quay', maxAgeSeconds: 'never', maxBytes: 'none' },
    })
    assert.deepEqual(await lading.json('cache', 'set', 'quay', '--max-age', '0'), {
      ...{ prefix: 'quay', maxAgeSeconds: 0, maxBytes: 'none' },
    })

    assert.deepEqual(await lading.json('cache', 'refresh', `${repositoryName}:v1`), {
      ...{ repositoryName, imageTag: 'v1', tags: 1 },
    })
    assert.deepEqual(await lading.json('cache', 'refresh', '--prefix', 'quay'), {
      ecrRepositoryPrefix: 'quay',
      tags: 1,
    })
    assert.deepEqual(await lading.json('cache', 'origin', `${repositoryName}:v1`), {
      ...{ repository: repositoryName, digest: cached.digest, tags: ['v1'], origin: 'cached' },
      ...{ upstream: 'quay.io', upstreamRepository: 'team/app', fetchedAt: '1970-01-01T00:00:01.000Z' },
    })
    assert.match(await lading.run('cache', 'origin', `${repositoryName}@${cached.digest}`), /\norigin +cached\n/)

    const refusals: readonly [words: readonly string[], text: RegExp][] = [
      [['set', 'quay'], /^nothing to change: give --max-age or --max-bytes$/],
      [['set', 'quay', '--max-age', '1w'], /^"1w" is no age: expected such as 30m, 24h or 7d, .* or never$/],
      [['set', 'quay', '--max-bytes', '10G'], /^"10G" is no size: expected such as 500MiB, 10GiB .* or none$/],
      [['set', 'quay', '--max-bytes', '0'], /^"0" is no size/],
      [['set', 'Quay', '--max-age', '0'], /^"Quay" is no repository prefix: expected one such as docker-hub, or ROOT$/],
      [['set', 'none', '--max-age', '0'], /^Pull through cache rule with repository prefix 'none' does not exist in /],
      [['refresh'], /^expected either a repository, with a tag or without, or --prefix <prefix>$/],
      [['refresh', 'quay/org/app', '--prefix', 'quay'], /^expected either a repository/],
      [['refresh', 'quay/org/app:-'], /^"-" is no tag$/],
      [
        ['refresh', 'quay/org/app:v2'],
        /^The tag 'v2' in the repository 'quay\/org\/app' did not come from an upstream/,
      ],
      [
        ['origin', 'quay/org/app'],
        /^"quay\/org\/app" names no image: expected <repository>:<tag> or <repository>@<digest>$/,
      ],
      [['status', 'none'], /^Pull through cache rule with repository prefix 'none' does not exist in /],
    ]
    for (const [words, text] of refusals) assert.match(await lading.refusal('cache', ...words), text)
  })
})
