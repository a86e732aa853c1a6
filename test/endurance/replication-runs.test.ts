/** `lading replication sync` and `verify` against registries of other deployments. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Databases, eachDatabase } from '#test/support/databases.ts'
import { amd64, arm64, artifact, type Image, image, index } from '#test/support/images/build.ts'
import { type FarKind, startFarRegistry } from '#test/support/peers/far-registry.ts'
import { type Link, startLink } from '#test/support/peers/link.ts'
import { there } from '#test/support/peers/pair.ts'
import { contentOf, replicateTo, settled } from '#test/support/replication.ts'
import { runCommandsOf } from '#test/support/replication-runs.ts'
import { until } from '#test/support/until.ts'

const name = `${there.registryId}/${there.region}`
const complete = [`${name}: COMPLETE`]
const sizeOf = (...images: readonly Image[]) =>
  [...new Map(images.flatMap(({ blobs }) => blobs.map(({ digest, bytes }) => [digest, bytes.byteLength])))].reduce(
    (sum, [, size]) => sum + size,
    0,
  )

/** The kinds that speak as Lading or ECR, on each database; the plain registry on one. */
const kinds: readonly FarKind[] = ['lading', 'ecr', 'registry']

async function start(kind: FarKind, { url }: Databases, options: Parameters<typeof startFarRegistry>[1] = {}) {
  return startFarRegistry(kind, {
    ...options,
    source: { database: await url() },
    destination: { database: await url() },
  })
}

eachDatabase((databases) => {
  for (const kind of kinds) {
    const to = `${kind} (${databases.dialect})`

    test(`a back-fill sends what a dry run counts: ${to}`, async () => {
      await using far = await start(kind, databases)
      const { source } = far
      const lading = runCommandsOf(source)
      const [app, other] = [await source.repository(), await source.repository()]
      const tagged = image({ seed: 'tagged', layers: [20_000] })
      const untagged = image({ seed: 'untagged', layers: [30_000] })
      const children = [amd64, arm64].map((platform) => image({ seed: 'child', platform, layers: [40_000] }))
      const platforms = index({ children })
      const signature = artifact({ artifactType: 'application/vnd.example.signature', subject: tagged })
      const elsewhere = image({ seed: 'elsewhere', layers: [5_000] })
      const report = artifact({ artifactType: 'application/vnd.example.report', subject: elsewhere })
      await source.push(app, tagged, 'v1')
      await source.push(app, tagged, 'latest')
      await source.push(app, untagged)
      await source.push(app, platforms, 'multi')
      await source.push(app, signature)
      await source.push(other, tagged, 'v1')
      await source.push(other, elsewhere)
      await source.push(other, report, 'report')
      await replicateTo(source.ecr, [there])

      const mounts = kind !== 'ecr'
      /** Counts and then sends. */
      const both = async (...filters: string[]) => {
        const before = await lading.sentBytes()
        const counted = await lading.only('sync', '--dry-run', ...filters)
        assert.equal(await lading.sentBytes(), before)
        const run = await lading.only('sync', ...filters)
        const sent = (await lading.sentBytes()) - before
        assert.partialDeepStrictEqual(counted, { status: 'complete', toSend: run.toSend, sizeBytes: sent })
        return [run.listed, run.toSend, run.failed, sent]
      }
      assert.deepEqual(await both('--repository', app, '--tag', 'v*'), [2, 2, 0, sizeOf(tagged, signature)])
      assert.deepEqual([await far.find(app, 'v1'), await far.find(app, 'multi')], [tagged.digest, undefined])
      assert.equal(await far.find(app, 'latest'), tagged.digest)
      // The subject comes with it, which the filter does not choose.
      assert.deepEqual(await both('--tag', 'rep*'), [1, 1, 0, mounts ? sizeOf(elsewhere) : sizeOf(elsewhere, report)])
      // What another repository has is mounted. ECR does not mount unless an account setting says so.
      assert.deepEqual(await both('--repository', other), [3, 1, 0, mounts ? 0 : sizeOf(tagged)])
      assert.deepEqual(await both(), [9, 4, 0, sizeOf(untagged, ...children)])
      for (const { digest } of [tagged, untagged, platforms, signature, ...children]) {
        assert.equal(await far.find(app, digest), digest)
      }
      if (far.destination !== undefined) {
        assert.deepEqual(await contentOf(far.destination.ecr, app), await contentOf(source.ecr, app))
      }
      assert.partialDeepStrictEqual(await lading.only('verify'), {
        listed: 9,
        present: 9,
        missing: 0,
        tagsDiffering: 0,
      })
    })

    test(`a verification repairs what is missing, and not what is gone: ${to}`, async () => {
      await using far = await start(kind, databases)
      const { source } = far
      const lading = runCommandsOf(source)
      const app = await source.repository()
      const [kept, gone, before] = ['kept', 'gone', 'before'].map((seed) => image({ seed, layers: [2_000] }))
      assert.ok(kept && gone && before)
      await source.push(app, before, 'before')
      await replicateTo(source.ecr, [there])
      await source.push(app, kept, 'kept')
      await source.push(app, kept, 'also')
      await source.push(app, gone, 'gone')
      for (const { digest } of [kept, gone]) assert.deepEqual(await settled(source.ecr, app, digest), complete)
      await far.delete(app, gone.digest)
      await far.destination?.ecr.batchDeleteImage({ repositoryName: app, imageIds: [{ imageTag: 'also' }] })

      const trace = kind === 'lading' ? 'deleted' : 'lost'
      const tags =
        far.destination === undefined ? [] : [{ kind: trace, repository: app, tag: 'also', digest: kept.digest }]
      const found = await lading.only('verify')
      assert.deepEqual(
        await lading.findings(found),
        [
          { kind: trace, repository: app, digest: gone.digest },
          ...tags,
          { kind: 'missing', repository: app, digest: before.digest },
        ].sort((a, b) => (`${a.kind} ${a.digest}` < `${b.kind} ${b.digest}` ? -1 : 1)),
      )
      assert.partialDeepStrictEqual(await lading.only('verify', '--repair'), { toSend: 1, missing: 1, failed: 0 })
      assert.equal(await far.find(app, 'before'), before.digest)
      assert.partialDeepStrictEqual(await lading.only('sync'), { toSend: 0 })
      assert.equal(await far.find(app, gone.digest), undefined)

      const back = kind === 'lading' ? undefined : gone.digest
      await lading.only('sync', '--include-lost')
      assert.equal(await far.find(app, 'gone'), back)
      if (far.destination !== undefined) assert.equal(await far.find(app, 'also'), back && kept.digest)
    })

    test(`a run waits for a destination out of reach, and pauses: ${to}`, async () => {
      let link: Link | undefined
      await using stack = new AsyncDisposableStack()
      const far = await start(kind, databases, {
        through: async (url) => {
          const { hostname: host, port } = new URL(url)
          link = stack.use(await startLink({ to: () => ({ host, port: Number(port) }), reads: false }))
          return link.url
        },
      })
      stack.use(far)
      assert.ok(link)
      const { source } = far
      const lading = runCommandsOf(source)
      const app = await source.repository()
      const [before, after] = ['before', 'after'].map((seed) => image({ seed, layers: [2_000] }))
      assert.ok(before && after)
      await source.push(app, before, 'before')
      link.cut()
      await replicateTo(source.ecr, [there])
      await lading.run('replication', 'sync')
      const last = async () => {
        const { runs } = (await lading.json('replication', 'runs')) as { runs: Record<string, unknown>[] }
        return runs[0] ?? {}
      }
      await until(async () => (await last()).reason !== undefined)
      assert.partialDeepStrictEqual(await last(), { status: 'running', toSend: 0 })
      assert.match(await lading.run('replication', 'status'), /: sync \d+ is running: .*\S/)
      await lading.run('replication', 'sync', '--pause')
      link.mend()
      await source.push(app, after, 'after')
      assert.deepEqual(await settled(source.ecr, app, after.digest), complete)
      assert.equal(await far.find(app, 'before'), undefined)
      assert.partialDeepStrictEqual(await last(), { status: 'paused' })
      assert.partialDeepStrictEqual(await lading.only('sync', '--resume'), { status: 'complete', toSend: 1 })
      assert.equal(await far.find(app, 'before'), before.digest)

      link.cut()
      await lading.run('replication', 'verify')
      await until(async () => (await last()).reason !== undefined)
      link.mend()
      await lading.run('replication', 'retry')
      const started = Date.now()
      await until(async () => (await last()).status === 'complete')
      assert.ok(Date.now() - started < 20_000, 'retry also tries runs')
    })
  }
})
