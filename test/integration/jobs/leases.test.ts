/** Only the attempt that holds a job's lease renews it or ends it. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { jobKind } from '#jobs/kind.ts'
import { createLeases, type Ending, type Lease, type Leases } from '#jobs/leases.ts'
import { enqueue } from '#jobs/queue.ts'
import { worker } from '#jobs/worker.ts'
import { eachDatabase } from '#test/support/databases.ts'

const leaseMs = 60_000

const count = jobKind({
  kind: 'count',
  attempts: 5,
  leaseMs,
  parse: (document) => document as { part: number; key?: string },
  key: ({ key = 'all' }) => key,
})

const workers = new Map([[count.kind, worker(count, async () => 'done')]])

eachDatabase((databases) =>
  describe(`leases on ${databases.dialect}`, () => {
    async function stage(t: TestContext) {
      const metadata = await databases.open(t)
      let now = 1_000_000
      const clock = () => now
      return {
        clock,
        expire: () => {
          now += leaseMs + 1
        },
        leasesOf: (processId: string) => createLeases({ metadata, clock, processId, onGivenUp: () => assert.fail() }),
        ask: (part: number, key = 'all') =>
          metadata.transaction((trx) => enqueue(trx, count, { part, key }, { at: now })),
        rows: () => metadata.reader.selectFrom('job').selectAll().orderBy('id').execute(),
      }
    }
    type Stage = Awaited<ReturnType<typeof stage>>

    /** Each answers the lease that `old` lost, and leaves the job with another attempt or without one. */
    const losses: Record<string, (stage: Stage, old: Leases) => Promise<Lease>> = {
      'another process took the job': async ({ ask, expire, leasesOf }, old) => {
        await ask(1)
        const lost = await take(old)
        expire()
        await take(leasesOf('new'))
        return lost
      },
      'the same process took the job for the next attempt': async ({ ask, expire }, old) => {
        await ask(1)
        const lost = await take(old)
        expire()
        await take(old)
        return lost
      },
      'another process began the next part under the same attempt number': async (
        { ask, expire, leasesOf, clock },
        old,
      ) => {
        await ask(1)
        const lost = await take(old)
        expire()
        const other = leasesOf('new')
        await other.end(await take(other), { state: 'waiting', at: clock(), attempts: 0, document: { part: 2 } })
        assert.equal((await take(other)).attempt, lost.attempt)
        return lost
      },
      'the job waits for its next attempt': async ({ ask, expire, leasesOf, clock }, old) => {
        await ask(1)
        const lost = await take(old)
        expire()
        const other = leasesOf('new')
        await other.end(await take(other), { state: 'waiting', at: clock(), attempts: 1, error: 'no luck' })
        return lost
      },
      'the job is done': async ({ ask, expire, leasesOf }, old) => {
        await ask(1)
        const lost = await take(old)
        expire()
        const other = leasesOf('new')
        await other.end(await take(other), { state: 'done', document: { part: 7 } })
        return lost
      },
    }

    const endings: Record<string, (now: number) => Ending> = {
      finish: () => ({ state: 'done', document: { part: 99 } }),
      fail: () => ({ state: 'failed', error: 'too late' }),
      'go on': (now) => ({ state: 'waiting', at: now, attempts: 0, document: { part: 99 } }),
      'retry later': (now) => ({ state: 'waiting', at: now + 5_000, attempts: 3, error: 'too late' }),
      release: (now) => ({ state: 'waiting', at: now, attempts: 0 }),
    }

    for (const [loss, lose] of Object.entries(losses)) {
      test(`after ${loss}, the old attempt neither renews the lease nor ends the job`, async (t) => {
        const staged = await stage(t)
        const old = staged.leasesOf('old')
        const lost = await lose(staged, old)
        const before = await staged.rows()
        assert.equal(await old.renew(lost, 10 * leaseMs), false)
        assert.deepEqual(await staged.rows(), before, 'renew')
        for (const [name, endingAt] of Object.entries(endings)) {
          await old.end(lost, endingAt(staged.clock()))
          assert.deepEqual(await staged.rows(), before, name)
        }
      })
    }

    test('the attempt that holds the lease renews it and ends the job', async (t) => {
      const { ask, leasesOf, rows, clock } = await stage(t)
      const leases = leasesOf('one')
      await ask(1)
      const held = await take(leases)
      assert.equal(await leases.renew(held, 2 * leaseMs), true)
      assert.equal((await rows())[0]?.leased_until, clock() + 2 * leaseMs)
      await leases.end(held, { state: 'done' })
      assert.equal((await rows())[0]?.state, 'done')
    })

    test('a process does not take a job that waits while its own earlier attempt still works on it', async (t) => {
      const { ask, expire, leasesOf, clock } = await stage(t)
      const [old, other] = [leasesOf('old'), leasesOf('new')]
      await ask(1)
      const stalled = await take(old)
      expire()
      await other.end(await take(other), { state: 'waiting', at: clock(), attempts: 0, document: { part: 2 } })
      // Another job that is due makes the process look for one to take.
      await ask(1, 'another')
      assert.equal((await old.take(workers, [stalled.id]))?.key, 'another')
      assert.equal((await take(other)).id, stalled.id)
    })
  }),
)

async function take(leases: Leases): Promise<Lease> {
  const lease = await leases.take(workers, [])
  assert.ok(lease)
  return lease
}
