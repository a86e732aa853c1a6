/** Room for uploads is reserved one transaction after the other, also where the database runs them at once. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ecrQuotas } from '#config/quotas.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createRepositories } from '#registry/repositories.ts'
import { createStorageQuotas } from '#registry/storage-quotas.ts'
import { eachDatabase } from '#test/support/databases.ts'

const registry = { account: parseAccountId('123456789012'), region: parseRegion('eu-west-1') }
const kib = 1024
const room = { bytes: 600 * kib, expected: 600 * kib }

eachDatabase((databases) =>
  describe(`reserving room on ${databases.dialect}`, () => {
    async function stage(t: TestContext) {
      const metadata = await databases.open(t)
      const parts = { metadata, clock: Date.now, quotas: ecrQuotas, repositoryCreated: [] }
      const repository = await createRepositories(parts).create({ registry, name: parseRepositoryName('team/app') }, {})
      const add = (upload: string) => ({
        ...{ id: upload, repository_id: repository.id, offset: 0, writer: '', short_part: 'none' },
        ...{ started_at: 0, touched_at: 0, ...registry },
      })
      return { metadata, add, repository }
    }

    test('a transaction waits for the one before, and sees what that reserved', async (t) => {
      const { metadata, add } = await stage(t)
      const rows = ['a', 'b'].map(add)
      await metadata.transaction((trx) => trx.insertInto('upload').values(rows).execute())
      for (const name of ['bytesPerRegistry', 'bytesPerAccount', 'openUploadBytes'] as const) {
        const quotas = createStorageQuotas({ ...ecrQuotas, [name]: 1_000 * kib })
        const { promise: reserved, resolve } = Promise.withResolvers<void>()
        const first = metadata.transaction(async (trx) => {
          await trx.updateTable('upload').set({ held: 0 }).execute()
          await quotas.reserve(trx, registry, 'a', room)
          resolve()
          await delay(200)
        })
        await reserved
        const second = metadata.transaction((trx) => quotas.reserve(trx, registry, 'b', room))
        await assert.rejects(second, { code: 'StorageQuotaExceeded' }, name)
        await first
      }
    })

    test('near the quota of open uploads, too, a transaction waits for the one before', async (t) => {
      const { metadata, add, repository } = await stage(t)
      const quotas = createStorageQuotas({ ...ecrQuotas, openUploads: 1 })
      const { promise: added, resolve } = Promise.withResolvers<void>()
      const open = (upload: string, ms: number) =>
        metadata.transaction(async (trx) => {
          await trx.insertInto('upload').values(add(upload)).execute()
          await quotas.requireUploads(trx, repository)
          resolve()
          await delay(ms)
        })
      const first = open('a', 200)
      await added
      await assert.rejects(open('b', 0), { code: 'StorageQuotaExceeded' })
      await first
    })
  }),
)
