/** Lists of many images read small rows, and in steps: on SQLite a statement holds the whole process. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createImageDeletion } from '#registry/image-deletion.ts'
import { createImageLists } from '#registry/image-lists.ts'
import { readLifecycleImages } from '#registry/lifecycle-images.ts'
import { createDeletedImages } from '#registry/recycle-bin/images.ts'
import { createReferrers } from '#registry/referrers.ts'
import { createRepositories } from '#registry/repositories.ts'
import { createTags } from '#registry/tags.ts'
import { sqliteUrl } from '#test/support/databases.ts'
import { fillRepository } from '#test/support/many-images.ts'
import { preparedDuring } from '#test/support/prepared-texts.ts'
import { aPuller } from '#test/support/puller.ts'

const clock = Date.now
const name = parseRepositoryName('team/app')
const key = { registry: { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') }, name }
const count = 2_500
const everything = { tagStatus: 'ANY', status: 'ANY' } as const

/** Half of its images are in the recycle bin. Each of the others is a referrer of one that is not there. */
async function stage(t: TestContext) {
  const url = await sqliteUrl()
  const metadata = await openMetadata(url, assert.fail)
  t.after(() => metadata.close())
  const { id } = await createRepositories({ metadata, clock, quotas, repositoryCreated: [] }).create(key, {})
  const digests = fillRepository(url.slice('sqlite:'.length), name, 2 * count).map(parseDigest)
  const subject = parseDigest(`sha256:${'0'.repeat(64)}`)
  await metadata.transaction((trx) => trx.updateTable('manifest').set({ subject }).execute())
  const deletion = createImageDeletion({ metadata, clock })
  for (let at = 0; at < count; at += 100) {
    const some = digests.slice(at, at + 100).map((digest) => ({ digest }))
    await deletion.deleteAll(key, some, '')
  }
  const lists = createImageLists({ metadata })
  const referrers = createReferrers({ metadata })
  return {
    metadata,
    id,
    /** Each reads all rows: a filter that nothing passes makes a short page of a long list. */
    lists: {
      'images without a tag': () => lists.list(key, { ...everything, tagStatus: 'UNTAGGED', limit: 100 }),
      'descriptions of images': () => lists.describe(key, { ...everything, limit: 1_000 }),
      'descriptions of images without a tag': () =>
        lists.describe(key, { ...everything, tagStatus: 'UNTAGGED', limit: 100 }),
      'descriptions by digest': () =>
        lists.describeAll(
          key,
          digests.slice(count, count + 100).map((digest) => ({ digest })),
        ),
      referrers: () =>
        referrers.list(key, subject, { status: 'ANY', artifactTypes: ['none/such'], limit: 50 }, aPuller()),
      'deleted images': () => createDeletedImages({ metadata, clock, quotas }).list(key, { limit: 1_000 }),
      'images for a lifecycle policy': () => readLifecycleImages(metadata.reader, id, clock()),
    },
    /** Small ones, which one step reads. */
    shortLists: {
      images: () => lists.list(key, { ...everything, limit: 1_000 }),
      tags: () => createTags({ metadata }).list(key, { limit: 1_000 }),
    },
  }
}

test('other requests run between the steps of a list', async (t) => {
  const { lists, metadata } = await stage(t)
  for (const [what, list] of Object.entries(lists)) assert.ok((await turnsDuring(list)) >= 2, what)
  await metadata.transaction((trx) => trx.updateTable('manifest').set({ status: 'ARCHIVED' }).execute())
  const archived = await turnsDuring(() => createTags({ metadata }).list(key, { limit: 100 }))
  assert.ok(archived >= count / 200, `tags of archived images: ${archived} turns`)
})

test('lists read no content of images, but for the annotations of referrers', async (t) => {
  const { lists, shortLists, metadata } = await stage(t)
  const texts = await preparedDuring(t, async () => {
    for (const list of Object.values({ ...lists, ...shortLists })) await list()
  })
  const selected = texts.filter((text) => text.includes('manifest_content'))
  assert.ok(selected.length > 0, 'the list of referrers asks for lengths')
  for (const text of selected) {
    assert.match(text, /length\("content"\."body"\).*octet_length\("content"\."annotations"\)/)
    assert.doesNotMatch(text.replaceAll(/length\([^)]*\)/g, ''), /"body"|"annotations"/)
  }
  // SQLite reads a row up to the last column that a statement wants, and bodies have up to 4 MiB.
  const row = await metadata.reader.selectFrom('manifest_content').selectAll().executeTakeFirst()
  assert.equal(Object.keys(row ?? {}).at(-1), 'body')
})

/** How often the event loop turned. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  const ended = new AbortController()
  setImmediate(function turn() {
    turns++
    if (!ended.signal.aborted) setImmediate(turn)
  })
  await work()
  ended.abort()
  return turns
}
