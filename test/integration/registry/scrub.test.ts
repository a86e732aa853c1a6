/** What is damaged where it lies is found, taken out of the way, told, and healed by the next push. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { FileBlobStore } from '#blobs/file.ts'
import type { BlobStore } from '#blobs/store.ts'
import { ecrQuotas } from '#config/quotas.ts'
import { readCounters } from '#jobs/counters.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { type Digest, digestHex } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createImageDeletion } from '#registry/image-deletion.ts'
import { createImagePush } from '#registry/image-push.ts'
import { createLinkedBlobs } from '#registry/linked-blobs.ts'
import { createRepositories } from '#registry/repositories.ts'
import { countDamagedManifests } from '#registry/scrub/gauges.ts'
import { type BlobDamage, createScrubWorker, type ManifestDamage } from '#registry/scrub/jobs.ts'
import { readScrubStatus } from '#registry/scrub/status.ts'
import { createUploads } from '#registry/uploads.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { type Blob, type Image, image } from '#test/support/images/build.ts'
import { digest, noise } from '#test/support/images/content.ts'
import { aPuller } from '#test/support/puller.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const registry = { account: parseAccountId('123456789012'), region: parseRegion('eu-west-1') }
const key = { registry, name: parseRepositoryName('team/app') }

eachDatabase((databases) =>
  describe(`the scrub on ${databases.dialect}`, () => {
    async function stage(t: TestContext) {
      const metadata = await databases.open(t)
      const folder = await temporaryFolder()
      t.after(() => folder[Symbol.asyncDispose]())
      const blobs = await FileBlobStore.open(folder.path)
      const clock = () => Date.now()
      const parts = { metadata, clock, quotas: ecrQuotas }
      const repositories = createRepositories({ ...parts, repositoryCreated: [] })
      await repositories.create(key, {})
      const uploads = createUploads({ ...parts, blobs, processId: randomUUID() })
      const images = createImagePush(parts)
      const linked = createLinkedBlobs({ metadata, blobs, clock, gcGraceHours: 24, onDamage: () => {} })
      const told: (BlobDamage | ManifestDamage)[] = []
      const pushBlob = ({ digest, bytes }: Pick<Blob, 'digest' | 'bytes'>) =>
        uploads.push(key, digest, { source: once(bytes) })
      const scrub = async (
        payload: unknown,
        {
          store = blobs,
          over = metadata,
          partMs = 60_000,
          signal = new AbortController().signal,
        }: { store?: BlobStore; over?: Metadata; partMs?: number; signal?: AbortSignal } = {},
      ) => {
        const onDamage = (damage: BlobDamage | ManifestDamage) => void told.push(damage)
        const { work } = createScrubWorker({
          metadata: over,
          blobs: store,
          clock,
          scrubMibPerSecond: 9_999,
          onDamage,
          partMs,
        })
        return work(payload, { signal })
      }
      return {
        metadata,
        blobs,
        told,
        pushBlob,
        putManifest: ({ bytes: body, mediaType }: Image) => images.put(key, { body, mediaType, by: '' }),
        async push(pushed: Image) {
          for (const blob of pushed.blobs) await pushBlob(blob)
          await images.put(key, { body: pushed.bytes, mediaType: pushed.mediaType, by: '' })
        },
        remove: ({ digest }: Image) => createImageDeletion(parts).deleteAll(key, [{ digest }], ''),
        removeRepository: () => repositories.delete(key, { force: true, by: '' }),
        scrub,
        path: (of: Digest) => join(folder.path, 'sha256', digestHex(of).slice(0, 2), digestHex(of)),
        aside: () => readdir(join(folder.path, 'quarantine')).catch(() => []),
        pull: async (of: Digest) => {
          await using reader = await linked.open(key, of, aPuller())
          return Buffer.concat(await Array.fromAsync(reader.chunks()))
        },
        damaged: async () => (await readCounters(metadata.reader)).get('lading_scrub_damaged_total') ?? 0,
        read: async () => (await readCounters(metadata.reader)).get('lading_scrub_bytes_total') ?? 0,
      }
    }

    test('a byte that changed is found, the blob is not served any more, and a push heals it', async (t) => {
      const { push, pushBlob, putManifest, path, scrub, told, pull, aside, damaged, read } = await stage(t)
      const [whole, other] = [image({ seed: 'whole', layers: [5_000] }), image({ seed: 'whole', layers: [5_000, 800] })]
      await push(whole)
      const layer = whole.blobs.find((blob) => other.blobs.some((shared) => shared.digest === blob.digest))
      assert.ok(layer)
      await flipByte(path(layer.digest))
      assert.equal(await scrub({}), 'done')

      assert.deepEqual(
        told.map(({ digest, problem, repositories }) => [digest, problem, repositories]),
        [[layer.digest, 'content', [{ ...key, images: [whole.digest] }]]],
      )
      assert.equal(await damaged(), 1)
      assert.ok((await read()) >= whole.blobs.reduce((sum, { bytes }) => sum + bytes.length, 0))
      assert.deepEqual(
        (await aside()).map((name) => name.replace(/\.[0-9a-f]{12}$/, '')),
        [layer.digest.replace(':', '-')],
      )
      await assert.rejects(pull(layer.digest), refusal('BlobNotFound'))
      // An image that shares the layer is refused, so that its client sends the layer again.
      for (const blob of other.blobs) if (blob.digest !== layer.digest) await pushBlob(blob)
      await assert.rejects(putManifest(other), refusal('ReferencedBlobsMissing'))
      assert.equal(await scrub({}), 'done')
      assert.equal(told.length, 1, 'what is known is not told again')

      await pushBlob(layer)
      assert.deepEqual(await pull(layer.digest), Buffer.from(layer.bytes))
      await putManifest(other)
      assert.equal(await scrub({}), 'done')
      assert.equal(told.length, 1)
      assert.equal((await aside()).length, 1, 'what was put aside is kept')
    })

    test('a file that was cut and one that is gone are found', async (t) => {
      const { push, path, scrub, told } = await stage(t)
      const pushed = image({ seed: 'cut', layers: [5_000, 6_000] })
      await push(pushed)
      const [, cut, gone] = pushed.blobs
      assert.ok(cut && gone)
      await truncate(path(cut.digest), 100)
      await rm(path(gone.digest))
      assert.equal(await scrub({}), 'done')
      assert.deepEqual(
        new Set(told.map(({ digest, problem }) => `${digest} ${problem}`)),
        new Set([`${cut.digest} length`, `${gone.digest} missing`]),
      )
    })

    test('a manifest that changed in the database is told once, until it is whole and changes again', async (t) => {
      const { push, scrub, told, metadata, damaged } = await stage(t)
      const pushed = image({ seed: 'manifest', layers: [100] })
      const other = image({ seed: 'whole', layers: [100] })
      for (const each of [pushed, other]) await push(each)
      const put = (body: Uint8Array) =>
        metadata.transaction((trx) =>
          trx.updateTable('manifest_content').set({ body }).where('digest', '=', pushed.digest).execute(),
        )
      await put(changed(pushed.bytes))
      assert.equal(await scrub({ beganAt: 1 }), 'done')
      assert.equal(await scrub({ beganAt: 2 }), 'done')
      const expected = [pushed.digest, 'manifest', [{ ...key, images: [pushed.digest] }]]
      assert.deepEqual(
        told.map(({ digest, problem, repositories }) => [digest, problem, repositories]),
        [expected],
      )
      assert.deepEqual([await damaged(), await countDamagedManifests(metadata.reader)], [1, 1])

      await put(pushed.bytes)
      assert.equal(await scrub({ beganAt: 3 }), 'done')
      assert.deepEqual([told.length, await countDamagedManifests(metadata.reader)], [1, 0])
      await put(changed(pushed.bytes))
      assert.equal(await scrub({ beganAt: 4 }), 'done')
      assert.deepEqual([told.length, await damaged(), await countDamagedManifests(metadata.reader)], [2, 2, 1])
    })

    test('a damaged manifest in the recycle bin is told once, be its image deleted or its repository', async (t) => {
      const { push, remove, removeRepository, scrub, told, metadata } = await stage(t)
      const [deleted, held] = [image({ seed: 'deleted', layers: [100] }), image({ seed: 'held', layers: [200] })]
      for (const each of [deleted, held]) await push(each)
      await remove(deleted)
      await removeRepository()
      for (const { digest, bytes } of [deleted, held]) {
        const body = changed(bytes)
        await metadata.transaction((trx) =>
          trx.updateTable('manifest_content').set({ body }).where('digest', '=', digest).execute(),
        )
      }
      for (const beganAt of [1, 2]) assert.equal(await scrub({ beganAt }), 'done')
      assert.deepEqual(
        told.map(({ digest, repositories }) => [digest, repositories]),
        [held.digest, deleted.digest]
          .sort((a, b) => (a < b ? -1 : 1))
          .map((digest) => [digest, [{ ...key, images: [digest] }]]),
      )
      const { damagedManifests } = await readScrubStatus(metadata.reader)
      assert.deepEqual(new Set(damagedManifests), new Set([held, deleted].map(({ digest }) => ({ ...key, digest }))))
    })

    test('a round goes on where its last part ended, also after it was broken off', async (t) => {
      const { pushBlob, scrub, path, told, blobs } = await stage(t)
      const some = Array.from({ length: 5 }, (_, at) => blobOf(`part ${at}`)).sort((a, b) =>
        a.digest < b.digest ? -1 : 1,
      )
      for (const blob of some) await pushBlob(blob)
      const opened: Digest[] = []
      const store: BlobStore = watching(blobs, async (of) => void opened.push(of))
      let payload: unknown = {}
      for (let part = 0; part < 2; part++) payload = await goesOn(scrub(payload, { store, partMs: 0.001 }))
      assert.deepEqual(
        opened,
        some.slice(0, 2).map((blob) => blob.digest),
      )

      const stopping = new AbortController()
      const stopped: Digest[] = []
      const broken = watching(blobs, async (of) => {
        if (stopped.push(of) === 2) stopping.abort()
      })
      payload = await goesOn(scrub(payload, { signal: stopping.signal, store: broken }))
      assert.deepEqual(
        stopped,
        some.slice(2, 4).map((blob) => blob.digest),
      )
      const last = some[4]
      assert.ok(last)
      await flipByte(path(last.digest))
      assert.equal(await scrub(payload, { store }), 'done')
      assert.deepEqual(
        opened,
        [...some.slice(0, 2), ...some.slice(3)].map((blob) => blob.digest),
        'what was read before the process was told to end is not read again',
      )
      assert.deepEqual(
        told.map(({ digest }) => digest),
        [last.digest],
      )
    })

    test('a push that stores the blob anew while the damaged one is read is served, and nothing is put aside', async (t) => {
      const { pushBlob, scrub, path, pull, told, blobs, aside } = await stage(t)
      const blob = blobOf('healed')
      await pushBlob(blob)
      await flipByte(path(blob.digest))
      const store: BlobStore = Object.create(
        watching(blobs, async () => {}),
        {
          setAside: {
            value: async (of: Digest, reader: Parameters<BlobStore['setAside']>[1]) => {
              // The push publishes before it asks for the row, which the scrub holds.
              const before = (await blobs.stat(of))?.storedAt
              healing = pushBlob(blob)
              while ((await blobs.stat(of))?.storedAt === before) await new Promise((resolve) => setTimeout(resolve, 1))
              return blobs.setAside(of, reader)
            },
          },
        },
      )
      let healing: Promise<unknown> = Promise.resolve()
      assert.equal(await scrub({}, { store }), 'done')
      await healing
      assert.deepEqual(await pull(blob.digest), blob.bytes)
      assert.deepEqual([told, await aside()], [[], []])
    })

    test('a push that comes while the blob is put aside waits, and heals it', async (t) => {
      const { pushBlob, scrub, path, pull, blobs, aside } = await stage(t)
      const blob = blobOf('healed after')
      await pushBlob(blob)
      await flipByte(path(blob.digest))
      let healing: Promise<unknown> = Promise.resolve()
      const store: BlobStore = Object.create(
        watching(blobs, async () => {}),
        {
          setAside: {
            value: async (of: Digest, reader: Parameters<BlobStore['setAside']>[1]) => {
              const isThat = await blobs.setAside(of, reader)
              healing = pushBlob(blob)
              while ((await blobs.stat(of)) === undefined) await new Promise((resolve) => setTimeout(resolve, 1))
              return isThat
            },
          },
        },
      )
      assert.equal(await scrub({}, { store }), 'done')
      await healing
      assert.deepEqual(await pull(blob.digest), blob.bytes)
      assert.equal((await aside()).length, 1)
    })

    test('a transaction that runs again after the blob was put aside marks it all the same', async (t) => {
      const { pushBlob, scrub, path, told, metadata } = await stage(t)
      const blob = blobOf('again')
      await pushBlob(blob)
      await flipByte(path(blob.digest))
      const twice: Metadata = {
        ...metadata,
        reader: metadata.reader,
        async transaction(work) {
          const undone = new Error('a deadlock')
          await assert.rejects(
            metadata.transaction(async (trx) => {
              await work(trx)
              throw undone
            }),
            undone,
          )
          return metadata.transaction(work)
        },
      }
      assert.equal(await scrub({}, { over: twice }), 'done')
      assert.deepEqual(
        told.map(({ problem }) => problem),
        ['content'],
      )
    })

    test('whole content of a blob in quarantine is shown again', async (t) => {
      const { pushBlob, scrub, pull, metadata } = await stage(t)
      const blob = blobOf('recovered')
      await pushBlob(blob)
      await metadata.transaction((trx) => trx.updateTable('blob').set({ quarantined_at: 1 }).execute())
      await assert.rejects(pull(blob.digest), refusal('BlobNotFound'))
      assert.equal(await scrub({}), 'done')
      assert.deepEqual(await pull(blob.digest), blob.bytes)
    })

    test('where no blob of many is there it fails and marks none, as if a disk were not mounted', async (t) => {
      const { pushBlob, scrub, path, told, metadata } = await stage(t)
      const some = Array.from({ length: 20 }, (_, at) => blobOf(`lost ${at}`))
      for (const blob of some) await pushBlob(blob)
      for (const blob of some) await rm(path(blob.digest))
      await assert.rejects(scrub({}), /no blob of many can be read/)
      assert.deepEqual(told, [])
      const marked = metadata.reader.selectFrom('blob').select('digest').where('quarantined_at', 'is not', null)
      assert.deepEqual(await marked.execute(), [])
    })
  }),
)

function watching(blobs: BlobStore, onOpen: (digest: Digest) => Promise<void>): BlobStore {
  return Object.create(blobs, {
    stat: { value: blobs.stat.bind(blobs) },
    setAside: { value: blobs.setAside.bind(blobs) },
    open: {
      value: async (digest: Digest) => {
        await onOpen(digest)
        return blobs.open(digest)
      },
    },
  })
}

async function goesOn(outcome: Promise<unknown>): Promise<unknown> {
  const ended = await outcome
  assert.ok(typeof ended === 'object' && ended !== null && 'again' in ended, String(ended))
  return JSON.parse(JSON.stringify(ended.again))
}

function changed(bytes: Uint8Array): Uint8Array {
  const body = Buffer.from(bytes)
  body[10] = (body[10] ?? 0) ^ 1
  return body
}

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path)
  bytes[70] = (bytes[70] ?? 0) ^ 1
  await writeFile(path, bytes)
}

const refusal = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code

function blobOf(seed: string): { digest: Digest; bytes: Buffer } {
  const bytes = noise(seed, 3_000)
  return { digest: digest(bytes), bytes }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
