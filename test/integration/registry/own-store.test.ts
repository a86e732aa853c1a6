/** The sweep takes away what its database does not know, but never what another database may know. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { FileBlobStore } from '#blobs/file.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { createCollectionWorkers } from '#registry/collection/jobs.ts'
import { adoptStore, claimEmptyStore, findForeignToEmpty } from '#registry/collection/own-store.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { digest, noise } from '#test/support/images/content.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

eachDatabase((databases) =>
  describe(`whose a store is, on ${databases.dialect}`, () => {
    async function stage(t: TestContext) {
      const folder = await temporaryFolder()
      t.after(() => folder[Symbol.asyncDispose]())
      const open = () => FileBlobStore.open(folder.path)
      const blobs = await open()
      return {
        folder: folder.path,
        open,
        blobs,
        async store(count: number, name = 'file'): Promise<Digest[]> {
          const stored: Digest[] = []
          for (let at = 0; at < count; at++) {
            const bytes = noise(`${name} ${at}`, 40)
            await using draft = await blobs.createDraft(randomUUID())
            await draft.append(once(bytes))
            await draft.commit([digest(bytes)])
            stored.push(digest(bytes))
          }
          return stored
        },
        stored: async () => (await Array.fromAsync(blobs.list())).flat().length,
      }
    }

    /** Two days later both jobs. Answers how the sweep ended. */
    async function sweep(metadata: Metadata, blobs: FileBlobStore) {
      const clock = () => Date.now() + 48 * 3_600_000
      const warnings: string[] = []
      const onForeignStore = (reason: string) => void warnings.push(reason)
      const parts = { metadata, blobs, clock, gcGraceHours: 24, uploadExpiryHours: 24, onForeignStore }
      const [collect, find] = createCollectionWorkers(parts)
      const { signal } = new AbortController()
      const outcome = await find?.work({}, { signal })
      await collect?.work({}, { signal })
      assert.deepEqual(warnings, typeof outcome === 'object' && 'giveUp' in outcome ? [outcome.giveUp] : [])
      return typeof outcome === 'object' && 'giveUp' in outcome ? outcome.giveUp : outcome
    }

    test('what another database stored stays, however much the wrong one has stored there since', async (t) => {
      const { blobs, store, stored, open } = await stage(t)
      const [right, wrong] = [await databases.open(t), await databases.open(t)]
      assert.equal(await claimEmptyStore({ metadata: right, blobs }), true)
      await addRows(right, await store(40))
      assert.equal(await claimEmptyStore({ metadata: wrong, blobs: await open() }), false)
      assert.match(String(await sweep(wrong, blobs)), /belongs to another database/)
      await addRows(wrong, await store(500, 'new'))
      assert.match(String(await sweep(wrong, blobs)), /belongs to another database/)
      assert.equal(await stored(), 540)

      const other = await stage(t)
      await claimEmptyStore({ metadata: wrong, blobs: other.blobs })
      assert.match(String(await sweep(wrong, blobs)), /belongs to another database/)
      assert.equal(await stored(), 540)
    })

    test('an empty database does not fit the blobs of another one, or blobs without an owner', async (t) => {
      const { blobs, store } = await stage(t)
      const [right, empty, used] = [await databases.open(t), await databases.open(t), await databases.open(t)]
      const reasonOf = (metadata: Metadata) => findForeignToEmpty({ metadata, blobs })
      assert.equal(await reasonOf(right), undefined)
      const [stored] = await store(1)
      assert.match(String(await reasonOf(empty)), /^it has blobs, and the database is empty$/)
      await addRows(used, stored === undefined ? [] : [stored])
      assert.equal(await reasonOf(used), undefined)

      const owned = await stage(t)
      await claimEmptyStore({ metadata: right, blobs: owned.blobs })
      const ownedReason = (metadata: Metadata) => findForeignToEmpty({ metadata, blobs: owned.blobs })
      assert.equal(await ownedReason(right), undefined)
      await owned.store(1)
      assert.equal(await ownedReason(right), undefined, 'as after a crash before the first row')
      assert.match(String(await ownedReason(empty)), /^it belongs to another database, and this one is empty$/)
      assert.equal(await ownedReason(used), undefined)
    })

    test('a store without an id is nobody’s until its database knows nine files in ten', async (t) => {
      const { blobs, store, stored } = await stage(t)
      const metadata = await databases.open(t)
      const files = await store(600)
      assert.equal(await claimEmptyStore({ metadata, blobs }), true)
      assert.match(String(await sweep(metadata, blobs)), /does not know 600 of the 600 files/)
      await addRows(metadata, files.slice(0, 539))
      assert.match(String(await sweep(metadata, blobs)), /does not know 61 of the 600 files/)
      assert.deepEqual([await stored(), await blobs.id()], [600, undefined])

      await addRows(metadata, files.slice(539, 540))
      assert.equal(await sweep(metadata, blobs), 'done')
      assert.equal(await stored(), 540)
      await store(600, 'stray')
      assert.equal(await sweep(metadata, blobs), 'done')
      assert.equal(await stored(), 540)
    })

    test('a store that lost its id gets the same again from the database that knows its files', async (t) => {
      const { blobs, store, stored, folder } = await stage(t)
      const metadata = await databases.open(t)
      await claimEmptyStore({ metadata, blobs })
      await addRows(metadata, await store(9))
      const id = await blobs.id()
      const file = join(folder, 'store-id')
      assert.equal((await stat(file)).mode & 0o777, 0o600)
      await rm(file)
      await store(2, 'stray')
      assert.match(String(await sweep(metadata, blobs)), /does not know 2 of the 11/)
      await addRows(metadata, await store(9, 'more'))
      assert.equal(await sweep(metadata, blobs), 'done')
      assert.deepEqual([await stored(), await blobs.id()], [18, id])
    })

    test('an operator may say that a store is this database’s own', async (t) => {
      const { blobs, store, stored } = await stage(t)
      const [old, metadata] = [await databases.open(t), await databases.open(t)]
      await claimEmptyStore({ metadata: old, blobs })
      await store(40)
      assert.match(String(await sweep(metadata, blobs)), /belongs to another database/)
      await adoptStore({ metadata, blobs })
      assert.equal(await sweep(metadata, blobs), 'done')
      assert.equal(await stored(), 0)
    })

    test('of those who start at once on an empty store the same database agrees, and one of two others has it', async (t) => {
      const url = await databases.url()
      const { blobs, open } = await stage(t)
      const same = await Promise.all([1, 2, 3].map(() => databases.open(t, url)))
      const own = await Promise.all(same.map(async (metadata) => claimEmptyStore({ metadata, blobs: await open() })))
      assert.deepEqual(own, [true, true, true])
      for (const metadata of same) assert.equal(await sweep(metadata, blobs), 'done')

      const contested = await stage(t)
      const others = [await databases.open(t), await databases.open(t)]
      const claims = await Promise.all(
        others.map(async (metadata) => claimEmptyStore({ metadata, blobs: await contested.open() })),
      )
      assert.equal(claims.filter((claimed) => claimed).length, 1)
    })
  }),
)

async function addRows(metadata: Metadata, digests: readonly Digest[]): Promise<void> {
  await metadata.transaction(async (trx) => {
    for (const each of digests) await trx.insertInto('blob').values({ digest: each, size: 40, stored_at: 0 }).execute()
  })
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
