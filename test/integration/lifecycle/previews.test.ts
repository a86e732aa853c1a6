/** Lifecycle previews over real databases, with the clock in hand: how they end, whoever makes them. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ecrQuotas } from '#config/quotas.ts'
import { createLifecyclePreviews } from '#lifecycle/previews.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createRepositories } from '#registry/repositories.ts'
import { type Databases, eachDatabase } from '#test/support/databases.ts'

const key = {
  registry: { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') },
  name: parseRepositoryName('team/app'),
}
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const policy = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 },
      action: { type: 'expire' },
    },
  ],
})
const everything = { tagStatus: 'ANY' } as const

const hex = (number: number) => number.toString(16).padStart(64, '0')

const rowsAtOnce = 500

async function pushImages(metadata: Metadata, count: number): Promise<void> {
  await metadata.transaction(async (trx) => {
    const { id } = await trx.selectFrom('repository').select('id').executeTakeFirstOrThrow()
    const images = Array.from({ length: count }, (_, number) => ({
      ...{ repository_id: id, digest: `sha256:${hex(number)}`, media_type: 'a/b', image_size: 0 },
      ...{ pushed_at: number, artifact_type: null, subject: null, pulled_at: null },
    }))
    for (let from = 0; from < count; from += rowsAtOnce) {
      const some = images.slice(from, from + rowsAtOnce)
      await trx.insertInto('manifest').values(some).execute()
    }
  })
}

/** A repository, and previews by a clock that the test moves. */
async function start(databases: Databases, t: TestContext) {
  const metadata = await databases.open(t)
  let time = Date.UTC(2026, 10, 25)
  const clock = () => time
  await createRepositories({ metadata, clock, quotas: ecrQuotas, repositoryCreated: [] }).create(key, {})
  const errors: unknown[] = []
  const make = () =>
    createLifecyclePreviews({
      ...{ metadata, clock, quotas: ecrQuotas, flushPulls: async () => {} },
      onError: (error) => errors.push(error),
    })
  const previews = make()
  t.after(async () => {
    await previews.stop()
    assert.deepEqual(errors, [])
  })
  return { metadata, previews, make, pass: (ms: number) => (time += ms) }
}

async function until<T>(ask: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask()
    if (done(value)) return value
    await new Promise(setImmediate)
  }
}

eachDatabase((databases) =>
  describe(`lifecycle previews (${databases.dialect})`, () => {
    test('between two batches of results other work gets its turn', async (t) => {
      const { metadata, previews } = await start(databases, t)
      await pushImages(metadata, 12_500)
      await previews.start(key, policy)
      const written = new Set<number>()
      await until(
        async () => {
          const results = metadata.reader.selectFrom('lifecycle_preview_page').select('number')
          written.add((await results.execute()).length)
          return previews.get(key)
        },
        ({ status }) => status === 'COMPLETE',
      )
      assert(written.size > 2, `seen after ${[...written].join(', ')} pages`)
    })

    test('more results than a batch holds come complete, in order, and page by page', async (t) => {
      const { metadata, previews } = await start(databases, t)
      await pushImages(metadata, 2_500)
      await previews.start(key, policy)
      const preview = await until(
        () => previews.get(key),
        ({ status }) => status !== 'IN_PROGRESS',
      )
      assert.equal(preview.status, 'COMPLETE')
      assert.deepEqual(preview.counts, { expire: 2_499, transition: 0 })
      const digests: string[] = []
      for (let after: number | undefined; ; ) {
        const { items, next } = await previews.listResults(preview, everything, { limit: 1_000, after })
        digests.push(...items.map(({ digest }) => digest))
        if (next === undefined) break
        after = next
      }
      assert.deepEqual(
        digests,
        Array.from({ length: 2_499 }, (_, number) => `sha256:${hex(number)}`),
      )
    })

    test('a preview whose process has died is failed after some minutes, and starts again', async (t) => {
      const { metadata, previews, pass } = await start(databases, t)
      await previews.start(key, policy)
      await until(
        () => previews.get(key),
        ({ status }) => status === 'COMPLETE',
      )
      await metadata.transaction((trx) => trx.updateTable('lifecycle_preview').set({ status: 'IN_PROGRESS' }).execute())
      await assert.rejects(previews.start(key, policy), { code: 'LifecyclePreviewInProgress' })
      pass(5 * minuteMs)
      assert.equal((await previews.get(key)).status, 'IN_PROGRESS')
      pass(1)
      assert.equal((await previews.get(key)).status, 'FAILED')
      await previews.start(key, policy)
      await until(
        () => previews.get(key),
        ({ status }) => status === 'COMPLETE',
      )
    })

    test('a preview that is complete expires after a day, and shows nothing any more', async (t) => {
      const { metadata, previews, pass } = await start(databases, t)
      await pushImages(metadata, 2)
      await previews.start(key, policy)
      const preview = await until(
        () => previews.get(key),
        ({ status }) => status === 'COMPLETE',
      )
      pass(dayMs)
      const later = await previews.get(key)
      assert.equal(later.status, 'COMPLETE')
      assert.equal((await previews.listResults(preview, everything, { limit: 10 })).items.length, 1)
      pass(1)
      const expired = await previews.get(key)
      assert.equal(expired.status, 'EXPIRED')
      assert.deepEqual(await previews.listResults(expired, everything, { limit: 10 }), { items: [] })
    })

    test('what is under way when the server stops has failed, and can be started elsewhere at once', async (t) => {
      const { metadata, previews, make } = await start(databases, t)
      await pushImages(metadata, 50)
      const stopped = make()
      await stopped.start(key, policy)
      await stopped.stop()
      assert.equal((await previews.get(key)).status, 'FAILED')
      await previews.start(key, policy)
      await until(
        () => previews.get(key),
        ({ status }) => status === 'COMPLETE',
      )
    })

    test('two starts at once leave one preview, and whoever is refused is told why', async (t) => {
      const { previews } = await start(databases, t)
      const outcomes = await Promise.allSettled([previews.start(key, policy), previews.start(key, policy)])
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
      const { status } = await until(
        () => previews.get(key),
        (preview) => preview.status !== 'IN_PROGRESS',
      )
      assert.equal(status, 'COMPLETE')
      assert.ok(refused.length <= 1)
      for (const { code } of refused) assert.equal(code, 'LifecyclePreviewInProgress')
    })

    test('a repository that is deleted meanwhile takes its preview along, without an error', async (t) => {
      const { metadata, previews } = await start(databases, t)
      await pushImages(metadata, 1_500)
      await previews.start(key, policy)
      await metadata.transaction(async (trx) => {
        await trx.deleteFrom('manifest').execute()
        await trx.deleteFrom('repository').execute()
      })
      await previews.stop()
      const left = await metadata.reader.selectFrom('lifecycle_preview_page').selectAll().execute()
      assert.deepEqual(left, [])
    })
  }),
)
