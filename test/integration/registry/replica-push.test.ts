/** Tags and images that other registries replicate: what their transactions leave, on each database. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ecrQuotas } from '#config/quotas.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseTag } from '#names/tag.ts'
import type { TagConflicted } from '#registry/announcements.ts'
import { createImagePush } from '#registry/image-push.ts'
import { moveReplicaTag } from '#registry/replica-push.ts'
import { findReplica, recordReplicas } from '#registry/replicas.ts'
import { createRepositories } from '#registry/repositories.ts'
import { lockRepository } from '#registry/repository.ts'
import { createTagHistory } from '#registry/tag-history.ts'
import { createTagRollback } from '#registry/tag-rollback.ts'
import { eachDatabase } from '#test/support/databases.ts'

const registryOf = (account: string) => ({
  account: parseAccountId(account.repeat(12)),
  region: parseRegion('eu-west-1'),
})
const [registry, source, other] = [registryOf('1'), registryOf('2'), registryOf('3')]
const key = { registry, name: parseRepositoryName('team/app') }
const tag = parseTag('latest')
const start = 1_700_000_000_000

eachDatabase((databases) =>
  describe(`replicated tags on ${databases.dialect}`, () => {
    async function stage(t: TestContext) {
      const metadata = await databases.open(t)
      let now = start
      const parts = { metadata, clock: () => now, quotas: ecrQuotas }
      await createRepositories({ ...parts, repositoryCreated: [] }).create(key, {})
      const pushes = createImagePush(parts)
      const history = createTagHistory(parts)
      const conflicts: TagConflicted[] = []
      const push = async (seed: string, under?: typeof tag) => {
        const body = { schemaVersion: 2, manifests: [], annotations: { seed } }
        const { digest } = await pushes.put(key, {
          ...{ body: Buffer.from(JSON.stringify(body)), mediaType: 'application/vnd.oci.image.index.v1+json' },
          ...{ by: 'ann', tag: under },
        })
        return digest
      }
      return {
        metadata,
        push,
        conflicts,
        at: (time: number) => {
          now = time
        },
        arrive: (digest: Awaited<ReturnType<typeof push>>, pushedAt: number, from = source) =>
          metadata.transaction(async (trx) => {
            const repository = await lockRepository(trx, key, 'exclusive')
            const arrived = { tag, digest, source: from, pushedAt, by: 'peer', at: now, imageCame: false }
            return moveReplicaTag(trx, repository, arrived, {
              tagConflicted: [async (_, conflict) => void conflicts.push(conflict)],
            })
          }),
        lines: async () => {
          const { items } = await history.list(key, { tag, limit: 10 })
          return items.map(({ from, to, cause, by }) => [from, to, cause, by])
        },
        rollBack: () => createTagRollback(parts).rollBack(key, tag, { by: 'ann' }),
        target: async () => (await history.at(key, tag, now)).move?.to,
      }
    }

    test('a tag that the same source moves on is no conflict', async (t) => {
      const { push, arrive, lines, conflicts, at } = await stage(t)
      const [first, second] = [await push('first'), await push('second')]
      at(start + 60)
      assert.equal(await arrive(first, start + 10), 'moved')
      assert.equal(await arrive(second, start + 20), 'moved')
      assert.equal(await arrive(second, start + 20), 'unchanged')
      assert.equal(await arrive(first, start + 10), 'unchanged')
      assert.deepEqual(await lines(), [
        [first, second, 'replication', 'peer'],
        [undefined, first, 'replication', 'peer'],
      ])
      assert.deepEqual(conflicts, [])
    })

    test('a later push of another registry takes the tag, with one line and one announcement', async (t) => {
      const { push, arrive, lines, conflicts, at } = await stage(t)
      const [here, there] = [await push('here', tag), await push('there')]
      at(start + 60)
      assert.equal(await arrive(there, start + 10), 'moved')
      assert.equal(await arrive(there, start + 10), 'unchanged')
      assert.deepEqual((await lines())[0], [here, there, 'conflict', 'peer'])
      assert.deepEqual(
        conflicts.map(({ winner, loser, arrived, source }) => [winner, loser, arrived, source]),
        [[there, here, there, source]],
      )
    })

    test('an earlier push loses the tag, with one line however often it comes, and a rollback finds it', async (t) => {
      const { push, arrive, lines, conflicts, at, rollBack, target } = await stage(t)
      const [here, there] = [await push('here', tag), await push('there')]
      at(start + 60)
      assert.equal(await arrive(there, start - 10), 'conflict')
      assert.equal(await arrive(there, start - 10), 'conflict')
      assert.equal(await target(), here)
      assert.deepEqual(await lines(), [
        [there, here, 'conflict', 'peer'],
        [undefined, here, 'push', 'ann'],
      ])
      assert.equal(conflicts.length, 1)
      assert.deepEqual(await rollBack(), { from: here, to: there })
    })

    test('a tag that came from one registry counts by its push there when another one sends it', async (t) => {
      const { push, arrive, at } = await stage(t)
      const [first, second] = [await push('first'), await push('second')]
      at(start + 1_000)
      assert.equal(await arrive(first, start + 10), 'moved')
      assert.equal(await arrive(second, start + 5, other), 'conflict')
      assert.equal(await arrive(second, start + 20, other), 'moved')
      assert.equal(await arrive(first, start + 15), 'conflict')
    })

    test('a client that moves a tag makes it one of this registry', async (t) => {
      const { push, arrive, at, conflicts } = await stage(t)
      const [first, second, third] = [await push('first'), await push('second'), await push('third')]
      at(start + 1_000)
      await arrive(first, start + 10)
      await push('second', tag)
      assert.equal(await arrive(third, start + 500), 'conflict')
      assert.deepEqual(
        conflicts.map(({ winner, loser }) => [winner, loser]),
        [[second, third]],
      )
    })

    test('a source with a clock far ahead holds a tag no longer than any other', async (t) => {
      const { push, arrive, at } = await stage(t)
      const [first, second] = [await push('first'), await push('second')]
      at(start + 1_000)
      assert.equal(await arrive(first, start + 365 * 86_400_000), 'moved')
      at(start + 3_000)
      assert.equal(await arrive(second, start + 2_000, other), 'moved')
    })

    test('an image that came again is known by its last way here', async (t) => {
      const { push, metadata } = await stage(t)
      const digest = await push('first')
      const record = (from: typeof source, pushedAt: number) =>
        metadata.transaction(async (trx) => {
          const repository = await lockRepository(trx, key, 'exclusive')
          await recordReplicas(trx, repository, [{ digest, source: from, pushedAt }], start)
          return findReplica(trx, repository, digest)
        })
      await record(source, 5)
      assert.deepEqual(await record(other, 7), { digest, source: other, pushedAt: 7, arrivedAt: start })
    })
  }),
)
