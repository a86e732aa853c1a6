/** Counting a foreign layer that is pushed after its images costs as little where these have thousands of other layers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openMetadata } from '#metadata/open.ts'
import { parseDigest } from '#names/digest.ts'
import { countForeignLayer } from '#registry/image-sizes.ts'
import { sqliteUrl } from '#test/support/databases.ts'

const images = 50
const digestOf = (place: number) => parseDigest(`sha256:${place.toString(16).padStart(64, '0')}`)

test('a foreign layer of images with 4,000 layers is counted about as fast as one of images with 10', async () => {
  const few = await measure(10)
  const many = await measure(4_000)
  assert.ok(many < 10 * few, `${many} µs of processor time for images with 4,000 layers, ${few} for those with 10`)
})

/** The least microseconds of processor time of several layers. */
async function measure(layers: number): Promise<number> {
  const metadata = await openMetadata(await sqliteUrl(), assert.fail)
  try {
    const repository_id = await metadata.transaction(async (trx) => {
      const repository = {
        ...{ account: '000000000000', region: 'us-east-1', name: 'app', created_at: 1, tag_mutability: 'MUTABLE' },
        ...{ tag_mutability_exclusions: '[]', scan_on_push: 0, encryption_type: 'AES256', kms_key: null },
        resource_tags: '{}',
      }
      const { id } = await trx.insertInto('repository').values(repository).returning('id').executeTakeFirstOrThrow()
      for (let at = 0; at < images; at++) {
        const key = { repository_id: id, digest: digestOf(100_000 + at) }
        await trx
          .insertInto('manifest')
          .values({ ...key, media_type: 'type', image_size: 0, pushed_at: 1, status: 'ACTIVE' })
          .execute()
        const references = Array.from({ length: layers }, (_, layer) => ({
          ...{ repository_id: id, parent: key.digest, child: digestOf(layer), kind: 'foreign', media_type: 'type' },
        }))
        await trx.insertInto('manifest_reference').values(references).execute()
      }
      return id
    })
    const times: number[] = []
    for (let layer = 0; layer < 8; layer++) {
      const digest = digestOf(layer)
      const before = process.cpuUsage()
      await metadata.transaction(async (trx) => {
        await trx.insertInto('blob').values({ digest, size: 7, stored_at: 1 }).execute()
        await trx.insertInto('repository_blob').values({ repository_id, digest, linked_at: 1 }).execute()
        await countForeignLayer(trx, repository_id, digest)
      })
      const { user, system } = process.cpuUsage(before)
      times.push(user + system)
    }
    const rows = await metadata.reader.selectFrom('manifest').select('image_size').distinct().execute()
    assert.deepEqual(rows, [{ image_size: 8 * 7 }])
    return Math.min(...times)
  } finally {
    await metadata.close()
  }
}
