/** What images that go would free: against a naive count on generated repositories, on real databases. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Metadata } from '#metadata/metadata.ts'
import { parseDigest } from '#names/digest.ts'
import { measureFreed } from '#registry/freed-bytes.ts'
import { eachDatabase } from '#test/support/databases.ts'

const digest = (letter: string, number: number) => parseDigest(`sha256:${letter}${String(number).padStart(63, '0')}`)
const never = new AbortController().signal

/** An image by the numbers of its blobs, in one of two repositories or their bins. A blob of number n has 2^n bytes. */
interface Held {
  readonly repository: 0 | 1
  readonly binned: boolean
  /** That it was deleted and pushed again: the bin has it too. */
  readonly again: boolean
  readonly goes: boolean
  readonly blobs: readonly number[]
}

const blobCount = 12
const isForeign = (blob: number) => blob % 3 === 0
/** Of the foreign layers each repository links some. */
const isLinked = (repository: number, blob: number) => !isForeign(blob) || blob % 2 === repository
const worlds: fc.Arbitrary<Held[]> = fc.array(
  fc.record({
    repository: fc.constantFrom<0 | 1>(0, 0, 1),
    binned: fc.constantFrom(false, false, false, true),
    again: fc.constantFrom(false, false, true),
    goes: fc.boolean(),
    blobs: fc.uniqueArray(fc.nat(blobCount - 1), { maxLength: 4 }),
  }),
  { maxLength: 12 },
)

async function addRepository(metadata: Metadata, name: string): Promise<number> {
  const row = {
    ...{ account: '000000000000', region: 'us-east-1', name, created_at: 1, tag_mutability: 'MUTABLE' },
    ...{
      tag_mutability_exclusions: '[]',
      scan_on_push: 0,
      encryption_type: 'AES256',
      kms_key: null,
      resource_tags: '{}',
    },
  }
  const { id } = await metadata.transaction((trx) =>
    trx.insertInto('repository').values(row).returning('id').executeTakeFirstOrThrow(),
  )
  return id
}

async function fill(metadata: Metadata, ids: readonly number[], world: readonly Held[]): Promise<void> {
  await metadata.transaction(async (trx) => {
    for (const table of ['deleted_image_reference', 'deleted_image', 'manifest_reference', 'manifest'] as const) {
      await trx.deleteFrom(table).execute()
    }
    await trx.deleteFrom('repository_blob').execute()
    for (const [number, { repository, binned, again, blobs }] of world.entries()) {
      const repository_id = ids[repository] ?? 0
      const image = {
        ...{ repository_id, digest: digest('a', number), media_type: 'a/b', artifact_type: null, subject: null },
        ...{ image_size: 0, pushed_at: 1, pulled_at: null },
      }
      const bin = { status: 'ACTIVE', archived_at: null, activated_at: null, tags: '[]', deleted_at: 1 }
      if (binned || again) {
        await trx
          .insertInto('deleted_image')
          .values({ ...image, ...bin, deleted_by: '', cause: 'delete', purge_at: 2 })
          .execute()
      }
      if (!binned) await trx.insertInto('manifest').values(image).execute()
      for (const blob of blobs) {
        if (isLinked(repository, blob)) {
          await trx
            .insertInto('repository_blob')
            .values({ repository_id, digest: digest('b', blob), linked_at: 1 })
            .onConflict((conflict) => conflict.doNothing())
            .execute()
        }
        const kind = isForeign(blob) ? 'foreign' : 'layer'
        for (const table of ['deleted_image_reference', 'manifest_reference'] as const) {
          if (!(table === 'manifest_reference' ? !binned : binned || again)) continue
          await trx
            .insertInto(table)
            .values({ repository_id, parent: image.digest, child: digest('b', blob), kind, media_type: 'a/b' })
            .execute()
        }
      }
    }
  })
}

const bytesOf = (blobs: ReadonlySet<number>) => [...blobs].reduce((sum, number) => sum + 2 ** number, 0)

eachDatabase(({ dialect, open }) => {
  describe(`bytes that are freed (${dialect})`, () => {
    test('are those of blobs that nothing needs which stays, each once, whoever shares them', async (t) => {
      const metadata = await open(t)
      const ids = [await addRepository(metadata, 'team/app'), await addRepository(metadata, 'team/other')]
      await metadata.transaction((trx) =>
        trx
          .insertInto('blob')
          .values(Array.from({ length: blobCount }, (_, n) => ({ digest: digest('b', n), size: 2 ** n, stored_at: 1 })))
          .execute(),
      )
      await fc.assert(
        fc.asyncProperty(worlds, async (world) => {
          await fill(metadata, ids, world)
          const goes = (held: Held) => held.goes && held.repository === 0 && !held.binned
          const going = world.flatMap((held, number) => (goes(held) ? [digest('a', number)] : []))
          const linked = ({ repository, blobs }: Held) => blobs.filter((blob) => isLinked(repository, blob))
          const held = new Set(world.filter(goes).flatMap(linked))
          const needed = new Set(world.filter((each) => !goes(each)).flatMap(linked))
          assert.deepEqual(await measureFreed(metadata.reader, ids[0] ?? 0, going, never), {
            heldBytes: bytesOf(held),
            freedBytes: bytesOf(held.difference(needed)),
          })
        }),
        { numRuns: dialect === 'sqlite' ? 200 : 60 },
      )
    })
  })
})
