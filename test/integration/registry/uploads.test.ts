/** Uploads whose database fails between two steps. */
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { sql } from 'kysely'
import { FileBlobStore } from '#blobs/file.ts'
import { ecrQuotas } from '#config/quotas.ts'
import { systemClock as clock } from '#lib/clock.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { digestOf } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createRepositories } from '#registry/repositories.ts'
import { createUploads } from '#registry/uploads.ts'
import { sqliteUrl } from '#test/support/databases.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

test('an upload whose blob was stored but not recorded begins anew, and can be completed', async (t) => {
  await using folder = await temporaryFolder()
  const metadata = await openMetadata(await sqliteUrl(), assert.fail)
  t.after(() => metadata.close())
  const blobs = await FileBlobStore.open(folder.path)
  const uploads = createUploads({ metadata, blobs, clock, quotas: ecrQuotas, processId: randomUUID() })
  const key = {
    registry: { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') },
    name: parseRepositoryName('team/app'),
  }
  await createRepositories({ metadata, clock, quotas: ecrQuotas, repositoryCreated: [] }).create(key, {})
  const bytes = Buffer.from('content')
  const digest = digestOf('sha256', createHash('sha256').update(bytes).digest('hex'))
  async function* source() {
    yield bytes
  }

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
