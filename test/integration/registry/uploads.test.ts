/** Uploads when the database fails between two steps, and when an answer is lost. */
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import { FileBlobStore } from '#blobs/file.ts'
import { ecrQuotas } from '#config/quotas.ts'
import { type Clock, systemClock } from '#lib/clock.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { digestOf } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createRepositories } from '#registry/repositories.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { createUploads, type Uploads } from '#registry/uploads.ts'
import { sqliteUrl } from '#test/support/databases.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const bytes = Buffer.from('content')
const digest = digestOf('sha256', createHash('sha256').update(bytes).digest('hex'))
async function* source() {
  yield bytes
}

/** Uploads to one repository that is empty. */
async function openUploads(t: TestContext, clock: Clock) {
  const folder = await temporaryFolder()
  const metadata = await openMetadata(await sqliteUrl(), assert.fail)
  t.after(async () => {
    await metadata.close()
    await folder[Symbol.asyncDispose]()
  })
  const blobs = await FileBlobStore.open(folder.path)
  const uploads = createUploads({ metadata, blobs, clock, quotas: ecrQuotas, processId: randomUUID() })
  const key = {
    registry: { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') },
    name: parseRepositoryName('team/app'),
  }
  await createRepositories({ metadata, clock, quotas: ecrQuotas, repositoryCreated: [] }).create(key, {})
  /** Of another process, over the same database and store. */
  const openOther = async () =>
    createUploads({
      ...{ metadata, clock, quotas: ecrQuotas, processId: randomUUID() },
      blobs: await FileBlobStore.open(folder.path),
    })
  return { metadata, uploads, openOther, key }
}

test('an upload whose blob was stored but not recorded begins anew, and can be completed', async (t) => {
  const { metadata, uploads, key } = await openUploads(t, systemClock)
  const id = await uploads.start(key)
  await uploads.append(key, id, { source: source() })
  await metadata.transaction((trx) =>
    sql`create trigger broken before insert on blob begin select raise(abort, 'broken'); end`.execute(trx),
  )
  await assert.rejects(uploads.complete(key, id, digest), /broken/)
  await metadata.transaction((trx) => sql`drop trigger broken`.execute(trx))

  assert.equal(await uploads.offset(key, id), 0)
  const stored = await uploads.complete(key, id, digest, { source: source() })
  assert.deepEqual([stored.digest, stored.sizeBytes], [digest, bytes.length])
})

test('a completion that is repeated keeps the blob for as long as one that came first', async (t) => {
  let now = 1_000
  const { metadata, uploads, key } = await openUploads(t, () => now)
  const id = await uploads.start(key)
  assert.equal((await uploads.complete(key, id, digest, { source: source() })).linked, true)
  now += 20 * 3_600_000
  const again = await uploads.complete(key, id, digest)
  assert.deepEqual(again, { digest, sizeBytes: bytes.length, linked: false })
  const candidates = await metadata.reader.selectFrom('link_candidate').select('since').execute()
  assert.deepEqual(candidates, [{ since: now }])
})

for (const [what, end] of [
  ['was taken over', (other, key, id) => other.append(key, id, { source: source() })],
  ['was cancelled', (other, key, id) => other.cancel(key, id)],
  ['was completed', (other, key, id) => other.complete(key, id, digest, { source: source() })],
] satisfies [string, (other: Uploads, key: RepositoryKey, id: string) => Promise<unknown>][]) {
  test(`a request brings no further bytes for an upload that ${what} in another process`, async (t) => {
    let now = 1_000
    const { uploads, openOther, key } = await openUploads(t, () => now)
    const other = await openOther()
    const id = await uploads.start(key)
    let brought = 0
    async function* endless() {
      for (; brought < 500; brought++) {
        if (brought === 1) await end(other, key, id)
        now += 1_000
        await setImmediate()
        yield bytes
      }
    }
    await assert.rejects(uploads.append(key, id, { source: endless() }), /UploadTakenOver|UploadNotFound/)
    assert(brought < 100, String(brought))
  })
}
