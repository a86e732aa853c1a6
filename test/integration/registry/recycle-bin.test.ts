/** What is deleted is gone at once, comes back as it was, and goes for good when its time is up. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { FileBlobStore } from '#blobs/file.ts'
import { ecrQuotas } from '#config/quotas.ts'
import { parseAccountId } from '#names/account.ts'
import { parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseTag } from '#names/tag.ts'
import { createCollectionWorkers } from '#registry/collection/jobs.ts'
import { createImageDeletion } from '#registry/image-deletion.ts'
import { createImageLists } from '#registry/image-lists.ts'
import { createImagePush } from '#registry/image-push.ts'
import { createInUseReports } from '#registry/in-use-reports.ts'
import { createReferrerRemoval } from '#registry/orphaned-referrers.ts'
import type { Quotas } from '#registry/quotas.ts'
import { createDeletedImages } from '#registry/recycle-bin/images.ts'
import { createRecycleBinWorker } from '#registry/recycle-bin/purge.ts'
import { createDeletedRepositories } from '#registry/recycle-bin/repositories.ts'
import { createRepositories } from '#registry/repositories.ts'
import { createRepositoryRetentions } from '#registry/repository-retention.ts'
import { createStorageClasses } from '#registry/storage-class.ts'
import { createUploads } from '#registry/uploads.ts'
import { queueItem } from '#replication/queue.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { artifact, type Image, image, index, manifestsOf } from '#test/support/images/build.ts'
import { assertStorageCounted } from '#test/support/storage-sum.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const registry = { account: parseAccountId('123456789012'), region: parseRegion('eu-west-1') }
const key = { registry, name: parseRepositoryName('team/app') }
const by = 'arn:aws:iam::123456789012:user/ann'

eachDatabase((databases) =>
  describe(`the recycle bin on ${databases.dialect}`, () => {
    async function stage(t: TestContext) {
      const metadata = await databases.open(t)
      const folder = await temporaryFolder()
      t.after(() => folder[Symbol.asyncDispose]())
      const blobs = await FileBlobStore.open(folder.path)
      let aheadMs = 0
      const clock = () => Date.now() + aheadMs
      const parts = { metadata, clock, quotas: ecrQuotas }
      const repositories = createRepositories({ ...parts, repositoryCreated: [] })
      await repositories.create(key, {})
      const uploads = createUploads({ ...parts, blobs, processId: randomUUID() })
      const pushes = createImagePush(parts)
      const deletion = createImageDeletion(parts)
      const { signal } = new AbortController()
      const workers = [
        createRecycleBinWorker(parts),
        ...createCollectionWorkers({ ...parts, blobs, gcGraceHours: 1, uploadExpiryHours: 1 }),
      ]
      return {
        metadata,
        repositories,
        bin: createDeletedImages(parts),
        binOf: (quotas: Quotas) => createDeletedImages({ ...parts, quotas }),
        /** In a repository that keeps such images. */
        async useOf({ digest }: Image) {
          await createRepositoryRetentions(parts).putKeepInUse(key, true)
          const images = [{ repository: key.name, digest }]
          await createInUseReports(parts).report(key.registry, { cluster: 'prod', images, ttlMs: dayMs, by })
        },
        deletedRepositories: createDeletedRepositories(parts),
        lists: createImageLists({ metadata }),
        storageClasses: createStorageClasses(parts),
        async push(pushed: Image, tag?: string) {
          for (const manifest of manifestsOf(pushed)) {
            for (const { digest, bytes } of manifest.blobs) await uploads.push(key, digest, { source: once(bytes) })
            const named = manifest === pushed && tag !== undefined ? { tag: parseTag(tag) } : {}
            await pushes.put(key, { body: manifest.bytes, mediaType: manifest.mediaType, by, ...named })
          }
        },
        pass: (ms: number) => {
          aheadMs += ms
        },
        /** How many jobs for the referrers of subjects were due by then, and were done. */
        async followSubjects(afterMs: number) {
          aheadMs += afterMs
          const { work, kind } = createReferrerRemoval(parts)
          const jobs = await metadata.reader
            .selectFrom('job')
            .select('payload')
            .where('kind', '=', kind)
            .where('run_at', '<=', clock())
            .execute()
          for (const { payload } of jobs) assert.equal(await work(JSON.parse(payload), { signal }), 'done')
          return jobs.length
        },
        remove: (...images: Image[]) =>
          deletion.deleteAll(
            key,
            images.map(({ digest }) => ({ digest })),
            by,
          ),
        /** What waits of garbage collection once the recycle bin was looked at, and the clock has moved. */
        async purge(afterMs: number) {
          aheadMs += afterMs
          assert.equal(await createRecycleBinWorker(parts).work({}, { signal }), 'done')
          const asked = metadata.reader.selectFrom('job').select('kind').where('run_at', '<=', clock())
          return asked.where('kind', '=', 'collect-garbage').where('state', '=', 'waiting').execute()
        },
        /** Everything that is due, once the clock has moved. */
        async work(afterMs: number) {
          aheadMs += afterMs
          for (let round = 0; round < 2; round++) {
            for (const { work } of workers) assert.match(JSON.stringify(await work({}, { signal })), /done/)
            aheadMs += 2 * 3_600_000
          }
        },
        images: async () => {
          const { items } = await createImageLists({ metadata }).list(key, {
            tagStatus: 'ANY',
            status: 'ANY',
            limit: 100,
          })
          return new Set(items.map(({ digest, tag }) => `${digest} ${tag ?? ''}`))
        },
        stored: async () => new Set<string>((await Array.fromAsync(blobs.list())).flat()),
      }
    }

    test('an image comes back as it was, with its tags where they are free', async (t) => {
      const { push, remove, bin, images, work, metadata, lists } = await stage(t)
      const [app, other] = [image({ seed: 'app' }), image({ seed: 'other' })]
      await push(app, 'v1')
      await push(app, 'latest')
      const before = await lists.get(key, { digest: app.digest })
      await remove(app)
      assert.deepEqual(await images(), new Set())
      await push(other, 'latest')
      await work(3 * dayMs)

      const { items } = await bin.list(key, { limit: 10 })
      assert.deepEqual(
        items.map(({ digest, tags, deletedBy, cause, purgeAt, deletedAt }) => [
          digest,
          tags,
          deletedBy,
          cause,
          purgeAt - deletedAt,
        ]),
        [[app.digest, ['latest', 'v1'], by, 'delete', 7 * dayMs]],
      )
      assert.deepEqual(await bin.restore(key, app.digest, by), {
        digests: [app.digest],
        tags: ['v1'],
        taken: ['latest'],
        left: [],
      })
      assert.deepEqual(await images(), new Set([`${app.digest} v1`, `${other.digest} latest`]))
      const { activatedAt, tags, ...after } = await lists.get(key, { digest: app.digest })
      assert.deepEqual(
        { ...after, activatedAt: undefined, tags: ['latest', 'v1'] },
        { ...before, tags: ['latest', 'v1'] },
      )
      assert.ok(activatedAt !== undefined, 'its age counts anew')
      assert.deepEqual(tags, ['v1'])
      assert.deepEqual((await bin.list(key, { limit: 10 })).items, [])
      const moves = await metadata.reader.selectFrom('tag_move').select(['tag', 'cause']).orderBy('id').execute()
      assert.deepEqual(moves.at(-1)?.cause, 'restore')
      await assertStorageCounted(metadata)
    })

    test('it goes for good when its time is up, and what it alone needed with it', async (t) => {
      const { push, remove, bin, work, stored, metadata } = await stage(t)
      const [app, other] = [image({ seed: 'app', layers: [100, 200] }), image({ seed: 'app', layers: [100] })]
      await push(app)
      await push(other)
      await remove(app)
      await work(6 * dayMs)
      assert.equal((await bin.list(key, { limit: 10 })).items.length, 1)
      await work(2 * dayMs)
      assert.deepEqual((await bin.list(key, { limit: 10 })).items, [])
      await assert.rejects(bin.restore(key, app.digest, by), { code: 'DeletedImageNotFound' })
      await work(dayMs)
      assert.deepEqual(await stored(), new Set(other.blobs.map(({ digest }) => digest)))
      await assertStorageCounted(metadata)
    })

    test('an index brings back what it refers to, and its referrers that went with it', async (t) => {
      const { push, remove, bin, images } = await stage(t)
      const children = [image({ seed: 'a' }), image({ seed: 'b' })]
      const both = index({ children })
      const signature = artifact({ artifactType: 'application/vnd.test', subject: both })
      await push(both, 'both')
      await push(signature)
      const all = await images()
      await remove(both, signature, ...children)
      assert.deepEqual(await images(), new Set())
      const { digests } = await bin.restore(key, both.digest, by)
      assert.equal(digests.length, 4)
      assert.deepEqual(await images(), all)
    })

    for (const fate of ['archived', 'archived and deleted']) {
      test(`an index that comes back makes a child active that was ${fate} meanwhile`, async (t) => {
        const { push, remove, bin, lists, storageClasses } = await stage(t)
        const child = image({ seed: 'a' })
        const parent = index({ children: [child] })
        await push(parent, 'both')
        await remove(parent)
        await storageClasses.update(key, { digest: child.digest }, { target: 'ARCHIVE', by: '' })
        if (fate !== 'archived') await remove(child)
        await bin.restore(key, parent.digest, by)
        for (const { digest } of [parent, child]) {
          assert.equal((await lists.get(key, { digest })).status, 'ACTIVE')
        }
      })
    }

    test('an index whose child is gone for good is refused, and changes nothing', async (t) => {
      const { push, remove, bin, images } = await stage(t)
      const child = image({ seed: 'a' })
      const parent = index({ children: [child] })
      await push(parent)
      await remove(parent, child)
      await bin.purge(key, child.digest)
      await assert.rejects(bin.restore(key, parent.digest, by), { code: 'ReferencedManifestsMissing' })
      assert.deepEqual(await images(), new Set())
    })

    test('referrers follow a subject that stays away, and come back with it', async (t) => {
      const { push, remove, bin, images, followSubjects } = await stage(t)
      const app = image({ seed: 'app' })
      const signature = artifact({ artifactType: 'application/vnd.test', subject: app })
      const signatureOfSignature = artifact({ artifactType: 'application/vnd.test', subject: signature })
      const listed = artifact({ artifactType: 'application/vnd.other', subject: app })
      const list = index({ children: [listed] })
      await push(app, 'v1')
      for (const each of [signature, signatureOfSignature, list]) await push(each)
      const all = await images()
      const kept = new Set([`${listed.digest} `, `${list.digest} `])

      await remove(app)
      assert.equal(await followSubjects(59 * 60_000), 0, 'not yet')
      await push(app, 'v1')
      assert.equal(await followSubjects(60_000), 1)
      assert.deepEqual(await images(), all, 'the subject is there again')

      await remove(app)
      await followSubjects(3_600_000)
      assert.deepEqual(await images(), new Set([...kept, `${signatureOfSignature.digest} `]))
      await followSubjects(3_600_000)
      assert.deepEqual(await images(), kept)
      const { items } = await bin.list(key, { limit: 10 })
      assert.deepEqual(new Set(items.map(({ deletedBy }) => deletedBy)), new Set([by]))
      await bin.restore(key, app.digest, by)
      assert.deepEqual(await images(), all)
    })

    test('a job that goes on when its subject is deleted again leaves the referrers to the one that follows', async (t) => {
      const { push, remove, images, metadata, pass, followSubjects } = await stage(t)
      const app = image()
      await push(app)
      await push(artifact({ artifactType: 'application/vnd.test', subject: app }))
      await remove(app)
      pass(3_600_000)
      const early = await metadata.reader.selectFrom('job').selectAll().executeTakeFirstOrThrow()
      await push(app)
      await metadata.transaction((trx) => trx.deleteFrom('job').execute())
      await remove(app)
      const later = await metadata.reader.selectFrom('job').select('run_at').executeTakeFirstOrThrow()
      const { run_at } = early
      await metadata.transaction((trx) => trx.updateTable('job').set({ run_at }).execute())
      assert.equal(await followSubjects(0), 1)
      assert.equal((await images()).size, 1)
      await metadata.transaction((trx) => trx.updateTable('job').set(later).execute())
      assert.equal(await followSubjects(3_600_000), 1)
      assert.deepEqual(await images(), new Set())
    })

    test('until its time is up it can be restored, and not for a moment longer, whoever looked meanwhile', async (t) => {
      const { push, remove, pass, purge, bin, deletedRepositories, repositories } = await stage(t)
      const [app, other] = [image({ seed: 'app' }), image({ seed: 'other' })]
      for (const each of [app, other]) await push(each)
      await remove(app, other)
      pass(7 * dayMs - hourMs)
      await purge(0)
      await bin.restore(key, other.digest, by)
      pass(hourMs)
      assert.deepEqual((await bin.list(key, { limit: 10 })).items, [])
      await assert.rejects(bin.restore(key, app.digest, by), { code: 'DeletedImageNotFound' })

      await repositories.delete(key, { force: true, by })
      pass(7 * dayMs)
      assert.deepEqual((await deletedRepositories.list(key.registry, { limit: 10 })).items, [])
      await assert.rejects(deletedRepositories.restore(key, undefined), { code: 'DeletedRepositoryNotFound' })
    })

    test('an image whose tags are too many by now is refused, and changes nothing', async (t) => {
      const { push, remove, images, binOf } = await stage(t)
      const app = image({ seed: 'app' })
      for (const tag of ['v1', 'v2']) await push(app, tag)
      await remove(app)
      await assert.rejects(binOf({ ...ecrQuotas, tags: 1 }).restore(key, app.digest, by), { code: 'QuotaExceeded' })
      assert.deepEqual(await images(), new Set())
      await binOf({ ...ecrQuotas, tags: 2 }).restore(key, app.digest, by)
      assert.equal((await images()).size, 2)
    })

    test('a referrer that is in use does not follow its subject', async (t) => {
      const { push, remove, images, useOf, followSubjects } = await stage(t)
      const app = image({ seed: 'app' })
      const [used, unused] = ['used', 'unused'].map((type) =>
        artifact({ artifactType: `application/vnd.${type}`, subject: app }),
      )
      assert.ok(used && unused)
      for (const each of [app, used, unused]) await push(each)
      await remove(app)
      await useOf(used)
      await followSubjects(hourMs)
      assert.deepEqual(await images(), new Set([`${used.digest} `]))
    })

    test('an archived image comes back archived, as of now', async (t) => {
      const { push, remove, pass, bin, storageClasses, metadata } = await stage(t)
      const app = image({ seed: 'app' })
      await push(app, 'v1')
      await storageClasses.update(key, { digest: app.digest }, { target: 'ARCHIVE', by: '' })
      const archivedAt = async () => {
        const row = metadata.reader.selectFrom('manifest').select(['status', 'archived_at', 'activated_at'])
        return row.executeTakeFirstOrThrow()
      }
      const before = await archivedAt()
      await remove(app)
      pass(dayMs)
      await bin.restore(key, app.digest, by)
      const { archived_at, ...after } = await archivedAt()
      assert.deepEqual(after, { status: 'ARCHIVED', activated_at: null })
      assert.ok(
        (archived_at ?? 0) >= (before.archived_at ?? 0) + dayMs,
        'so that no rule for the archive takes it again',
      )
    })

    test('what was pushed again meanwhile stays as it is, and gets its free tags back', async (t) => {
      const { push, remove, bin, images } = await stage(t)
      const app = image({ seed: 'app' })
      await push(app, 'v1')
      await remove(app)
      await push(app)
      assert.deepEqual(await bin.restore(key, app.digest, by), { digests: [], tags: ['v1'], taken: [], left: [] })
      await remove(app)
      await bin.restore(key, app.digest, by)
      assert.deepEqual(await images(), new Set([`${app.digest} v1`]))
      await remove(app)
      assert.equal(await bin.purgeAll(key), 1)
    })

    test('a deleted repository is found by nobody, makes room for one of its name, and comes back whole', async (t) => {
      const { push, repositories, deletedRepositories, images, work, metadata } = await stage(t)
      const app = image({ seed: 'app' })
      await push(app, 'v1')
      const all = await images()
      await repositories.delete(key, { force: true, by })
      await assert.rejects(repositories.get(key), { code: 'RepositoryNotFound' })
      assert.deepEqual((await repositories.list(registry, { limit: 10 })).items, [])
      await repositories.create(key, {})
      await work(dayMs)
      const { items } = await deletedRepositories.list(registry, { limit: 10 })
      const [deleted] = items
      assert.ok(deleted)
      assert.deepEqual([deleted.name, deleted.deletedBy], [key.name, by])

      await assert.rejects(deletedRepositories.restore(key, deleted.id), { code: 'RepositoryAlreadyExists' })
      await repositories.delete(key, { force: false, by })
      assert.equal((await deletedRepositories.restore(key, deleted.id)).id, deleted.id)
      assert.deepEqual(await images(), all)
      await assert.rejects(deletedRepositories.restore(key, deleted.id), { code: 'DeletedRepositoryNotFound' })
      await assertStorageCounted(metadata)
    })

    test('referrers whose time came while their repository was deleted follow once it is back', async (t) => {
      const { push, remove, metadata, repositories, deletedRepositories, images, followSubjects } = await stage(t)
      const app = image({ seed: 'app' })
      await push(app)
      await push(artifact({ artifactType: 'application/vnd.test', subject: app }))
      await remove(app)
      await repositories.delete(key, { force: true, by })
      assert.equal(await followSubjects(3_600_000), 1)
      await metadata.transaction((trx) => trx.deleteFrom('job').execute())
      await deletedRepositories.restore(key, undefined)
      assert.equal((await images()).size, 1)
      assert.equal(await followSubjects(59 * 60_000), 0, 'not yet')
      assert.equal(await followSubjects(60_000), 1)
      assert.deepEqual(await images(), new Set())
    })

    test('a deleted repository goes for good with all that it held', async (t) => {
      const { push, remove, repositories, work, metadata, stored } = await stage(t)
      const [app, gone] = [image({ seed: 'app' }), image({ seed: 'gone' })]
      await push(app, 'v1')
      await push(gone, 'v2')
      await remove(gone)
      await repositories.delete(key, { force: true, by })
      await work(8 * dayMs)
      await work(dayMs)
      for (const table of [
        'repository',
        'deleted_repository',
        'manifest',
        'tag',
        'tag_move',
        'deleted_image',
      ] as const) {
        assert.deepEqual(await metadata.reader.selectFrom(table).selectAll().execute(), [], table)
      }
      assert.deepEqual(await metadata.reader.selectFrom('blob').selectAll().execute(), [])
      assert.deepEqual(await stored(), new Set())
      await assertStorageCounted(metadata)
    })

    test('what is known of its copies goes in parts before a deleted repository does', async (t) => {
      const { push, repositories, work, metadata } = await stage(t)
      const app = image({ seed: 'app' })
      await push(app, 'v1')
      const { id } = await metadata.reader.selectFrom('repository').select('id').executeTakeFirstOrThrow()
      await metadata.transaction(async (trx) => {
        const { registry: source } = key
        const destination = { ...source, region: parseRegion('eu-west-1') }
        const asked = { source, destination, cause: 'push', pushedAt: 1, tags: [] } as const
        await queueItem(trx, { ...asked, repositoryId: id, digest: parseDigest(app.digest) }, 1)
        // With rows that are left, one statement would remove all of them.
        if (databases.dialect === 'sqlite') {
          await sql`create trigger in_parts before delete on repository
            when exists (select 1 from replication_item where repository_id = old.id)
            begin select raise(abort, 'rows are left'); end`.execute(trx)
        }
      })
      await repositories.delete(key, { force: true, by })
      await work(8 * dayMs)
      await work(dayMs)
      for (const table of ['repository', 'replication_item'] as const) {
        assert.deepEqual(await metadata.reader.selectFrom(table).selectAll().execute(), [], table)
      }
    })

    test('jobs that purge one deleted repository at once subtract its manifests once', async (t) => {
      const { push, repositories, pass, purge, metadata } = await stage(t)
      const kept = image({ seed: 'kept', layers: [100] })
      for (let times = 0; times < 3; times++) {
        for (let more = 0; more < 5; more++) await push(image({ seed: `${more}`, layers: [] }), `v${more}`)
        await repositories.delete(key, { force: true, by })
        await repositories.create(key, {})
        await push(kept, 'v1')
        pass(8 * dayMs)
        await Promise.all(Array.from({ length: 6 }, () => purge(0)))
        await assertStorageCounted(metadata)
      }
    })

    test('garbage collection follows a deleted repository that goes for good', async (t) => {
      const { push, repositories, purge, metadata } = await stage(t)
      await push(image({ seed: 'app' }), 'v1')
      await repositories.delete(key, { force: true, by })
      assert.deepEqual(await purge(6 * dayMs), [])
      assert.equal((await purge(dayMs)).length, 1)
      await assertStorageCounted(metadata)
    })
  }),
)

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
