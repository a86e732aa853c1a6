/** That SQLite finds a few rows of a repository without reading all that the repository has, from an empty database on. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import { parseAccountId } from '#names/account.ts'
import { parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseTag } from '#names/tag.ts'
import { createImageDeletion } from '#registry/image-deletion.ts'
import { createImageLists } from '#registry/image-lists.ts'
import { createImagePush } from '#registry/image-push.ts'
import { inspectRepository } from '#registry/inspection.ts'
import { findStatusOfParents } from '#registry/linked-blobs.ts'
import { createReferrers } from '#registry/referrers.ts'
import { createRepositories } from '#registry/repositories.ts'
import { createStorageClasses } from '#registry/storage-class.ts'
import { findDueItems, findDueRoutes } from '#replication/queue.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { index } from '#test/support/images/build.ts'
import { preparedDuring } from '#test/support/prepared-texts.ts'
import { aPuller } from '#test/support/puller.ts'

/** A table of the repository's content that is searched by nothing but which repository it is. */
const wholeRepository = /^(?:SCAN|SEARCH) (?!json_each).* \(repository_id=\?\)$/

eachDatabase((databases) => {
  if (databases.dialect !== 'sqlite') return
  describe('plans of queries on sqlite', () => {
    test('no query for a few images reads all of their repository', async (t) => {
      const url = await databases.url()
      const metadata = await databases.open(t, url)
      const clock = Date.now
      const key = {
        registry: { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') },
        name: parseRepositoryName('team/app'),
      }
      const repository = await createRepositories({ metadata, clock, quotas, repositoryCreated: [] }).create(key, {})
      const push = createImagePush({ metadata, clock, quotas })
      const lists = createImageLists({ metadata })
      const classes = createStorageClasses({ metadata, clock })
      const tag = parseTag('v1')
      const child = index({ children: [] })
      const parent = index({ children: [child] })
      const put = ({ bytes: body, mediaType }: typeof child) => push.put(key, { body, mediaType, tag, by: '' })

      const texts = await preparedDuring(t, async () => {
        await put(child)
        const digest = parseDigest(child.digest)
        await put(parent)
        await lists.get(key, { tag })
        await classes.update(key, { tag }, { target: 'ARCHIVE', by: '' })
        await classes.update(key, { digest }, { target: 'ARCHIVE', by: '' })
        await lists.list(key, { tagStatus: 'ANY', status: 'ARCHIVED', limit: 10 })
        await lists.list(key, { tagStatus: 'UNTAGGED', status: 'ARCHIVED', limit: 10 })
        await lists.describe(key, { tagStatus: 'ANY', status: 'ARCHIVED', limit: 10 })
        await classes.update(key, { tag }, { target: 'STANDARD', by: '' })
        await createReferrers({ metadata }).list(key, digest, { status: 'ACTIVE', limit: 10 }, aPuller())
        await findStatusOfParents(metadata.reader, repository.id, digest)
        const replica = { source: { ...key.registry, region: parseRegion('eu-north-1') }, pushedAt: clock() + 1 }
        const { bytes: body, mediaType } = child
        await push.put(key, { body, mediaType, tag, by: '', replica })
        const gone = [{ digest: parseDigest(parent.digest) }, { digest }]
        await createImageDeletion({ metadata, clock }).deleteAll(key, gone, '')
        const inspected = await inspectRepository(metadata.reader, key, { digests: [digest], tags: [tag] })
        assert.deepEqual([inspected.images.get(digest), inspected.tags.get(tag)], ['deleted', 'deleted'])
      })

      const database = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true })
      t.after(() => database.close())
      const explained = texts.filter((text) => !counts(text) && /"manifest|"tag"|"tag_move"|"replica"/.test(text))
      assert(explained.length > 15, 'the texts of the queries were seen')
      for (const text of explained) {
        const plan = database.prepare(`explain query plan ${text}`).all()
        for (const { detail } of plan) assert.doesNotMatch(String(detail), wholeRepository, text)
      }
    })

    test('a look for what to replicate reads nothing that waits for a later time', async (t) => {
      const url = await databases.url()
      const { reader } = await databases.open(t, url)
      const account = parseAccountId('000000000000')
      const source = { account, region: parseRegion('us-east-1') }
      const destination = { account, region: parseRegion('eu-west-1') }
      const texts = await preparedDuring(t, async () => {
        await findDueRoutes(reader, 1)
        await findDueItems(reader, { source, destination }, { limit: 1, except: new Set(), now: 1 })
      })
      const database = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true })
      t.after(() => database.close())
      const explained = texts.filter((text) => text.includes('"due_at" <='))
      assert(explained.length > 1, 'the texts of the queries were seen')
      for (const text of explained) {
        const plan = database.prepare(`explain query plan ${text}`).all()
        const searches = plan.map(({ detail }) => String(detail)).filter((detail) => detail.includes('_item_due'))
        assert.match(searches.join(), /due_at<\?/, text)
      }
    })
  })
})

/** What quotas count goes through an index that has nothing else, no further than the quota. */
function counts(text: string): boolean {
  return text.endsWith('limit ? offset ?')
}
