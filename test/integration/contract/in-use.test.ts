/** Keeping what runs, over HTTP on both planes: what is reported stays where that is wanted, for as long as it is, and nothing else. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type * as wire from '#admin/model.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { refusalOf } from '#test/support/ecr-session.ts'
import { amd64, arm64, artifact, type Image, image, index } from '#test/support/images/build.ts'
import { type Named, openRetentionStage } from '#test/support/retention-stage.ts'
import { until } from '#test/support/until.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

eachDatabase(({ dialect, url }) => {
  describe(`images in use, on ${dialect}`, () => {
    const stage = async (t: TestContext) => openRetentionStage(t, await url())

    test('what a cluster runs cannot be deleted or archived on either plane, and goes once it runs no more', async (t) => {
      const { repository, push, report, delete: remove, ecr, oci, ask } = await stage(t)
      const repositoryName = await repository()
      const running = image({ seed: 'running' })
      const idle = image({ seed: 'idle' })
      await push(repositoryName, running, 'v1', 'v2', 'v3')
      await push(repositoryName, idle, 'old')
      const { report: taken, unknownImageCount } = await report('prod', [
        [repositoryName, running],
        [repositoryName, running],
      ])
      assert.deepEqual([taken.imageCount, unknownImageCount], [1, 0])
      const told = new Date(Number(taken.expiresAt) * 1_000).toISOString()

      const byDigest = { imageDigest: running.digest }
      const failure = {
        failureCode: 'ImageReferencedByManifestList',
        failureReason: `Requested image ${running.digest} is in use: cluster 'prod' until ${told}`,
      }
      assert.deepEqual(await remove(repositoryName, byDigest, { imageDigest: idle.digest }), {
        gone: 1,
        failures: [{ imageId: byDigest, ...failure }],
      })
      const path = `/v2/${repositoryName}/manifests`
      const denied = await oci.call('DELETE', `${path}/${running.digest}`)
      assert.deepEqual([denied.status, denied.error], [403, 'DENIED'])
      assert.equal(
        denied.message,
        `${failure.failureReason}. Stop what runs it and report again what is in use, or delete the report of a cluster that is gone: lading in-use delete <cluster>`,
      )
      const archive = { repositoryName, imageId: byDigest, targetStorageClass: 'ARCHIVE' } as const
      assert.deepEqual(await refusalOf(ecr().updateImageStorageClass(archive)), {
        ...{ name: 'ImageStorageClassUpdateNotSupportedException', status: 400, message: failure.failureReason },
      })
      const gone = await refusalOf(ecr().deleteRepository({ repositoryName, force: true }))
      assert.equal(gone.name, 'RepositoryNotEmptyException')
      assert.match(gone.message, /because it still contains images that are in use: .*cluster 'prod' until /)

      // Tags may go, but for one that would take the image along.
      assert.equal((await oci.call('DELETE', `${path}/v1`)).status, 202)
      assert.deepEqual(await remove(repositoryName, { imageTag: 'v2' }), { gone: 1, failures: [] })
      const last = { imageTag: 'v3' }
      assert.deepEqual(await remove(repositoryName, last), { gone: 0, failures: [{ imageId: last, ...failure }] })
      assert.equal((await oci.call('DELETE', `${path}/v3`)).status, 202)
      assert.equal((await oci.call('GET', `${path}/${running.digest}`)).status, 200)

      await ask('DeleteInUseReport', { cluster: 'prod' })
      await ecr().updateImageStorageClass(archive)
      assert.equal((await remove(repositoryName, byDigest)).gone, 1)
      await ecr().deleteRepository({ repositoryName, force: true })
    })

    test('a report replaces the one before, whole, and counts for its repository alone', async (t) => {
      const { repository, push, report, delete: remove } = await stage(t)
      const [here, there] = [await repository(), await repository()]
      const [first, second] = [image({ seed: 'first' }), image({ seed: 'second' })]
      for (const name of [here, there]) for (const each of [first, second]) await push(name, each)
      await report('prod', [[here, first]])
      await report('test', [[here, second]])
      const replaced = await report('prod', [
        [here, second],
        [here, image({ seed: 'never pushed' })],
        ['no/such', first],
      ])
      assert.deepEqual([replaced.report.imageCount, replaced.unknownImageCount], [3, 2])
      assert.equal((await remove(here, { imageDigest: first.digest })).gone, 1)
      assert.equal((await remove(there, { imageDigest: second.digest })).gone, 1)
      const [failure] = (await remove(here, { imageDigest: second.digest })).failures
      assert.match(failure?.failureReason ?? '', /cluster 'prod' until \S+, cluster 'test' until \S+$/)
      await report('prod', [])
      const [other] = (await remove(here, { imageDigest: second.digest })).failures
      assert.match(other?.failureReason ?? '', /is in use: cluster 'test' until \S+$/)
    })

    test('nothing is kept unless the repository or its registry says so, and the repository has the last word', async (t) => {
      const { repository, push, report, delete: remove, keepInRegistry, ask, ecr } = await stage(t)
      const kept = async (keepInUse: wire.KeepInUse) => {
        const repositoryName = await repository(keepInUse)
        const running = image({ seed: repositoryName })
        await push(repositoryName, running)
        await report('prod', [[repositoryName, running]])
        const { failures } = await remove(repositoryName, { imageDigest: running.digest })
        const { keepInUse: own, keepsInUse } = await ask<wire.GetRepositoryRetentionResponse>(
          'GetRepositoryRetention',
          { repositoryName },
        )
        assert.equal(own, keepInUse)
        assert.equal(keepsInUse, failures.length > 0)
        return keepsInUse
      }
      const { repositoryName: fresh = '' } =
        (await ecr().createRepository({ repositoryName: 'fresh/app' })).repository ?? {}
      assert.equal(
        (await ask<wire.GetRepositoryRetentionResponse>('GetRepositoryRetention', { repositoryName: fresh })).keepInUse,
        'INHERITED',
      )
      assert.deepEqual([await kept('INHERITED'), await kept('ENABLED'), await kept('DISABLED')], [false, true, false])
      await keepInRegistry(true)
      assert.deepEqual([await kept('INHERITED'), await kept('ENABLED'), await kept('DISABLED')], [true, true, false])
    })

    test('an index stays for its child, its children and signatures stay for it, and other indexes go', async (t) => {
      const { repository, push, report, delete: remove, oci, ecr } = await stage(t)
      const repositoryName = await repository()
      const children = [amd64, arm64].map((platform) => image({ platform, seed: 'app' }))
      const [running, other] = children as [Image, Image]
      const both = index({ children })
      const bystander = index({ children: [other], annotations: { for: 'arm' } })
      const signature = artifact({ artifactType: 'application/x.signature', subject: both })
      const unrelated = artifact({ artifactType: 'application/x.signature', subject: bystander })
      for (const each of [both, bystander, signature, unrelated]) await push(repositoryName, each)
      await report('prod', [[repositoryName, running]])
      const asked = [running, other, both, bystander, signature, unrelated].map(({ digest }) => ({
        imageDigest: digest,
      }))
      const { gone, failures } = await remove(repositoryName, ...asked)
      const reasons = failures.map(({ imageId, failureReason = '' }) => [
        imageId?.imageDigest,
        /in use|referenced/.exec(failureReason)?.[0],
      ])
      assert.equal(gone, 2)
      assert.deepEqual(
        new Map(reasons as [string, string][]),
        new Map([
          [running.digest, 'referenced'],
          [other.digest, 'referenced'],
          [both.digest, 'in use'],
          [signature.digest, 'in use'],
        ]),
      )
      const path = `/v2/${repositoryName}/manifests`
      assert.equal((await oci.call('DELETE', `${path}/${signature.digest}`)).error, 'DENIED')
      for (const { digest } of [both, signature]) {
        const archived = ecr().updateImageStorageClass({
          ...{ repositoryName, imageId: { imageDigest: digest }, targetStorageClass: 'ARCHIVE' },
        })
        assert.equal((await refusalOf(archived)).name, 'ImageStorageClassUpdateNotSupportedException')
      }
      assert.equal((await oci.call('GET', `${path}/${both.digest}`)).status, 200)

      // Runtimes that name the index keep the same.
      await report('prod', [[repositoryName, both]])
      assert.equal((await remove(repositoryName, ...asked.slice(0, 4))).gone, 0)
    })

    test('what refers to an image in use by its subject is not archived with that either way', async (t) => {
      const { repository, push, report, ecr } = await stage(t)
      const repositoryName = await repository()
      const subject = image({ seed: 'subject' })
      const plugin = artifact({ artifactType: 'application/wasm', subject })
      await push(repositoryName, subject, 'v1')
      await push(repositoryName, plugin)
      await report('edge', [[repositoryName, plugin]])
      const imageId = { imageTag: 'v1' }
      await ecr().updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'ARCHIVE' })
      const { imageDetails = [] } = await ecr().describeImages({ repositoryName, filter: { imageStatus: 'ANY' } })
      assert.deepEqual(
        new Map(imageDetails.map(({ imageDigest, imageStatus }) => [imageDigest, imageStatus])),
        new Map([
          [subject.digest, 'ARCHIVED'],
          [plugin.digest, 'ACTIVE'],
        ]),
      )
    })

    test('a report that has expired keeps nothing at once, is told to nobody, and is taken away by a job', async (t) => {
      const { repository, push, report, delete: remove, move, ask, refused, metadata } = await stage(t)
      const repositoryName = await repository()
      const [short, long] = [image({ seed: 'short' }), image({ seed: 'long' })]
      for (const each of [short, long]) await push(repositoryName, each)
      await report('short', [[repositoryName, short]], { ttlSeconds: 300 })
      await report('long', [[repositoryName, long]])
      move(5 * minuteMs - 5_000)
      assert.equal((await remove(repositoryName, { imageDigest: short.digest })).gone, 0)
      move(5_000)
      assert.equal((await remove(repositoryName, { imageDigest: short.digest })).gone, 1)
      const { reports } = await ask<wire.ListInUseReportsResponse>('ListInUseReports', {})
      assert.deepEqual(
        reports.map(({ cluster }) => cluster),
        ['long'],
      )
      const { images } = await ask<wire.ListImagesInUseResponse>('ListImagesInUse', {})
      assert.deepEqual(
        images.map(({ imageDigest }) => imageDigest),
        [long.digest],
      )
      assert.equal((await refused('DeleteInUseReport', { cluster: 'short' })).__type, 'InUseReportNotFoundException')

      const rows = async () => {
        const [reports, images] = await Promise.all([
          metadata.reader.selectFrom('in_use_report').select('cluster').execute(),
          metadata.reader.selectFrom('in_use_image').select('cluster').execute(),
        ])
        return [...reports, ...images].map(({ cluster }) => cluster)
      }
      assert.deepEqual(new Set(await rows()), new Set(['long', 'short']))
      move(hourMs)
      await until(async () => !(await rows()).includes('short'))
      assert.deepEqual(await rows(), ['long', 'long'])
      move(22 * hourMs)
      assert.equal((await remove(repositoryName, { imageDigest: long.digest })).gone, 0)
      move(hourMs)
      assert.equal((await remove(repositoryName, { imageDigest: long.digest })).gone, 1)
    })

    test('no report that replaces another leaves a moment in which what is in both can be deleted', async (t) => {
      const { repository, push, report, delete: remove } = await stage(t)
      const repositoryName = await repository()
      const running = image({ seed: 'running' })
      await push(repositoryName, running)
      const others = [1, 2].map((side) =>
        Array.from({ length: 200 }, (_, number): Named => [repositoryName, image({ seed: `${side} ${number}` })]),
      )
      await report('prod', [[repositoryName, running]])
      const reported = new AbortController()
      const deleting = (async () => {
        let attempts = 0
        for (; !reported.signal.aborted; attempts++) {
          assert.equal((await remove(repositoryName, { imageDigest: running.digest })).gone, 0)
        }
        return attempts
      })()
      for (let round = 0; round < 20; round++) {
        await report('prod', [...(others[round % 2] ?? []), [repositoryName, running]])
      }
      reported.abort()
      assert.ok((await deleting) > 5)
    })

    test('a report that was answered keeps its images from whoever deletes after that, whatever others report', async (t) => {
      const { repository, push, report, delete: remove } = await stage(t)
      const repositoryName = await repository()
      const images = Array.from({ length: 12 }, (_, number) => image({ seed: `race ${number}` }))
      for (const each of images) await push(repositoryName, each)
      const kept = await Promise.all(
        images.map(async (each, number) => {
          const imageId = { imageDigest: each.digest }
          // Every other one is deleted while it is being reported: one of the two is first.
          if (number % 2 === 0) {
            await report(`cluster-${number}`, [[repositoryName, each]])
            return (await remove(repositoryName, imageId)).gone === 0
          }
          const [{ unknownImageCount }, { gone }] = await Promise.all([
            report(`cluster-${number}`, [[repositoryName, each]]),
            remove(repositoryName, imageId),
          ])
          // Whoever was told that the image is there may have been told so just before it went, but never the other way round.
          return unknownImageCount === 0 || gone === 1
        }),
      )
      assert.deepEqual(
        kept,
        images.map(() => true),
      )
    })

    test('twenty thousand images with the longest names fit into a report, and no more', async (t) => {
      const { ask, refused } = await stage(t)
      const imagesOf = (count: number, from = 0) =>
        Array.from({ length: count }, (_, number) => ({
          repositoryName: `${'a'.repeat(250)}${String(from + number).padStart(6, '0')}`,
          imageDigest: `sha512:${String(from + number).padStart(128, '0')}`,
        }))
      const big = await ask<wire.ReportImagesInUseResponse>('ReportImagesInUse', {
        ...{ cluster: 'prod', images: imagesOf(20_000) },
      })
      assert.deepEqual([big.report.imageCount, big.unknownImageCount], [20_000, 20_000])
      const more = await refused('ReportImagesInUse', { cluster: 'prod', images: imagesOf(20_001) })
      assert.match(more.message, /length less than or equal to 20000/)
      for (const ttlSeconds of [299, 2_592_001]) {
        const { message } = await refused('ReportImagesInUse', { cluster: 'prod', images: [], ttlSeconds })
        assert.match(message, /ttlSeconds/i)
      }
      const next = await ask<wire.ReportImagesInUseResponse>('ReportImagesInUse', {
        ...{ cluster: 'prod', images: imagesOf(10_000, 15_000), ttlSeconds: 2_592_000 },
      })
      assert.equal(next.report.imageCount, 10_000)
      const { reports } = await ask<wire.ListInUseReportsResponse>('ListInUseReports', {})
      assert.deepEqual(
        reports.map(({ imageCount }) => imageCount),
        [10_000],
      )
    })

    test('a registry has reports of a thousand clusters, and one that has expired makes room for another', async (t) => {
      const { report, refused, server, metadata, clock, ask } = await stage(t)
      const { account, region } = server
      const rows = Array.from({ length: 1_000 }, (_, number) => ({
        ...{ account, region, cluster: `cluster-${number}`, reported_at: 0, reported_by: 'somebody' },
        expires_at: number < 2 ? clock() - number : clock() + hourMs,
      }))
      await metadata.transaction(async (trx) => {
        await trx.insertInto('in_use_report').values(rows).execute()
        const image = { repository: 'team/app', digest: `sha256:${'0'.repeat(64)}` }
        await trx
          .insertInto('in_use_image')
          .values({ account, region, cluster: 'cluster-1', ...image })
          .execute()
      })
      for (const cluster of ['one', 'two']) await report(cluster, [])
      const { __type, message } = await refused('ReportImagesInUse', { cluster: 'three', images: [] })
      assert.equal(__type, 'LimitExceededException')
      assert.match(message, /has reports of 1000 clusters already/)
      await report('one', [])
      await ask('DeleteInUseReport', { cluster: 'two' })
      await report('three', [])
      const { count } = await metadata.reader
        .selectFrom('in_use_report')
        .select((of) => of.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      assert.equal(Number(count), 1_000)
    })

    test('reports and images are listed page by page, each once, by cluster and by repository', async (t) => {
      const { ask, report, refused, server } = await stage(t)
      const clusters = ['blue', 'green', 'red']
      const all = ['a/app', 'b/app'].flatMap((name) =>
        [1, 2, 3].map((number): Named => [name, image({ seed: `${name} ${number}` })]),
      )
      for (const cluster of clusters) await report(cluster, all)
      const pagesOf = async <Item>(operation: string, input: object, itemsOf: (page: never) => readonly Item[]) => {
        const items: Item[] = []
        let nextToken: string | undefined
        do {
          const page = await ask<{ nextToken?: string }>(operation, { ...input, maxResults: 2, nextToken })
          items.push(...itemsOf(page as never))
          nextToken = page.nextToken
        } while (nextToken !== undefined)
        return items
      }
      const reports = await pagesOf('ListInUseReports', {}, ({ reports }: wire.ListInUseReportsResponse) => reports)
      assert.deepEqual(
        reports.map(({ cluster, imageCount, reportedBy }) => [cluster, imageCount, reportedBy]),
        clusters.map((cluster) => [cluster, 6, `arn:aws:iam::${server.account}:root`]),
      )
      const images = (input: object) =>
        pagesOf('ListImagesInUse', input, ({ images }: wire.ListImagesInUseResponse) =>
          images.map(({ repositoryName, imageDigest, cluster }) => `${repositoryName}@${imageDigest} ${cluster}`),
        )
      const expected = (of: readonly Named[], by: readonly string[]) =>
        of
          .flatMap(([name, { digest }]) => by.map((cluster) => `${name}@${digest} ${cluster}`))
          .sort((a, b) => (a < b ? -1 : 1))
      assert.deepEqual(await images({}), expected(all, clusters))
      assert.deepEqual(await images({ cluster: 'green' }), expected(all, ['green']))
      assert.deepEqual(await images({ repositoryName: 'b/app' }), expected(all.slice(3), clusters))
      assert.deepEqual(await images({ repositoryName: 'b/app', cluster: 'red' }), expected(all.slice(3), ['red']))
      const { nextToken } = await ask<{ nextToken: string }>('ListImagesInUse', { maxResults: 1 })
      const { __type } = await refused('ListImagesInUse', { maxResults: 1, cluster: 'red', nextToken })
      assert.equal(__type, 'InvalidParameterException')
    })

    test('previews leave out what is in use, and say why where they tell of every image', async (t) => {
      const { repository, push, report, ecr, ask } = await stage(t)
      const repositoryName = await repository()
      const images = [1, 2, 3].map((number) => image({ seed: `v${number}` }))
      for (const [place, each] of images.entries()) await push(repositoryName, each, `v${place + 1}`)
      const [oldest, older] = images as [Image, Image]
      await report('prod', [[repositoryName, oldest]])
      const lifecyclePolicyText = JSON.stringify({
        rules: [
          {
            rulePriority: 1,
            selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 },
            action: { type: 'expire' },
          },
        ],
      })
      await ecr().startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText })
      const preview = () => ecr().getLifecyclePolicyPreview({ repositoryName })
      await until(async () => (await preview()).status === 'COMPLETE')
      const { previewResults = [] } = await preview()
      assert.deepEqual(
        previewResults.map(({ imageDigest }) => imageDigest),
        [older.digest],
      )
      const whatIf = await ask<wire.PreviewLifecycleResponse>('PreviewLifecycle', {
        ...{ repositoryName, lifecyclePolicyText, verdicts: ['BLOCKED'] },
      })
      assert.deepEqual(
        whatIf.images.map(({ imageDigest, inUseBy }) => [imageDigest, inUseBy?.map(({ cluster }) => cluster)]),
        [[oldest.digest, ['prod']]],
      )
      assert.match(
        whatIf.images[0]?.reason ?? '',
        /^in use: cluster 'prod' until \S+; else rule 1 applies: 3rd youngest/,
      )
    })
  })
})
