/** Deleting very many rows of one owner. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import { deleteSome } from '#metadata/delete-some.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { createRepositories } from '#registry/repositories.ts'
import { eachDatabase } from '#test/support/databases.ts'

eachDatabase((databases) =>
  describe(`deleting very many rows on ${databases.dialect}`, () => {
    test("all of an owner's rows go and nobody else's, a part at each call", async (t) => {
      const metadata = await databases.open(t)
      const [owner, other] = [await uploadsOf(metadata, 'team/app', 3_500), await uploadsOf(metadata, 'team/other', 2)]
      const rows = { table: 'upload', column: 'repository_id', owner, key: 'id' } as const
      let calls = 1
      while (await metadata.transaction((trx) => deleteSome(trx, rows))) calls++
      assert.equal(calls, 5)
      const left = await metadata.reader.selectFrom('upload').select('repository_id').execute()
      assert.deepEqual(
        left.map(({ repository_id }) => repository_id),
        [other, other],
      )
    })
  }),
)

/** A new repository with as many uploads; answers its id. */
async function uploadsOf(metadata: Metadata, name: string, count: number): Promise<number> {
  const registry = { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') }
  const repositories = createRepositories({ metadata, clock: Date.now, quotas, repositoryCreated: [] })
  const { id } = await repositories.create({ registry, name: parseRepositoryName(name) }, {})
  const [writer, short_part] = ['', 'none']
  const rows = Array.from({ length: count }, (_, number) => ({
    ...{ id: `${name}-${number}`, repository_id: id, offset: 0, writer, short_part },
    ...{ parts: 0, started_at: 0, touched_at: 0, ...registry },
  }))
  await metadata.transaction((trx) => trx.insertInto('upload').values(rows).execute())
  return id
}
