/** Pages of images with very many tags. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createImageLists } from '#registry/image-lists.ts'
import { createImagePush } from '#registry/image-push.ts'
import { createRepositories } from '#registry/repositories.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { index } from '#test/support/images/build.ts'

eachDatabase((databases) =>
  describe(`pages of images on ${databases.dialect}`, () => {
    test('a page of very many tags ends early, and each image comes once with all of its tags', async (t) => {
      const metadata = await databases.open(t)
      const clock = Date.now
      const key = {
        registry: { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') },
        name: parseRepositoryName('team/app'),
      }
      const { id } = await createRepositories({ metadata, clock, quotas, repositoryCreated: [] }).create(key, {})
      const tagCounts = [4_000, 0, 4_000, 4_000, 12_000, 1, 0]
      const expected = new Map<string, number>()
      for (const [place, count] of tagCounts.entries()) {
        const { bytes: body, mediaType } = index({ children: [], annotations: { place: String(place) } })
        const { digest } = await createImagePush({ metadata, clock, quotas }).put(key, { body, mediaType, by: '' })
        expected.set(digest, count)
        const tags = Array.from({ length: count }, (_, number) => ({
          repository_id: id,
          tag: `v${place}-${number}`,
          digest,
          moved_at: 0,
        }))
        for (let at = 0; at < count; at += 2_000) {
          const some = tags.slice(at, at + 2_000)
          await metadata.transaction((trx) => trx.insertInto('tag').values(some).execute())
        }
      }

      const lists = createImageLists({ metadata })
      const described = new Map<string, number>()
      let pages = 0
      let after: { digest: string } | undefined
      do {
        const { items, next } = await lists.describe(key, { tagStatus: 'ANY', status: 'ANY', limit: 1_000, after })
        for (const { digest, tags } of items) {
          assert(!described.has(digest))
          described.set(digest, new Set(tags).size)
        }
        after = next && { digest: next }
        pages++
      } while (after !== undefined)
      assert.deepEqual(described, new Map([...expected].sort(([a], [b]) => (a < b ? -1 : 1))))
      assert(pages >= 3, `${pages} pages`)
    })
  }),
)
