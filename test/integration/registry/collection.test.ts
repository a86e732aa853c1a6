/** What nothing needs any more goes, row and bytes, and nothing else does, whatever is pushed meanwhile. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { FileBlobStore } from '#blobs/file.ts'
import type { BlobStore } from '#blobs/store.ts'
import { ecrQuotas } from '#config/quotas.ts'
import { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseTag } from '#names/tag.ts'
import { noteBlobs } from '#registry/collectable.ts'
import { holdCollection } from '#registry/collection/holds.ts'
import { createCollectionWorkers } from '#registry/collection/jobs.ts'
import { claimEmptyStore } from '#registry/collection/own-store.ts'
import { collectUploads } from '#registry/collection/uploads.ts'
import { createImageDeletion } from '#registry/image-deletion.ts'
import { createImagePush } from '#registry/image-push.ts'
import { createLinkedBlobs } from '#registry/linked-blobs.ts'
import { createRepositories } from '#registry/repositories.ts'
import { lockRepository } from '#registry/repository.ts'
import { retentionSetting } from '#registry/retention-settings.ts'
import { createRegistrySettings } from '#registry/settings.ts'
import { createUploads } from '#registry/uploads.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { type Blob, type Image, image, imageWithForeignLayer, index } from '#test/support/images/build.ts'
import { digest, noise } from '#test/support/images/content.ts'
import { aPuller } from '#test/support/puller.ts'
import { assertStorageCounted } from '#test/support/storage-sum.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const hourMs = 3_600_000
const registry = { account: parseAccountId('123456789012'), region: parseRegion('eu-west-1') }
const key = { registry, name: parseRepositoryName('team/app') }

eachDatabase((databases) =>
  describe(`collecting garbage on ${databases.dialect}`, () => {
    async function stage(t: TestContext, { recycleBinDays = 0, gcGraceHours = 24 } = {}) {
      const metadata = await databases.open(t)
      const folder = await temporaryFolder()
      t.after(() => folder[Symbol.asyncDispose]())
      const blobs = await FileBlobStore.open(folder.path)
      await claimEmptyStore({ metadata, blobs })
      let aheadMs = 0
      const clock = () => Date.now() + aheadMs
      const parts = { metadata, clock, quotas: ecrQuotas }
      await createRepositories({ ...parts, repositoryCreated: [] }).create(key, {})
      await createRegistrySettings(parts).put(registry, retentionSetting, { recycleBinDays, keepInUse: false })
      const uploads = createUploads({ ...parts, blobs, processId: randomUUID() })
      const push = createImagePush(parts)
      const deletion = createImageDeletion(parts)
      const pushBlob = ({ digest, bytes }: Pick<Blob, 'digest' | 'bytes'>) =>
        uploads.push(key, digest, { source: once(bytes) })
      return {
        metadata,
        clock,
        blobs,
        uploads,
        linkedBlobs: createLinkedBlobs({ ...parts, blobs, gcGraceHours, onDamage: () => assert.fail() }),
        folder: folder.path,
        pushBlob,
        pass(ms: number) {
          aheadMs += ms
        },
        async push(pushed: Image, tag?: string) {
          for (const blob of pushed.blobs) await pushBlob(blob)
          const { bytes: body, mediaType } = pushed
          await push.put(key, { body, mediaType, by: '', ...(tag !== undefined && { tag: parseTag(tag) }) })
        },
        delete: (deleted: Image) => deletion.deleteAll(key, [{ digest: deleted.digest }], ''),
        /** Both jobs, once the clock has moved. */
        async collect({ afterMs = 25 * hourMs, store = blobs }: { afterMs?: number; store?: BlobStore } = {}) {
          aheadMs += afterMs
          const { signal } = new AbortController()
          const workers = createCollectionWorkers({
            metadata,
            blobs: store,
            clock,
            gcGraceHours,
            uploadExpiryHours: 24,
          })
          for (const { work } of workers.toReversed()) assert.match(JSON.stringify(await work({}, { signal })), /done/)
        },
        /** What the job of that kind answers, once the clock has moved. */
        async work(kind: string, afterMs: number) {
          aheadMs += afterMs
          const { signal } = new AbortController()
          const workers = createCollectionWorkers({ metadata, blobs, clock, gcGraceHours, uploadExpiryHours: 24 })
          return workers.find((worker) => worker.kind === kind)?.work({}, { signal })
        },
        stored: async () => new Set((await Array.fromAsync(blobs.list())).flat()),
        rows: async () =>
          new Set((await metadata.reader.selectFrom('blob').select('digest').execute()).map((row) => row.digest)),
        links: async () => {
          const rows = await metadata.reader.selectFrom('repository_blob').select('digest').execute()
          return new Set(rows.map((row) => row.digest))
        },
      }
    }

    test('what no image refers to goes after the grace, and what one refers to stays', async (t) => {
      const { push, pushBlob, collect, stored, rows, links, metadata } = await stage(t)
      const kept = image({ seed: 'kept', layers: [1_000, 2_000] })
      const lonely = blobOf('lonely')
      await push(kept, 'v1')
      await pushBlob(lonely)
      const all = new Set([...kept.blobs, lonely].map((blob) => blob.digest))

      await collect({ afterMs: 23 * hourMs })
      assert.deepEqual([await stored(), await rows(), await links()], [all, all, all])
      await collect({ afterMs: 2 * hourMs })
      all.delete(lonely.digest)
      assert.deepEqual([await stored(), await rows(), await links()], [all, all, all])

      await pushBlob(lonely)
      all.add(lonely.digest)
      assert.deepEqual([await stored(), await rows(), await links()], [all, all, all])
      await assertStorageCounted(metadata)
    })

    test('of a deleted image goes what no other shares, and what the recycle bin holds stays', async (t) => {
      for (const recycleBinDays of [0, 7]) {
        const { push, delete: remove, collect, stored, metadata } = await stage(t, { recycleBinDays })
        const [one, other] = [image({ seed: 'a', layers: [1_000] }), image({ seed: 'b', layers: [1_000, 2_000] })]
        const shared = { ...other, blobs: other.blobs }
        await push(one, 'one')
        await push(shared, 'other')
        // What the pushes noted is looked at, so that only the deletion tells what to look at again.
        await collect()
        await remove(one)
        await collect()
        await collect()
        const left = recycleBinDays > 0 ? [one, other] : [other]
        assert.deepEqual(await stored(), new Set(left.flatMap((each) => each.blobs.map((blob) => blob.digest))))
        await assertStorageCounted(metadata)
      }
    })

    test('a foreign layer that was pushed before its image or after it stays as long as the image', async (t) => {
      for (const [recycleBinDays, order] of [
        [0, 'before'],
        [0, 'after'],
        [7, 'before'],
        [7, 'after'],
      ] as const) {
        const { push, pushBlob, delete: remove, collect, stored } = await stage(t, { recycleBinDays })
        const { image: app, layer } = imageWithForeignLayer(`${recycleBinDays} ${order}`)
        const both = index({ children: [app] })
        if (order === 'before') await pushBlob(layer)
        await push(app, 'v1')
        if (order === 'after') await pushBlob(layer)
        await push(both, 'both')
        const all = new Set([...app.blobs, layer].map((blob) => blob.digest))
        await collect()
        await collect()
        assert.deepEqual(await stored(), all, order)
        await remove(both)
        await remove(app)
        await collect()
        await collect()
        assert.deepEqual(await stored(), recycleBinDays > 0 ? all : new Set(), order)
      }
    })

    test('a link that is asked for again begins its grace anew', async (t) => {
      const { pushBlob, collect, links } = await stage(t)
      const blob = blobOf('again')
      await pushBlob(blob)
      await collect({ afterMs: 20 * hourMs })
      await pushBlob(blob)
      await collect({ afterMs: 20 * hourMs })
      assert.deepEqual(await links(), new Set([blob.digest]))
    })

    test('so does one that a client was told of', async (t) => {
      const { pushBlob, collect, links, linkedBlobs } = await stage(t)
      const [asked, listed, other] = [blobOf('asked'), blobOf('listed'), blobOf('other')]
      for (const blob of [asked, listed, other]) await pushBlob(blob)
      await collect({ afterMs: 20 * hourMs })
      await linkedBlobs.stat(key, asked.digest, aPuller())
      await linkedBlobs.availability(key, [listed.digest])
      await collect({ afterMs: 20 * hourMs })
      assert.deepEqual(await links(), new Set([asked.digest, listed.digest]))
    })

    test('of the shortest grace, too, at least half is left to a client that was told of a link', async (t) => {
      const { pushBlob, collect, links, linkedBlobs } = await stage(t, { gcGraceHours: 1 })
      const [asked, listed, other] = [blobOf('asked'), blobOf('listed'), blobOf('other')]
      for (const blob of [asked, listed, other]) await pushBlob(blob)
      await collect({ afterMs: 0.99 * hourMs })
      await linkedBlobs.stat(key, asked.digest, aPuller())
      await linkedBlobs.availability(key, [listed.digest])
      await collect({ afterMs: 0.49 * hourMs })
      assert.deepEqual(await links(), new Set([asked.digest, listed.digest]))
    })

    test('uploads that were abandoned, and content and drafts without a row, go; other files are left alone', async (t) => {
      const { blobs, uploads, folder, collect, stored, metadata } = await stage(t)
      const id = await uploads.start(key)
      await uploads.append(key, id, { source: once(noise('part', 5_000)) })
      const stray = blobOf('stray')
      await using draft = await blobs.createDraft(randomUUID())
      await draft.append(once(stray.bytes))
      await draft.commit([stray.digest])
      const left = await blobs.createDraft(randomUUID())
      await left.append(once(noise('left', 300)))
      await left.close()
      await mkdir(join(folder, 'sha256', 'ff'), { recursive: true })
      await writeFile(join(folder, 'sha256', 'ff', 'README'), 'not ours')
      await writeFile(join(folder, 'sha256', 'README'), 'not ours')

      await collect({ afterMs: 23 * hourMs })
      assert.deepEqual(await stored(), new Set([stray.digest]))
      assert.equal((await readdir(join(folder, 'drafts'))).length, 2)
      await collect({ afterMs: 2 * hourMs })
      assert.deepEqual(await stored(), new Set())
      assert.deepEqual(await readdir(join(folder, 'drafts')), [])
      assert.deepEqual(await metadata.reader.selectFrom('upload').selectAll().execute(), [])
      assert.deepEqual(await readdir(join(folder, 'sha256', 'ff')), ['README'])
      await assert.rejects(
        uploads.offset(key, id),
        (error) => error instanceof Refusal && error.code === 'UploadNotFound',
      )
      await assertStorageCounted(metadata)
    })

    test('an upload stays while bytes come for it, however long one request takes', async (t) => {
      const { uploads, collect, pass, clock, metadata } = await stage(t)
      const [part, other] = [noise('part', 5_000), noise('other', 3_000)]
      const id = await uploads.start(key)
      async function* slow() {
        yield part
        pass(20 * hourMs)
        yield other
        const touched = () => metadata.reader.selectFrom('upload').select('touched_at').executeTakeFirst()
        await until(async () => ((await touched())?.touched_at ?? 0) >= clock() - hourMs)
        await collect({ afterMs: 20 * hourMs })
        yield part
      }
      const received = await uploads.append(key, id, { source: slow() })
      assert.equal(received, 2 * part.byteLength + other.byteLength)
      await collect({ afterMs: 25 * hourMs })
      await assert.rejects(uploads.offset(key, id))
    })

    test('while collection is held no content goes, and a hold that nobody renews ends', async (t) => {
      const { pushBlob, collect, pass, stored, metadata, clock } = await stage(t)
      const blob = blobOf('held')
      await pushBlob(blob)
      pass(25 * hourMs)
      {
        await using _hold = await holdCollection({ metadata, clock })
        await collect({ afterMs: 0 })
        assert.deepEqual(await stored(), new Set([blob.digest]))
      }
      await collect({ afterMs: 0 })
      assert.deepEqual(await stored(), new Set())

      await pushBlob(blob)
      pass(25 * hourMs)
      await using _left = await holdCollection({ metadata, clock })
      await collect({ afterMs: 14 * 60_000 })
      assert.deepEqual(await stored(), new Set([blob.digest]))
      await collect({ afterMs: 2 * 60_000 })
      assert.deepEqual(await stored(), new Set())
    })

    test('a hold is good once it is taken: who collects meanwhile has ended by then', async (t) => {
      const { blobs, pushBlob, collect, metadata, clock } = await stage(t)
      await pushBlob(blobOf('collected'))
      const events: string[] = []
      let holding: Promise<AsyncDisposable> | undefined
      const store = whileDeleting(blobs, async () => {
        holding = holdCollection({ metadata, clock })
        void holding.then(() => events.push('held'))
        await Promise.race([holding, delay(200)])
        events.push('deleted')
      })
      await collect({ store })
      await using _hold = await holding
      assert.deepEqual(events, ['deleted', 'held'])
    })

    test('a blob that loses its last link while the collector looks is collected the next time', async (t) => {
      const { blobs, pushBlob, collect, stored, metadata, linkedBlobs } = await stage(t)
      const [garbage, linked] = [blobOf('garbage'), blobOf('linked')]
      for (const blob of [garbage, linked]) await pushBlob(blob)
      await metadata.transaction(async (trx) => {
        await trx.deleteFrom('repository_blob').where('digest', '=', garbage.digest).execute()
        await trx.deleteFrom('link_candidate').execute()
        await noteBlobs(trx, [garbage.digest, linked.digest], 0)
      })
      let unlinking: Promise<void> | undefined
      const store = whileDeleting(blobs, async () => {
        unlinking = linkedBlobs.unlink(key, linked.digest)
        await Promise.race([unlinking, delay(200)])
      })
      await collect({ store })
      await unlinking
      await collect()
      assert.deepEqual(await stored(), new Set())
    })

    test('a link that a manifest needs by the time at which its repository is locked stays', async (t) => {
      const { push, pushBlob, work, links, metadata } = await stage(t)
      const [blob, manifest] = [blobOf('needed'), index({ children: [] })]
      await pushBlob(blob)
      await push(manifest)
      let collecting: Promise<unknown> | undefined
      await metadata.transaction(async (trx) => {
        // As whoever stores a manifest, a moment before the commit.
        const { id } = await lockRepository(trx, key, 'exclusive')
        const reference = { parent: manifest.digest, child: blob.digest, kind: 'layer', media_type: 'a/b' }
        await trx
          .insertInto('manifest_reference')
          .values({ repository_id: id, ...reference })
          .execute()
        collecting = work('collect-garbage', 25 * hourMs)
        await Promise.race([collecting, delay(200)])
      })
      await collecting
      assert.deepEqual(await links(), new Set([blob.digest]))
    })

    test('an upload that goes on while it is looked at stays', async (t) => {
      const { blobs, uploads, pass, clock, metadata } = await stage(t)
      const part = noise('part', 5_000)
      const id = await uploads.start(key)
      pass(25 * hourMs)
      const meanwhile: typeof metadata = Object.create(metadata, {
        reader: { get: () => metadata.reader },
        transaction: {
          value: async (work: Parameters<typeof metadata.transaction>[0]) => {
            await uploads.append(key, id, { source: once(part) })
            return metadata.transaction(work)
          },
        },
      })
      const { signal } = new AbortController()
      assert.equal(await collectUploads({ metadata: meanwhile, blobs, signal }, clock() - 24 * hourMs), 0)
      assert.equal(await uploads.offset(key, id), part.byteLength)
    })

    test('a push mends the row of content that was found damaged', async (t) => {
      const { pushBlob, metadata, linkedBlobs } = await stage(t)
      const blob = blobOf('mended')
      const row = { digest: blob.digest, size: 7, stored_at: 0 }
      await metadata.transaction((trx) => trx.insertInto('blob').values(row).execute())
      await pushBlob(blob)
      assert.deepEqual(await linkedBlobs.stat(key, blob.digest, aPuller()), { sizeBytes: blob.bytes.byteLength })
    })

    test('content that is stored anew while it is deleted is linked whole, or its push is refused', async (t) => {
      const { blobs, pushBlob, collect, stored, links } = await stage(t)
      const blob = blobOf('contested')
      await pushBlob(blob)
      let pushing: Promise<unknown> | undefined
      // The push begins when the collector has decided, and has published its content when that is deleted.
      const store = whileDeleting(blobs, async (deleted) => {
        const before = (await blobs.stat(deleted))?.storedAt
        pushing = Promise.allSettled([pushBlob(blob)]).then(([outcome]) => outcome)
        while ((await blobs.stat(deleted))?.storedAt === before) await delay(1)
      })
      await collect({ store })
      const outcome = (await pushing) as PromiseSettledResult<unknown>
      assert.equal(outcome.status, 'rejected')
      assert.ok(outcome.reason instanceof Refusal && outcome.reason.code === 'UploadNotFound', String(outcome.reason))
      assert.deepEqual([await stored(), await links()], [new Set(), new Set()])

      await pushBlob(blob)
      assert.deepEqual([await stored(), await links()], [new Set([blob.digest]), new Set([blob.digest])])
    })

    test('content that was stored a moment ago is spared until it is linked', async (t) => {
      const { blobs, pushBlob, collect, stored, metadata } = await stage(t)
      const blob = blobOf('young')
      await pushBlob(blob)
      await metadata.transaction((trx) => trx.deleteFrom('repository_blob').execute())
      await metadata.transaction((trx) =>
        trx.insertInto('blob_candidate').values({ digest: blob.digest, since: 0 }).execute(),
      )
      await collect({ afterMs: 10 * 60_000, store: blobs })
      assert.deepEqual(await stored(), new Set([blob.digest]))
      await collect({ afterMs: 10 * 60_000 })
      assert.deepEqual(await stored(), new Set())
    })
  }),
)

function blobOf(seed: string): { digest: Blob['digest']; bytes: Buffer } {
  const bytes = noise(seed, 3_000)
  return { digest: digest(bytes), bytes }
}

/** The store, in which something happens whenever the collector has decided to delete. */
function whileDeleting(blobs: BlobStore, happen: (deleted: Blob['digest']) => Promise<void>): BlobStore {
  return Object.create(blobs, {
    stat: { value: blobs.stat.bind(blobs) },
    id: { value: blobs.id.bind(blobs) },
    list: { value: blobs.list.bind(blobs) },
    listDrafts: { value: blobs.listDrafts.bind(blobs) },
    delete: {
      value: async (deleted: Blob['digest']) => {
        await happen(deleted)
        await blobs.delete(deleted)
      },
    },
  })
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
