/** A repository with a policy whose runs a test begins, by a clock that it moves, while others do something in it. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { ecrQuotas } from '#config/quotas.ts'
import type { PolicyExecution } from '#lifecycle/execution.ts'
import { createLifecyclePolicies } from '#lifecycle/policies.ts'
import { runLifecyclePolicy } from '#lifecycle/runner.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseTag } from '#names/tag.ts'
import { createImageDeletion } from '#registry/image-deletion.ts'
import { createImagePush } from '#registry/image-push.ts'
import { createInUseReports } from '#registry/in-use-reports.ts'
import { createPulls } from '#registry/pulls.ts'
import { createDeletedImages } from '#registry/recycle-bin/images.ts'
import { createRepositories } from '#registry/repositories.ts'
import { createRepositoryRetentions } from '#registry/repository-retention.ts'
import { createStorageClasses, type StorageClass } from '#registry/storage-class.ts'
import type { Databases } from '#test/support/databases.ts'
import type { Image } from '#test/support/images/build.ts'
import { dayMs } from '#test/unit/lifecycle/cases.ts'

const registry = { account: parseAccountId('123456789012'), region: parseRegion('eu-west-1') }
export const key = { registry, name: parseRepositoryName('team/app') }

export async function openRunStage(t: TestContext, databases: Databases, rules: readonly object[]) {
  return openRunStageIn(t, await databases.open(t), 'team/app', rules)
}

/** Several may share one database, each with its own repository. */
export async function openRunStageIn(t: TestContext, metadata: Metadata, name: string, rules: readonly object[]) {
  const key = { registry, name: parseRepositoryName(name) }
  let now = Date.now()
  const clock = () => now
  const parts = { metadata, clock, quotas: ecrQuotas }
  const { id } = await createRepositories({ ...parts, repositoryCreated: [] }).create(key, {})
  const policies = createLifecyclePolicies(parts)
  const put = (rules: readonly object[]) => policies.put(key, JSON.stringify({ rules }))
  await put(rules)
  const pulls = createPulls({ metadata, clock, onError: assert.ifError })
  t.after(() => pulls.stop())
  const pushes = createImagePush(parts)
  const deletion = createImageDeletion(parts)
  const classes = createStorageClasses(parts)
  const bin = createDeletedImages(parts)
  const { signal } = new AbortController()
  const told: PolicyExecution[] = []
  const images = () => metadata.reader.selectFrom('manifest').select('digest').where('repository_id', '=', id)
  return {
    id,
    metadata,
    told,
    put,
    async pull(image: Image) {
      pulls.record(id, image.digest, '')
      await pulls.flush()
    },
    pullInMemory: (image: Image) => pulls.record(id, image.digest, ''),
    async become(image: Image, storageClass: StorageClass) {
      now += 1_000
      await classes.update(key, { digest: image.digest }, { target: storageClass, by: '' })
    },
    async restore(image: Image) {
      now += 1_000
      await bin.restore(key, image.digest, '')
    },
    async keepInUse(image: Image) {
      await createRepositoryRetentions(parts).putKeepInUse(key, true)
      const images = [{ repository: key.name, digest: image.digest }]
      await createInUseReports(parts).report(key.registry, { cluster: 'prod', images, ttlMs: dayMs, by: '' })
    },
    move: (ms: number) => {
      now += ms
    },
    async push({ bytes: body, mediaType }: Image, tag?: string) {
      now += 1_000
      await pushes.put(key, { body, mediaType, by: '', ...(tag !== undefined && { tag: parseTag(tag) }) })
    },
    delete: (image: Image) => deletion.deleteAll(key, [{ digest: image.digest }], ''),
    deleteTag: (tag: string) => deletion.deleteAll(key, [{ tag: parseTag(tag) }], ''),
    /** As its job does once it was taken. `meanwhile` is done between evaluation and action of the first attempt. */
    run: async (meanwhile: () => Promise<unknown> = async () => {}) => {
      await metadata.transaction((trx) => trx.deleteFrom('job').where('kind', '=', 'lifecycle-run').execute())
      let met = false
      const met_ = metadata.transaction.bind(metadata)
      const watched: typeof metadata = Object.create(metadata, {
        reader: { get: () => metadata.reader },
        snapshot: { value: metadata.snapshot.bind(metadata) },
        transaction: {
          value: async (work: Parameters<typeof met_>[0]) => {
            if (!met) {
              met = true
              await meanwhile()
            }
            return met_(work)
          },
        },
      })
      const onExecuted = async (_: unknown, execution: PolicyExecution) => void told.push(execution)
      return runLifecyclePolicy({ metadata: watched, clock, flushPulls: pulls.flush, onExecuted }, id, signal)
    },
    left: async () => {
      const rows = await images().execute()
      return new Set<string>(rows.map(({ digest }) => digest))
    },
    active: async () => {
      const rows = await images().where('status', '=', 'ACTIVE').execute()
      return new Set<string>(rows.map(({ digest }) => digest))
    },
    lastEvaluatedAt: async () =>
      (await metadata.reader.selectFrom('lifecycle_policy').select('last_evaluated_at').executeTakeFirst())
        ?.last_evaluated_at,
    now: clock,
  }
}
