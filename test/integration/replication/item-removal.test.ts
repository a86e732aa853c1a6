/** What is known of copies goes with the image at the source. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import { createJobRunner } from '#jobs/runner.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createImageDeletion } from '#registry/image-deletion.ts'
import { createImagePush } from '#registry/image-push.ts'
import { createDeletedImages } from '#registry/recycle-bin/images.ts'
import { createRepositories } from '#registry/repositories.ts'
import { createRegistrySettings } from '#registry/settings.ts'
import { replicationSetting } from '#replication/configuration.ts'
import { createItemRemoval, itemRemovalSchedule } from '#replication/item-removal.ts'
import { replicatePushed } from '#replication/listener.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { index } from '#test/support/images/build.ts'
import { until } from '#test/support/until.ts'

eachDatabase((databases) =>
  describe(`items of images that are gone on ${databases.dialect}`, () => {
    test('they stay while the image is there or in the recycle bin, and while it is to be copied', async (t) => {
      let now = 1_000_000
      const clock = () => now
      const metadata = await databases.open(t)
      const account = parseAccountId('000000000000')
      const registry = { account, region: parseRegion('us-east-1') }
      const key = { registry, name: parseRepositoryName('team/app') }
      await createRepositories({ metadata, clock, quotas, repositoryCreated: [] }).create(key, {})
      const rules = [{ destinations: [{ account, region: parseRegion('eu-west-1') }], filters: [] }]
      await createRegistrySettings({ metadata, clock }).put(registry, replicationSetting, rules)
      const pushes = createImagePush({ metadata, clock, quotas, announcements: { imagePushed: [replicatePushed] } })
      const digests = []
      for (const annotation of ['stays', 'deleted', 'purged', 'due']) {
        const { bytes: body, mediaType } = index({ children: [], annotations: { annotation } })
        const { digest } = await pushes.put(key, { body, mediaType, by: '' })
        digests.push(digest)
      }
      const [stays, deleted, purged, due] = digests
      assert(stays && deleted && purged && due)
      const complete = metadata.transaction((trx) =>
        trx
          .updateTable('replication_item')
          .set({ state: 'COMPLETE', due_at: null })
          .where('digest', '!=', due)
          .execute(),
      )
      await complete
      const deletion = createImageDeletion({ metadata, clock })
      const bin = createDeletedImages({ metadata, clock, quotas })
      for (const digest of [deleted, purged, due]) await deletion.delete(key, { digest }, '')
      for (const digest of [purged, due]) await bin.purge(key, digest)

      const runner = createJobRunner({
        ...{ metadata, clock, workers: [createItemRemoval({ metadata, clock })], schedules: [itemRemovalSchedule] },
        ...{ processId: 'one', onError: assert.ifError, pollMs: 10 },
      })
      await runner.start()
      now += 24 * 60 * 60_000
      const left = async () => {
        const rows = await metadata.reader.selectFrom('replication_item').select('digest').orderBy('id').execute()
        return rows.map(({ digest }) => digest)
      }
      await until(async () => (await left()).length < 4)
      assert.deepEqual(await left(), [stays, deleted, due])
      await runner.stop()
    })
  }),
)
