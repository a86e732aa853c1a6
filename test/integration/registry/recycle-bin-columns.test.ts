/** An image loses nothing on its way to the recycle bin and back: no column of its rows, no byte, no annotation. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Selectable } from 'kysely'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { ManifestTable } from '#metadata/schema/registry.ts'
import { parseAccountId } from '#names/account.ts'
import { parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createImageDeletion } from '#registry/image-deletion.ts'
import { createImagePush } from '#registry/image-push.ts'
import { manifestColumns, referenceColumns } from '#registry/manifest-columns.ts'
import { createDeletedImages } from '#registry/recycle-bin/images.ts'
import { createRecycleBinWorker } from '#registry/recycle-bin/purge.ts'
import { createReferrers } from '#registry/referrers.ts'
import { createRepositories } from '#registry/repositories.ts'
import { createRetentions } from '#registry/retention-settings.ts'
import { createRegistrySettings } from '#registry/settings.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { index } from '#test/support/images/build.ts'
import { aPuller } from '#test/support/puller.ts'

const registry = { account: parseAccountId('123456789012'), region: parseRegion('eu-west-1') }
const key = { registry, name: parseRepositoryName('team/app') }
const dayMs = 24 * 3_600_000

eachDatabase((databases) =>
  describe(`rows on their way through the recycle bin on ${databases.dialect}`, () => {
    async function stage(t: TestContext) {
      const metadata = await databases.open(t)
      let now = Date.now()
      const clock = () => now
      const parts = { metadata, clock, quotas }
      const repositories = createRepositories({ ...parts, repositoryCreated: [] })
      await repositories.create(key, {})
      const pushes = createImagePush(parts)
      const subject = index({ children: [], annotations: { is: 'the subject' } })
      const child = index({ children: [], annotations: { is: 'a child' } })
      const image = index({ children: [child], annotations: { first: 'one', second: 'two' }, subject })
      const push = ({ bytes: body, mediaType }: typeof image) => pushes.put(key, { body, mediaType, by: '' })
      for (const each of [subject, child, image]) await push(each)
      return {
        ...{ metadata, image, push, repositories, now },
        move: (ms: number) => {
          now += ms
        },
        remove: () => createImageDeletion(parts).deleteAll(key, [{ digest: image.digest }], ''),
        restore: () => createDeletedImages(parts).restore(key, image.digest, ''),
        purge: () => createDeletedImages(parts).purge(key, image.digest),
        purgeAll: () => createDeletedImages(parts).purgeAll(key),
        emptyBin: () => createRecycleBinWorker(parts).work({}, { signal: new AbortController().signal }),
        setDays: (recycleBinDays: number) =>
          createRetentions({ metadata, settings: createRegistrySettings({ metadata, clock }) }).change(registry, {
            recycleBinDays,
          }),
        annotations: async () => {
          const { items } = await createReferrers({ metadata }).list(
            key,
            parseDigest(subject.digest),
            {
              status: 'ANY',
              limit: 10,
            },
            aPuller(),
          )
          return items.map((item) => item.annotations)
        },
      }
    }

    test('every column comes to the bin and back, and so do the bytes and the references', async (t) => {
      const { metadata, image, remove, restore, annotations, now } = await stage(t)
      // A value of its own for each column that no other row depends on. A new column does not compile until it has one.
      const marked = {
        ...{ media_type: 'marked/type', artifact_type: 'marked artifact', image_size: 1, pushed_at: 2, pulled_at: 3 },
        ...{ status: 'ACTIVE', archived_at: 4, activated_at: 5 },
      } satisfies Omit<Selectable<ManifestTable>, 'repository_id' | 'digest' | 'subject'>
      await metadata.transaction((trx) =>
        trx.updateTable('manifest').set(marked).where('digest', '=', image.digest).execute(),
      )
      const { content, ...before } = await rowsOf(metadata, image.digest)
      assert.deepEqual(new Set(Object.keys(before.manifest[0] ?? {})), new Set(manifestColumns))
      assert.deepEqual(new Set(Object.keys(before.references[0] ?? {})), new Set(referenceColumns))

      await remove()
      const binned = await rowsOf(metadata, image.digest)
      assert.deepEqual([binned.manifest, binned.references], [[], []])
      const [deleted] = binned.deleted
      assert.deepEqual(
        manifestColumns.map((column) => [column, deleted?.[column]]),
        manifestColumns.map((column) => [column, before.manifest[0]?.[column]]),
      )
      assert.deepEqual(binned.deletedReferences, before.references)

      await restore()
      const { content: after, ...restored } = await rowsOf(metadata, image.digest)
      // A restored image is as old as its restoration. An index is as large as its largest child, which here has no layers.
      assert.deepEqual(restored.manifest, [{ ...before.manifest[0], activated_at: now, image_size: 0 }])
      assert.deepEqual(restored.references, before.references)
      assert.deepEqual([restored.deleted, restored.deletedReferences], [[], []])
      assert.deepEqual(after, content)
      assert.ok(Buffer.from(image.bytes).equals(after[0]?.body ?? Buffer.alloc(0)))
      assert.deepEqual(await annotations(), [{ first: 'one', second: 'two' }])
    })

    test('content goes with the last image that has it: the one in the repository or the one in the bin', async (t) => {
      const { metadata, image, push, remove, purge, restore, move, emptyBin, setDays } = await stage(t)
      const has = async () => (await rowsOf(metadata, image.digest)).content.length === 1
      await remove()
      assert.ok(await has(), 'in the bin')
      await push(image)
      assert.ok(await has(), 'pushed again')
      await restore()
      assert.ok(await has(), 'both at once')
      await remove()
      await purge()
      assert.equal(await has(), false, 'purged')

      await push(image)
      await remove()
      move(400 * dayMs)
      await emptyBin()
      assert.equal(await has(), false, 'its time is up')

      await push(image)
      await setDays(0)
      await remove()
      assert.equal(await has(), false, 'deleted where there is no bin')
      assert.equal((await metadata.reader.selectFrom('manifest_content').select('digest').execute()).length, 2)
    })

    test('an image that was pushed again keeps its content when the bin loses its copy', async (t) => {
      const { metadata, image, push, remove, purgeAll, move, emptyBin } = await stage(t)
      const whole = { deleted_image: 0, manifest: 1, manifest_content: 1 }
      const count = async () => {
        const counted: Record<string, number> = {}
        for (const table of ['deleted_image', 'manifest', 'manifest_content'] as const) {
          const rows = metadata.reader.selectFrom(table).select('digest').where('digest', '=', image.digest)
          counted[table] = (await rows.execute()).length
        }
        return counted
      }
      await remove()
      await push(image)
      assert.deepEqual(await count(), { ...whole, deleted_image: 1 })
      move(400 * dayMs)
      await emptyBin()
      assert.deepEqual(await count(), whole, 'its time is up')

      await remove()
      await push(image)
      await purgeAll()
      assert.deepEqual(await count(), whole, 'purged')
    })

    test('a push heals content that was damaged in the bin', async (t) => {
      const { metadata, image, push, remove } = await stage(t)
      await remove()
      const body = Buffer.from('{}')
      await metadata.transaction((trx) =>
        trx.updateTable('manifest_content').set({ body }).where('digest', '=', image.digest).execute(),
      )
      await push(image)
      const [content] = (await rowsOf(metadata, image.digest)).content
      assert.ok(Buffer.from(image.bytes).equals(content?.body ?? Buffer.alloc(0)))
    })

    test('the content of a deleted repository goes with it', async (t) => {
      const { metadata, repositories, remove, move, emptyBin } = await stage(t)
      await remove()
      await repositories.delete(key, { force: true, by: '' })
      move(400 * dayMs)
      await emptyBin()
      for (const table of ['manifest_content', 'manifest', 'deleted_image', 'repository'] as const) {
        assert.deepEqual(await metadata.reader.selectFrom(table).selectAll().execute(), [], table)
      }
    })
  }),
)

async function rowsOf({ reader }: Metadata, digest: string) {
  return {
    manifest: await reader.selectFrom('manifest').selectAll().where('digest', '=', digest).execute(),
    references: await reader.selectFrom('manifest_reference').selectAll().where('parent', '=', digest).execute(),
    deleted: await reader.selectFrom('deleted_image').selectAll().where('digest', '=', digest).execute(),
    deletedReferences: await reader
      .selectFrom('deleted_image_reference')
      .selectAll()
      .where('parent', '=', digest)
      .execute(),
    content: await reader.selectFrom('manifest_content').selectAll().where('digest', '=', digest).execute(),
  }
}
