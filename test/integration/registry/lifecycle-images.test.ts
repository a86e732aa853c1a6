/** What lifecycle policies are told of a repository's images. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Metadata } from '#metadata/metadata.ts'
import { readLifecycleImages } from '#registry/lifecycle-images.ts'
import { eachDatabase } from '#test/support/databases.ts'

const digest = (number: number) => `sha256:${number.toString(16).padStart(64, '0')}`

async function addRepository(metadata: Metadata, name: string): Promise<number> {
  const { id } = await metadata.transaction((trx) =>
    trx
      .insertInto('repository')
      .values({
        account: '000000000000',
        region: 'us-east-1',
        name,
        created_at: 1,
        tag_mutability: 'MUTABLE',
        tag_mutability_exclusions: '[]',
        scan_on_push: 0,
        encryption_type: 'AES256',
        kms_key: null,
        resource_tags: '{}',
      })
      .returning('id')
      .executeTakeFirstOrThrow(),
  )
  return id
}

function addImage(metadata: Metadata, repositoryId: number, number: number, more: object = {}) {
  return metadata.transaction((trx) =>
    trx
      .insertInto('manifest')
      .values({
        repository_id: repositoryId,
        digest: digest(number),
        media_type: 'a/b',
        artifact_type: null,
        subject: null,
        image_size: 0,
        pushed_at: number,
        pulled_at: null,
        ...more,
      })
      .execute(),
  )
}

eachDatabase(({ dialect, open }) => {
  describe(`images for lifecycle policies (${dialect})`, () => {
    test('every fact of an image is told, and none of another repository', async (t) => {
      const metadata = await open(t)
      const [id, other] = [await addRepository(metadata, 'team/app'), await addRepository(metadata, 'team/other')]
      await addImage(metadata, id, 1)
      await addImage(metadata, id, 2, {
        subject: digest(1),
        status: 'ARCHIVED',
        image_size: 9,
        pulled_at: 5,
        archived_at: 7,
        activated_at: 6,
      })
      await addImage(metadata, other, 3)
      await metadata.transaction(async (trx) => {
        const [tag, reference] = [{ moved_at: 1 }, { media_type: 'a/b', child: digest(1) }]
        await trx
          .insertInto('tag')
          .values({ ...tag, repository_id: id, tag: 'b', digest: digest(1) })
          .execute()
        await trx
          .insertInto('tag')
          .values({ ...tag, repository_id: id, tag: 'a', digest: digest(1) })
          .execute()
        await trx
          .insertInto('tag')
          .values({ ...tag, repository_id: other, tag: 'c', digest: digest(3) })
          .execute()
        const parent = { repository_id: id, parent: digest(2) }
        await trx
          .insertInto('manifest_reference')
          .values({ ...reference, ...parent, kind: 'manifest' })
          .execute()
        await trx
          .insertInto('manifest_reference')
          .values({ ...reference, ...parent, kind: 'layer' })
          .execute()
      })
      assert.deepEqual(await metadata.snapshot((reader) => readLifecycleImages(reader, id, 0)), [
        {
          digest: digest(1),
          tags: ['a', 'b'],
          status: 'ACTIVE',
          sizeBytes: 0,
          pushedAt: 1,
          pulledAt: undefined,
          archivedAt: undefined,
          activatedAt: undefined,
          subject: undefined,
          indexes: [digest(2)],
          inUseBy: [],
        },
        {
          digest: digest(2),
          tags: [],
          status: 'ARCHIVED',
          sizeBytes: 9,
          pushedAt: 2,
          pulledAt: 5,
          archivedAt: 7,
          activatedAt: 6,
          subject: digest(1),
          indexes: [],
          inUseBy: [],
        },
      ])
    })

    test('more tags and references than a batch holds are all told, each once', async (t) => {
      const metadata = await open(t)
      const id = await addRepository(metadata, 'team/app')
      for (const number of [1, 2, 3]) await addImage(metadata, id, number)
      const numbers = Array.from({ length: 2_500 }, (_, number) => number)
      await metadata.transaction(async (trx) => {
        const tags = numbers.map((number) => ({
          repository_id: id,
          tag: `tag-${number}`,
          digest: digest(1 + (number % 3)),
          moved_at: 1,
        }))
        await trx.insertInto('tag').values(tags).execute()
        const references = numbers.map((number) => ({
          repository_id: id,
          parent: digest(1 + (number % 2)),
          child: number < 2 ? digest(3) : digest(100 + number),
          kind: 'manifest',
          media_type: 'a/b',
        }))
        await trx.insertInto('manifest_reference').values(references).execute()
      })
      const images = await metadata.snapshot((reader) => readLifecycleImages(reader, id, 0))
      const tags = images.flatMap((image) => image.tags)
      assert.equal(tags.length, 2_500)
      assert.equal(new Set(tags).size, 2_500)
      assert.deepEqual(images[2]?.indexes, [digest(1), digest(2)])
    })

    test('a tag that moves while they are read is told once', async (t) => {
      const metadata = await open(t)
      const id = await addRepository(metadata, 'team/app')
      const count = 2_100
      for (let number = 0; number < count; number++) await addImage(metadata, id, number)
      await metadata.transaction((trx) =>
        trx
          .insertInto('tag')
          .values({ repository_id: id, tag: 'v1', digest: digest(count - 1), moved_at: 1 })
          .execute(),
      )
      const read = new AbortController()
      const moving = (async () => {
        for (let number = 0; !read.signal.aborted; number++) {
          await metadata.transaction((trx) =>
            trx
              .updateTable('tag')
              .set({ digest: digest((number * 1_051) % count) })
              .execute(),
          )
          await new Promise(setImmediate)
        }
      })()
      for (let round = 0; round < 10; round++) {
        const images = await metadata.snapshot((reader) => readLifecycleImages(reader, id, 0))
        assert.deepEqual(
          images.flatMap(({ tags }) => tags),
          ['v1'],
        )
      }
      read.abort()
      await moving
    })
  })
})
