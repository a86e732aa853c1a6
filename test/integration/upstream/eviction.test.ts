/** The size limit of a rule: which cached images make room, what stays, and that their bytes are freed soon. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type * as wire from '#admin/model.ts'
import { markCached, markTagCached } from '#test/support/cached-images.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { amd64, arm64, type Image, image, index, manifestsOf } from '#test/support/images/build.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { openRetentionStage } from '#test/support/retention-stage.ts'
import { until } from '#test/support/until.ts'
import { readLimitedRules } from '#upstream/cache-rules.ts'
import { requestEviction } from '#upstream/eviction-kind.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const layerBytes = 100_000

eachDatabase(({ dialect, url }) => {
  describe(`the size limit of a cache rule (${dialect})`, () => {
    async function open(t: TestContext) {
      const stage = await openRetentionStage(t, await url(), { LADING_UPSTREAMS: 'quay.io=http://127.0.0.1:9' })
      const { metadata, ask, push, move, clock, ecr, oci, done } = stage
      await ecr().createPullThroughCacheRule({ ecrRepositoryPrefix: 'quay', upstreamRegistryUrl: 'quay.io' })
      const repository = async (repositoryName: string) => {
        await ecr().createRepository({ repositoryName })
        return repositoryName
      }
      return {
        ...stage,
        repository,
        /** As the cache stores it: the image with all that it refers to, its tag, and the time. */
        async cache(repositoryName: string, what: Image, tag?: string) {
          await push(repositoryName, what, ...(tag === undefined ? [] : [tag]))
          const digests = [...manifestsOf(what)].map(({ digest }) => digest)
          const id = await markCached(metadata, repositoryName, digests, { fetchedAt: clock() })
          if (tag !== undefined) await markTagCached(metadata, id, tag, { digest: what.digest, checkedAt: clock() })
          move(minuteMs)
        },
        pull: async (repositoryName: string, { digest }: { readonly digest: string }) => {
          assert.equal((await oci.call('GET', `/v2/${repositoryName}/manifests/${digest}`)).status, 200)
          move(minuteMs)
        },
        async limit(maxSizeInBytes: number) {
          await ask('PutPullThroughCacheSettings', { ecrRepositoryPrefix: 'quay', maxSizeInBytes })
          await done('evict-cached-images')
        },
        async bytes() {
          const { caches } = await ask<wire.DescribePullThroughCacheResponse>('DescribePullThroughCache', {
            ecrRepositoryPrefix: 'quay',
          })
          return caches[0]?.sizeInBytes ?? 0
        },
        async held(repositoryName: string) {
          const { imageIds = [] } = await ecr().listImages({ repositoryName })
          return new Set(imageIds.map(({ imageDigest }) => imageDigest))
        },
      }
    }
    const large = (seed: string) => image({ seed, layers: [layerBytes] })

    test('the image that has been unused for longest goes first, and no more than needed', async (t) => {
      const { server, metadata, repository, cache, pull, move, limit, bytes, held, ask, bin, push } = await open(t)
      const [one, other] = [await repository('quay/one'), await repository('quay/other')]
      const [first, second, third, fourth] = ['1', '2', '3', '4'].map(large) as [Image, Image, Image, Image]
      const pushed = large('pushed')
      await cache(one, first, 'v1')
      await cache(other, second, 'v2')
      await cache(one, third, 'v3')
      await push(one, pushed, 'own')
      await cache(one, fourth, 'v4')
      await pull(one, first)
      move(20 * minuteMs)
      const full = await bytes()
      await limit(full)
      assert.deepEqual(await held(other), new Set([second.digest]))

      // Three of four fit. With a tenth of room one more goes.
      await limit(Math.floor(full * 0.8))
      assert.deepEqual(await held(other), new Set())
      assert.deepEqual(await held(one), new Set([first.digest, pushed.digest, fourth.digest]))
      assert.ok((await bytes()) <= full * 0.8 * 0.9)

      const { tagMoves } = await ask<wire.ListTagMovesResponse>('ListTagMoves', { repositoryName: other })
      const moves = tagMoves.map(({ imageTag, imageDigest, cause }) => [imageTag, imageDigest, cause])
      assert.deepEqual(moves[0], ['v2', undefined, 'CACHE'])
      assert.deepEqual(await bin(other), new Set())
      const tags = await metadata.reader.selectFrom('cached_tag').select('tag').orderBy('tag').execute()
      assert.deepEqual(
        tags.map(({ tag }) => tag),
        ['v1', 'v4'],
      )
      const metrics = await readMetrics(server)
      assert.equal(metrics.get('lading_cache_evicted_images_total'), 2)
      assert.equal(metrics.get('lading_cache_evicted_bytes_total'), full - (await bytes()))
    })

    test('an index goes with its children and cached referrers, and leaves what was pushed or has a tag', async (t) => {
      const { metadata, repository, cache, push, move, limit, held } = await open(t)
      const name = await repository('quay/app')
      const [amd, arm] = [
        image({ seed: 'amd', platform: amd64, layers: [layerBytes] }),
        image({ seed: 'arm', platform: arm64, layers: [layerBytes] }),
      ]
      const [shared, tagged] = [
        image({ seed: 'shared', layers: [layerBytes] }),
        image({ seed: 'tagged', layers: [layerBytes] }),
      ]
      await cache(name, index({ children: [amd, arm, shared, tagged] }), 'latest')
      const both = index({ children: [amd, arm, shared, tagged] })
      const keeper = index({ children: [shared] })
      await push(name, keeper, 'own')
      const id = await markCached(metadata, name, [])
      await push(name, tagged, 'by-name')
      await markTagCached(metadata, id, 'by-name', { digest: tagged.digest })
      const [signature, own] = [image({ seed: 'sig', subject: amd }), image({ seed: 'own', subject: both })]
      await cache(name, signature)
      await push(name, own)
      const retagged = large('retagged')
      await cache(name, retagged, 'v1')
      await push(name, retagged, 'by-hand')
      move(20 * minuteMs)
      await limit(layerBytes * 3)
      assert.deepEqual(
        await held(name),
        new Set([keeper.digest, shared.digest, tagged.digest, own.digest, retagged.digest]),
      )
      move(2 * hourMs)
      await limit(layerBytes)
      // What was pushed and what its tag or index keeps stays under any limit.
      assert.deepEqual(await held(name), new Set([keeper.digest, shared.digest, own.digest, retagged.digest]))
    })

    test('an image that is kept in use stays, and one that was used a moment ago waits for its turn', async (t) => {
      const { repository, cache, pull, move, limit, held, ask, report, keepInRegistry, done } = await open(t)
      const name = await repository('quay/app')
      const [used, recent, idle] = [large('used'), large('recent'), large('idle')]
      for (const each of [used, recent, idle]) await cache(name, each)
      await keepInRegistry(true)
      move(hourMs)
      // What the hour asks for is over before the limit is set, so that no job runs while the clock moves.
      await done('find-full-caches')
      await report('prod', [[name, used]])
      await pull(name, recent)
      await limit(1)
      assert.deepEqual(await held(name), new Set([used.digest, recent.digest]))
      move(15 * minuteMs)
      await done('evict-cached-images')
      assert.deepEqual(await held(name), new Set([used.digest]))
      await ask('DeleteInUseReport', { cluster: 'prod' })
      move(hourMs + minuteMs)
      await done('find-full-caches')
      await done('evict-cached-images')
      assert.deepEqual(await held(name), new Set())
    })

    test('an image that a client pushes after its copy went is a pushed one, and stays', async (t) => {
      const { metadata, repository, cache, push, move, limit, held, ecr, ask } = await open(t)
      const name = await repository('quay/app')
      const [deleted, evicted] = [large('deleted'), large('evicted')]
      await cache(name, deleted, 'v1')
      await ecr().batchDeleteImage({ repositoryName: name, imageIds: [{ imageDigest: deleted.digest }] })
      await cache(name, evicted, 'v2')
      move(20 * minuteMs)
      await limit(1)
      assert.deepEqual(await held(name), new Set())
      const known = await metadata.reader.selectFrom('cached_image').select('digest').execute()
      assert.ok(!known.some(({ digest }) => digest === evicted.digest))

      for (const each of [deleted, evicted]) await push(name, each)
      await push(name, deleted, 'v1')
      const origin = await ask<wire.DescribeImageOriginResponse>('DescribeImageOrigin', {
        repositoryName: name,
        imageDigest: deleted.digest,
      })
      assert.equal(origin.origin, 'PUSHED')
      await cache(name, large('other'), 'v3')
      move(20 * minuteMs)
      await limit(2)
      assert.deepEqual(await held(name), new Set([deleted.digest, evicted.digest]))
    })

    test('a crowd of images asks for one look at the limit, a minute later', async (t) => {
      const { metadata, limit, clock } = await open(t)
      await limit(1)
      const [rule] = await readLimitedRules(metadata.reader)
      assert.ok(rule)
      const now = clock() + hourMs
      for (const ms of [0, 1, 2]) await metadata.transaction((trx) => requestEviction(trx, rule, now + ms))
      await metadata.transaction((trx) =>
        requestEviction(trx, { ...rule, settings: { ...rule.settings, maxBytes: 'unlimited' } }, now - hourMs),
      )
      const jobs = await metadata.reader
        .selectFrom('job')
        .select('run_at')
        .where('kind', '=', 'evict-cached-images')
        .where('state', '=', 'waiting')
        .execute()
      assert.deepEqual(jobs, [{ run_at: now + minuteMs }])
    })

    test('the bytes of evicted images are gone two hours later, and an event says what went', async (t) => {
      const { metadata, repository, cache, move, limit, done, ecr, oci } = await open(t)
      const name = await repository('quay/app')
      const [gone, stays] = [large('gone'), large('stays')]
      await cache(name, gone, 'v1')
      await cache(name, stays, 'v2')
      move(20 * minuteMs)
      await limit(layerBytes * 1.5)
      const blobs = async () => {
        const rows = await metadata.reader.selectFrom('blob').select('digest').execute()
        return new Set(rows.map(({ digest }) => digest))
      }
      const digestsOf = ({ blobs }: Image) => blobs.map(({ digest }) => digest)
      const [lost] = digestsOf(gone)
      // It is not served from here, and the upstream of this rule does not answer.
      assert.equal((await oci.call('GET', `/v2/${name}/blobs/${lost}`)).status, 503)
      move(2 * hourMs)
      await done('collect-garbage')
      assert.deepEqual(await blobs(), new Set(digestsOf(stays)))

      const selectEvents = metadata.reader.selectFrom('audit_event').select('record')
      const events = () => selectEvents.where('name', '=', 'CachedImagesEvicted').execute()
      await until(async () => (await events()).length > 0)
      const [event] = await events()
      assert.deepEqual(JSON.parse(event?.record ?? '{}').serviceEventDetails, {
        ...{ ecrRepositoryPrefix: 'quay', repositoryName: name },
        images: [{ imageDigest: gone.digest, imageTags: ['v1'] }],
      })
      assert.equal((await ecr().describeImages({ repositoryName: name })).imageDetails?.length, 1)
    })
  })
})
