/** The usage of a registry is the sum of what it stores, and within its quota, while clients and jobs act at once. */
import assert from 'node:assert/strict'
import { randomInt, randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { FileBlobStore } from '#blobs/file.ts'
import { ecrQuotas } from '#config/quotas.ts'
import { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseTag } from '#names/tag.ts'
import { createCollectionWorkers } from '#registry/collection/jobs.ts'
import { claimEmptyStore } from '#registry/collection/own-store.ts'
import { createImageDeletion } from '#registry/image-deletion.ts'
import { createImagePush } from '#registry/image-push.ts'
import { createLinkedBlobs } from '#registry/linked-blobs.ts'
import { createDeletedImages } from '#registry/recycle-bin/images.ts'
import { createRecycleBinWorker } from '#registry/recycle-bin/purge.ts'
import { createDeletedRepositories } from '#registry/recycle-bin/repositories.ts'
import { createRepositories } from '#registry/repositories.ts'
import { readStorageUsage } from '#registry/storage-usage.ts'
import { createUploads } from '#registry/uploads.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { image } from '#test/support/images/build.ts'
import { assertStorageCounted } from '#test/support/storage-sum.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const registry = { account: parseAccountId('123456789012'), region: parseRegion('eu-west-1') }
const keys = ['team/a', 'team/b', 'team/c'].map((name) => ({ registry, name: parseRepositoryName(name) }))
const images = [0, 1, 2, 3].map((n) => image({ seed: `${n % 3}`, layers: [1_000 + n, 2_000, 3_000 + (n % 2)] }))
const by = 'arn:aws:iam::123456789012:user/ann'
const hourMs = 3_600_000
const runMs = 8_000
const clients = 10
const limit = 30_000

function pick<Item>(items: readonly Item[]): Item {
  const item = items[randomInt(items.length)]
  assert(item !== undefined)
  return item
}

async function* inPieces(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += 700) {
    yield Uint8Array.from(bytes.subarray(at, at + 700))
    await setImmediate()
  }
}

eachDatabase((databases) =>
  describe(`usage of storage on ${databases.dialect}`, () => {
    for (const [what, limits] of [
      ['without a quota', {}],
      ['near a quota', { bytesPerRegistry: limit }],
    ] as const) {
      test(`is the sum of what is there, ${what}`, async (t) => {
        const metadata = await databases.open(t)
        const folder = await temporaryFolder()
        t.after(() => folder[Symbol.asyncDispose]())
        let aheadMs = 0
        const parts = { metadata, clock: () => Date.now() + aheadMs, quotas: { ...ecrQuotas, ...limits } }
        const openProcess = async () => {
          const blobs = await FileBlobStore.open(folder.path)
          await claimEmptyStore({ metadata, blobs })
          return {
            ...{ blobs, uploads: createUploads({ ...parts, blobs, processId: randomUUID() }) },
            linkedBlobs: createLinkedBlobs({ ...parts, blobs, gcGraceHours: 1, onDamage: () => {} }),
          }
        }
        const processes = [await openProcess(), await openProcess()]
        const repositories = createRepositories({ ...parts, repositoryCreated: [] })
        const [pushes, deletion] = [createImagePush(parts), createImageDeletion(parts)]
        const { signal } = new AbortController()
        const work = async () => {
          const collection = { ...parts, blobs: pick(processes).blobs, gcGraceHours: 1, uploadExpiryHours: 1 }
          for (const worker of [createRecycleBinWorker(parts), ...createCollectionWorkers(collection)]) {
            await worker.work({}, { signal })
          }
        }

        const push = async () => {
          const [key, { uploads }, pushed] = [pick(keys), pick(processes), pick(images)]
          for (const { digest, bytes } of pushed.blobs) await uploads.push(key, digest, { source: inPieces(bytes) })
          const { bytes: body, mediaType } = pushed
          await pushes.put(key, { body, mediaType, by, tag: parseTag(`v${randomInt(3)}`) })
        }
        const upload = async () => {
          const [key, bytes] = [pick(keys), pick(pick(images).blobs).bytes]
          const id = await pick(processes).uploads.start(key)
          await pick(processes).uploads.append(key, id, { source: inPieces(bytes) })
          if (randomInt(2) === 0) await pick(processes).uploads.cancel(key, id)
        }
        const acts = [
          ...[push, push, push, upload, work],
          () => pick(processes).linkedBlobs.mount(pick(keys), pick(pick(images).blobs).digest, pick(keys)),
          () => pick(processes).linkedBlobs.unlink(pick(keys), pick(pick(images).blobs).digest),
          () => deletion.deleteAll(pick(keys), [{ digest: pick(images).digest }], by),
          () => repositories.delete(pick(keys), { force: true, by }),
          () => repositories.create(pick(keys), {}),
          () => repositories.create(pick(keys), {}),
          () => createDeletedRepositories(parts).restore(pick(keys), undefined),
          () => createDeletedImages(parts).restore(pick(keys), pick(images).digest, by),
          async () => {
            aheadMs += randomInt(24) * hourMs
          },
        ]
        const end = Date.now() + runMs
        const isRefused = (error: unknown) => {
          if (!(error instanceof Refusal)) throw error
        }
        const actUntilEnd = async () => {
          while (Date.now() < end) await Promise.resolve(pick(acts)()).catch(isRefused)
        }
        let most = 0
        const watch = async () => {
          while (Date.now() < end) {
            const [usage] = await readStorageUsage(metadata.reader, registry.account)
            most = Math.max(most, (usage?.storedBytes ?? 0) + (usage?.uploadBytes ?? 0))
            await setImmediate()
          }
        }
        await Promise.all([watch(), ...Array.from({ length: clients }, actUntilEnd)])
        await assertStorageCounted(metadata)
        assert(most > 0 && (what === 'without a quota' || most <= limit), String(most))
      })
    }
  }),
)
