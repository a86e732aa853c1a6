/** When policies are applied: each at least once a day, and again soon where too much went on for a run to come to its end. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ecrQuotas } from '#config/quotas.ts'
import type { Worker } from '#jobs/worker.ts'
import { createLifecycleWorkers } from '#lifecycle/jobs.ts'
import { createLifecyclePolicies } from '#lifecycle/policies.ts'
import { findLifecyclePolicyOf } from '#lifecycle/policy-rows.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createImageDeletion } from '#registry/image-deletion.ts'
import { createImagePush } from '#registry/image-push.ts'
import { createRepositories } from '#registry/repositories.ts'
import { type Databases, eachDatabase } from '#test/support/databases.ts'
import { index } from '#test/support/images/build.ts'

const hourMs = 3_600_000
const registry = { account: parseAccountId('123456789012'), region: parseRegion('eu-west-1') }
const text = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 },
      action: { type: 'expire' },
    },
  ],
})

async function stage(t: TestContext, databases: Databases) {
  const metadata = await databases.open(t)
  let now = Date.UTC(2026, 10, 25)
  const parts = { metadata, clock: () => now, quotas: ecrQuotas }
  const repositories = createRepositories({ ...parts, repositoryCreated: [] })
  const { signal } = new AbortController()
  return {
    parts,
    move: (ms: number) => {
      now += ms
    },
    async repository(name: string) {
      const key = { registry, name: parseRepositoryName(name) }
      const { id } = await repositories.create(key, {})
      await createLifecyclePolicies(parts).put(key, text)
      return { key, id }
    },
    async work(kind: string, payload: object, through: Metadata = metadata) {
      const runner = { ...parts, metadata: through, flushPulls: async () => {}, onExecuted: async () => {} }
      const worker: Worker | undefined = createLifecycleWorkers(runner).find((each) => each.kind === kind)
      return worker?.work(payload, { signal })
    },
    /** The repositories for which a run is asked, and those jobs are gone. */
    async asked() {
      return metadata.transaction(async (trx) => {
        const jobs = await trx.deleteFrom('job').where('kind', '=', 'lifecycle-run').returning('key').execute()
        return jobs.map(({ key }) => Number(key)).sort((a, b) => a - b)
      })
    },
  }
}

eachDatabase((databases) =>
  describe(`lifecycle jobs on ${databases.dialect}`, () => {
    test('a policy that was not applied for a day by the next look is due, and no other', async (t) => {
      const { repository, work, asked, move } = await stage(t, databases)
      const [early, late, never] = [await repository('early'), await repository('late'), await repository('never')]
      assert.deepEqual(await asked(), [early.id, late.id, never.id], 'each was asked for when it was put')
      await work('lifecycle-run', { repositoryId: early.id })
      move(1)
      await work('lifecycle-run', { repositoryId: late.id })
      move(23 * hourMs - 1)
      assert.equal(await work('find-due-lifecycle-policies', {}), 'done')
      assert.deepEqual(await asked(), [early.id, never.id])
      move(1)
      await work('find-due-lifecycle-policies', {})
      assert.deepEqual(await asked(), [early.id, late.id, never.id])
    })

    test('a policy that was just put waits for its minute, whoever looks for what is due or runs just then', async (t) => {
      const { parts, repository, work, move } = await stage(t, databases)
      const { metadata, clock } = parts
      const { key, id: repositoryId } = await repository('new')
      for (const at of ['1', '2']) {
        const { bytes: body, mediaType } = index({ children: [], annotations: { at } })
        await createImagePush(parts).put(key, { body, mediaType, by: '' })
      }
      const jobs = () => metadata.reader.selectFrom('job').select(['state', 'run_at']).execute()
      const dueAt = clock() + 60_000
      move(30_000)
      await work('find-due-lifecycle-policies', {})
      assert.deepEqual(await jobs(), [{ state: 'waiting', run_at: dueAt }])
      await createLifecyclePolicies(parts).put(key, text)
      assert.deepEqual(await jobs(), [{ state: 'waiting', run_at: dueAt + 30_000 }])
      // One that was taken just before.
      assert.equal(await work('lifecycle-run', { repositoryId }), 'done')
      assert.equal((await metadata.reader.selectFrom('manifest').select('digest').execute()).length, 2)
      assert.equal((await findLifecyclePolicyOf(metadata.reader, repositoryId))?.lastEvaluatedAt, undefined)
    })

    test('a run that others do not let come to an end is tried again in a minute', async (t) => {
      const { parts, repository, work, asked } = await stage(t, databases)
      const { metadata, clock } = parts
      const { key, id: repositoryId } = await repository('busy')
      assert.deepEqual(await asked(), [repositoryId])
      const images = Array.from({ length: 20 }, (_, at) => index({ children: [], annotations: { at: `${at}` } }))
      for (const { bytes: body, mediaType } of images)
        await createImagePush(parts).put(key, { body, mediaType, by: '' })
      const deletion = createImageDeletion(parts)
      /** In which somebody else is always faster. */
      const busy: Metadata = Object.create(metadata, {
        reader: { get: () => metadata.reader },
        snapshot: { value: metadata.snapshot.bind(metadata) },
        transaction: {
          value: async (work: Parameters<Metadata['transaction']>[0]) => {
            const image = images.pop()
            if (image !== undefined) await deletion.deleteAll(key, [{ digest: image.digest }], '')
            return metadata.transaction(work)
          },
        },
      })
      const outcome = await work('lifecycle-run', { repositoryId }, busy)
      assert.deepEqual(outcome, { again: { repositoryId }, at: clock() + 60_000 })
      const left = await metadata.reader.selectFrom('manifest').select('digest').execute()
      assert.equal(left.length, images.length, 'it took nothing')
      assert.equal(await work('lifecycle-run', { repositoryId }), 'done')
    })
  }),
)
