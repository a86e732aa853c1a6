/** Lading's own operations on the pull through cache, over HTTP: status and settings of rules, refresh, and the origin of images. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type * as wire from '#admin/model.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryPrefix } from '#names/repository-prefix.ts'
import { markCached, markTagCached } from '#test/support/cached-images.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { image, index, layer } from '#test/support/images/build.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { openRetentionStage } from '#test/support/retention-stage.ts'
import { createRuleStatuses } from '#upstream/rule-status.ts'

const registry = { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') }
/** No test of this file asks an upstream. */
const unreachable = { LADING_UPSTREAMS: 'quay.io=http://127.0.0.1:1' }
const quay = { registry, prefix: parseRepositoryPrefix('quay') }

eachDatabase(({ dialect, url }) => {
  describe(`the pull through cache by Lading's own API (${dialect})`, () => {
    async function open(t: TestContext) {
      const stage = await openRetentionStage(t, await url(), unreachable)
      const rule = (ecrRepositoryPrefix: string, upstreamRegistryUrl = 'quay.io') =>
        stage.ecr().createPullThroughCacheRule({ ecrRepositoryPrefix, upstreamRegistryUrl })
      const repository = async (repositoryName: string) => {
        await stage.ecr().createRepository({ repositoryName })
        return repositoryName
      }
      const caches = async (input: object = {}) =>
        (await stage.ask<wire.DescribePullThroughCacheResponse>('DescribePullThroughCache', input)).caches
      return { ...stage, rule, repository, caches }
    }

    test('a rule is shown with what it has cached, each blob once, and without what was pushed', async (t) => {
      const { metadata, rule, repository, push, caches } = await open(t)
      for (const prefix of ['quay', 'quay/inner', 'other']) await rule(prefix)
      const shared = layer({ shared: 'shared' })
      const [one, two] = [image({ layers: [shared, layer({ own: 'one' })] }), image({ layers: [shared] })]
      const pushed = image({ seed: 'pushed' })
      const both = index({ children: [one, two] })
      const [first, second] = [await repository('quay/team/app'), await repository('quay/team/other')]
      const inner = await repository('quay/inner/app')
      await push(first, both, 'v1')
      await push(first, pushed)
      await push(second, two)
      await push(inner, two)
      await repository('quay2/app')
      await push('quay2/app', two)
      await markCached(metadata, first, [both.digest, one.digest, two.digest])
      for (const name of [second, inner, 'quay2/app']) await markCached(metadata, name, [two.digest])

      const found = await caches()
      const counts = found.map((each) => [...[each.ecrRepositoryPrefix, each.repositoryCount, each.imageCount]])
      assert.deepEqual(counts, [
        ['other', 0, 0],
        ['quay', 2, 4],
        ['quay/inner', 1, 1],
      ])
      const blobs = new Map([...one.blobs, ...two.blobs].map(({ digest, bytes }) => [digest, bytes.length]))
      const sum = [...blobs.values()].reduce((a, b) => a + b, 0)
      assert.equal(found[1]?.sizeInBytes, sum)
      assert.deepEqual(await caches({ ecrRepositoryPrefix: 'quay/' }), [found[1]])
    })

    test('imports that wait, run and failed are counted for their rule', async (t) => {
      const { metadata, rule, repository, caches } = await open(t)
      for (const prefix of ['quay', 'quay/inner']) await rule(prefix)
      for (const name of ['quay/app', 'quay/inner/app']) await repository(name)
      const digests = ['1', '2', '3', '4'].map((digit) => `sha256:${digit.repeat(64)}`)
      await metadata.transaction(async (trx) => {
        const { id } = await trx
          .selectFrom('repository')
          .select('id')
          .where('name', '=', 'quay/app')
          .executeTakeFirstOrThrow()
        for (const [at, digest] of digests.entries()) {
          await trx
            .insertInto('pending_manifest')
            .values({
              ...{ repository_id: id, digest, media_type: 'x', body: Buffer.from('{}'), upstream_url: 'quay.io' },
              ...{ upstream_name: 'app', requested_by: 'x', fetched_at: 1 },
              ...{ failed_at: at === 3 ? 2 : null, failure: at === 3 ? 'it is gone' : null },
            })
            .execute()
        }
        const document = JSON.stringify({ repositoryId: id, digest: digests[0] })
        await trx
          .insertInto('job')
          .values({
            ...{ kind: 'import-image', key: `${id} ${digests[0]}`, payload: document, state: 'running', run_at: 1 },
            ...{ attempts: 1, leased_by: 'another', leased_until: Date.now() + 3_600_000, last_error: null },
            ...{ created_at: 1, finished_at: null },
          })
          .execute()
      })
      const counts = (await caches()).map((each) => each.imports)
      assert.deepEqual(counts, [
        { waiting: 2, running: 1, failed: 1 },
        { waiting: 0, running: 0, failed: 0 },
      ])
    })

    test('a rule of ROOT has what no other rule has', async (t) => {
      const { metadata, rule, repository, push, caches } = await open(t)
      for (const prefix of ['ROOT', 'quay']) await rule(prefix)
      const cached = image({ seed: 'cached' })
      for (const name of ['quay/app', 'team/app', 'quay']) {
        await push(await repository(name), cached)
        await markCached(metadata, name, [cached.digest])
      }
      const counts = (await caches()).map((each) => [each.ecrRepositoryPrefix, each.repositoryCount])
      assert.deepEqual(counts, [
        ['ROOT', 2],
        ['quay', 1],
      ])
    })

    test('settings are changed one by one, and come back by each operation', async (t) => {
      const { ask, refused, rule, caches } = await open(t)
      await rule('quay')
      const put = (input: object) =>
        ask<wire.PutPullThroughCacheSettingsResponse>('PutPullThroughCacheSettings', {
          ...{ ecrRepositoryPrefix: 'quay/', ...input },
        })
      const base = { registryId: registry.account, ecrRepositoryPrefix: 'quay' }
      assert.deepEqual(await put({}), { ...base, maxAgeSeconds: 86_400, maxSizeInBytes: 0 })
      assert.deepEqual(await put({ maxAgeSeconds: -1 }), { ...base, maxAgeSeconds: -1, maxSizeInBytes: 0 })
      assert.deepEqual(await put({ maxSizeInBytes: 2 ** 40 }), { ...base, maxAgeSeconds: -1, maxSizeInBytes: 2 ** 40 })
      const [cache] = await caches()
      assert.deepEqual([cache?.maxAgeSeconds, cache?.maxSizeInBytes], [-1, 2 ** 40])
      await put({ maxAgeSeconds: 0, maxSizeInBytes: 0 })
      const missing = await refused('PutPullThroughCacheSettings', { ecrRepositoryPrefix: 'none' })
      assert.equal(missing.__type, 'PullThroughCacheRuleNotFoundException')
      const bad = await refused('PutPullThroughCacheSettings', { ecrRepositoryPrefix: 'quay', maxAgeSeconds: -2 })
      assert.equal(bad.__type, 'ValidationException')
    })

    test('how requests to the upstream went is shown, and told to metrics, until the rule goes', async (t) => {
      const { metadata, server, ecr, rule, caches } = await open(t)
      await rule('quay')
      let now = 5_000_000
      const onError = (error: unknown) => assert.fail(String(error))
      const statuses = createRuleStatuses({ metadata, clock: () => now, onError })
      t.after(() => statuses.stop())
      statuses.succeeded(quay)
      statuses.failed({ ...quay, prefix: parseRepositoryPrefix('gone') }, { code: 'unreachable', reason: 'x' })
      await statuses.flush()
      now += 1_000
      statuses.failed(quay, { code: 'limited', reason: 'the upstream allows no more requests now' })
      statuses.limited(quay, { remaining: 0, requests: 100, windowSeconds: 21_600 })
      await statuses.flush()
      const [cache] = await caches()
      assert.equal(cache?.lastSuccessAt, 5_000 as unknown)
      assert.deepEqual(cache?.lastFailure as unknown, {
        ...{ at: 5_001, code: 'limited', reason: 'the upstream allows no more requests now' },
      })
      assert.deepEqual(cache?.rateLimit as unknown, {
        readAt: 5_001,
        remaining: 0,
        requests: 100,
        windowSeconds: 21_600,
      })
      const labels = '{account="000000000000",region="us-east-1",prefix="quay",upstream="quay.io"}'
      const failing = async () => (await readMetrics(server)).get(`lading_upstream_failing${labels}`)
      assert.equal(await failing(), 1)
      now += 1_000
      statuses.succeeded(quay)
      await statuses.flush()
      assert.equal(await failing(), 0)
      assert.equal((await readMetrics(server)).get(`lading_upstream_rate_limit_remaining${labels}`), 0)

      await ecr().deletePullThroughCacheRule({ ecrRepositoryPrefix: 'quay' })
      await rule('quay')
      const [fresh] = await caches()
      assert.deepEqual([fresh?.lastSuccessAt, fresh?.lastFailure, fresh?.rateLimit], [undefined, undefined, undefined])
    })

    test('a refresh makes cached tags be checked, of a tag, a repository or a rule, and no others', async (t) => {
      const { metadata, ask, refused, rule, repository, push } = await open(t)
      await rule('quay')
      const cached = image({ seed: 'cached' })
      const ids: number[] = []
      for (const name of ['quay/a1', 'quay/b1', 'team/a']) {
        await push(await repository(name), cached, 'v1', 'v2', 'pushed')
        const id = await markCached(metadata, name, [cached.digest])
        for (const tag of ['v1', 'v2']) await markTagCached(metadata, id, tag, { digest: cached.digest })
        ids.push(id)
      }
      const due = async () => {
        const rows = await metadata.reader
          .selectFrom('cached_tag')
          .select(['repository_id', 'tag'])
          .where('checked_at', '=', 0)
          .execute()
        return new Set(rows.map((row) => `${ids.indexOf(row.repository_id)}:${row.tag}`))
      }
      const refresh = async (input: object) =>
        (await ask<wire.RefreshPullThroughCacheResponse>('RefreshPullThroughCache', input)).tagCount
      assert.equal(await refresh({ repositoryName: 'quay/a1', imageTag: 'v2' }), 1)
      assert.deepEqual(await due(), new Set(['0:v2']))
      assert.equal(await refresh({ repositoryName: 'quay/a1' }), 2)
      assert.deepEqual(await due(), new Set(['0:v1', '0:v2']))
      assert.equal(await refresh({ ecrRepositoryPrefix: 'quay' }), 4)
      assert.deepEqual(await due(), new Set(['0:v1', '0:v2', '1:v1', '1:v2']))

      const failures = [
        [{ repositoryName: 'quay/a1', imageTag: 'pushed' }, 'ImageNotFoundException'],
        [{ repositoryName: 'quay/nil' }, 'RepositoryNotFoundException'],
        [{ ecrRepositoryPrefix: 'none' }, 'PullThroughCacheRuleNotFoundException'],
        [{}, 'InvalidParameterException'],
        [{ repositoryName: 'quay/a1', ecrRepositoryPrefix: 'quay' }, 'InvalidParameterException'],
        [{ ecrRepositoryPrefix: 'quay', imageTag: 'v1' }, 'InvalidParameterException'],
      ] as const
      for (const [input, name] of failures) {
        assert.equal((await refused('RefreshPullThroughCache', input)).__type, name, JSON.stringify(input))
      }
    })

    test('the origin of an image is a push, or the upstream with the times of its fetch and last check', async (t) => {
      const { metadata, ask, refused, repository, push } = await open(t)
      const repositoryName = await repository('quay/app')
      const [cached, pushed] = [image({ seed: 'cached' }), image({ seed: 'pushed' })]
      await push(repositoryName, cached, 'v1', 'v2')
      await push(repositoryName, pushed, 'own')
      const id = await markCached(metadata, repositoryName, [cached.digest], {
        ...{ upstreamName: 'org/app', fetchedAt: 7_000_000 },
      })
      await markTagCached(metadata, id, 'v1', { digest: cached.digest, checkedAt: 8_000_000 })
      await markTagCached(metadata, id, 'v2', { digest: cached.digest, checkedAt: 9_000_000 })
      const origin = async (input: object) => {
        const answer = await ask<wire.DescribeImageOriginResponse>('DescribeImageOrigin', { repositoryName, ...input })
        return answer as unknown as Record<string, unknown>
      }
      const expected = {
        ...{ registryId: registry.account, repositoryName, imageDigest: cached.digest, imageTags: ['v1', 'v2'] },
        ...{ origin: 'CACHED', upstreamRegistryUrl: 'quay.io', upstreamRepositoryName: 'org/app', fetchedAt: 7_000 },
      }
      assert.deepEqual(await origin({ imageTag: 'v1' }), { ...expected, lastCheckedAt: 8_000 })
      assert.deepEqual(await origin({ imageDigest: cached.digest }), { ...expected, lastCheckedAt: 9_000 })
      const own = await origin({ imageTag: 'own' })
      assert.deepEqual(
        [own.origin, own.imageDigest, typeof own.pushedAt, own.upstreamRegistryUrl],
        ['PUSHED', pushed.digest, 'number', undefined],
      )
      const missing = await refused('DescribeImageOrigin', { repositoryName, imageTag: 'none' })
      assert.deepEqual(
        [missing.__type, missing.message],
        ['ImageNotFoundException', "The repository with name 'quay/app' has no image with tag 'none'"],
      )
      assert.equal((await refused('DescribeImageOrigin', { repositoryName })).__type, 'InvalidParameterException')
    })
  })
})
