/** Jobs are done at least once, by one process at a time for each kind and key, and again after a failure or a death. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { jobKind } from '#jobs/kind.ts'
import { enqueue } from '#jobs/queue.ts'
import { createJobRunner, type JobRunnerParts } from '#jobs/runner.ts'
import { fireSchedules, registerSchedules, schedule } from '#jobs/schedules.ts'
import { worker } from '#jobs/worker.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { until } from '#test/support/until.ts'

const greet = jobKind({
  kind: 'greet',
  attempts: 3,
  leaseMs: 60_000,
  parse: (document) => document as { who: string; part?: number },
  key: ({ who }) => who,
})

const hourMs = 3_600_000

function jobsOf({ reader }: Metadata) {
  return reader.selectFrom('job').selectAll().orderBy('id').execute()
}

eachDatabase((databases) =>
  describe(`jobs on ${databases.dialect}`, () => {
    async function stage(t: TestContext) {
      const metadata = await databases.open(t)
      let now = Date.now()
      let processes = 0
      return {
        metadata,
        clock: () => now,
        move: (ms: number) => {
          now += ms
        },
        ask: (payload: { who: string; part?: number }, at = now) =>
          metadata.transaction((trx) => enqueue(trx, greet, payload, { at })),
        async run(parts: Partial<JobRunnerParts>) {
          const runner = createJobRunner({
            ...{ metadata, clock: () => now, workers: [], schedules: [], onError: () => {} },
            ...{ processId: `process-${processes++}`, random: () => 0, pollMs: 5, ...parts },
          })
          await runner.start()
          t.after(() => runner.stop())
          return runner
        },
      }
    }

    test('a job runs when it is due, and not before', async (t) => {
      const { ask, run, move, clock, metadata } = await stage(t)
      await ask({ who: 'later' }, clock() + hourMs)
      await ask({ who: 'now' })
      const greeted: string[] = []
      await run({
        workers: [
          worker(greet, async ({ who }) => {
            greeted.push(who)
            return 'done'
          }),
        ],
      })
      await until(() => greeted.length === 1)
      move(hourMs)
      await until(() => greeted.length === 2)
      assert.deepEqual(greeted, ['now', 'later'])
      await until(async () => (await jobsOf(metadata)).every(({ state }) => state === 'done'))
    })

    test('what waits already takes the newer payload and the earlier time', async (t) => {
      const { ask, clock, metadata } = await stage(t)
      await ask({ who: 'a', part: 1 }, clock() + 5_000)
      await ask({ who: 'a', part: 2 }, clock() + 9_000)
      const [job, ...others] = await jobsOf(metadata)
      assert.deepEqual(others, [])
      assert.deepEqual([job?.payload, job?.run_at], ['{"who":"a","part":2}', clock() + 5_000])
    })

    test('of one key one runs at a time, however many processes look, and each is done', async (t) => {
      const { ask, run, metadata } = await stage(t)
      const active = new Map<string, number>()
      const done = new Map<string, number>()
      const workers = [
        worker(greet, async ({ who }) => {
          active.set(who, (active.get(who) ?? 0) + 1)
          assert.equal(active.get(who), 1)
          await delay(3)
          active.set(who, 0)
          done.set(who, (done.get(who) ?? 0) + 1)
          return 'done'
        }),
      ]
      const errors: unknown[] = []
      for (let each = 0; each < 4; each++) await run({ workers, onError: (error) => errors.push(error) })
      for (let round = 0; round < 10; round++) for (const who of ['a', 'b', 'c']) await ask({ who })
      await until(async () => (await jobsOf(metadata)).every(({ state }) => state === 'done'))
      assert.deepEqual(errors, [])
      assert.deepEqual(new Set(done.keys()), new Set(['a', 'b', 'c']))
    })

    test('what fails is tried again, each time later, and then has failed', async (t) => {
      const { ask, run, move, clock, metadata } = await stage(t)
      await ask({ who: 'a' })
      let tries = 0
      await run({
        workers: [
          worker(greet, async () => {
            tries++
            throw new Error(`no luck ${'x'.repeat(1_000)}`)
          }),
        ],
      })
      const waits: number[] = []
      for (const expected of [1, 2]) {
        await until(async () => tries === expected && (await jobsOf(metadata))[0]?.state === 'waiting')
        waits.push(((await jobsOf(metadata))[0]?.run_at ?? 0) - clock())
        move(hourMs)
      }
      await until(async () => (await jobsOf(metadata))[0]?.state === 'failed')
      const [job] = await jobsOf(metadata)
      assert.deepEqual(waits, [1_000, 2_000])
      assert.match(job?.last_error ?? '', /^no luck x+$/)
      assert.equal(job?.last_error?.length, 500)
    })

    test('a long job in no hurry runs beside the others, one at a time', async (t) => {
      const { ask, run, metadata } = await stage(t)
      const scan = { ...greet, kind: 'scan', place: 'aside' } as const
      const ends = Promise.withResolvers<void>()
      const begun: string[] = []
      for (const who of ['x', 'y']) await metadata.transaction((trx) => enqueue(trx, scan, { who }, { at: 0 }))
      const held = async ({ who }: { who: string }) => {
        begun.push(who)
        await ends.promise
        return 'done' as const
      }
      const greeted: string[] = []
      const quick = worker(greet, async ({ who }) => {
        greeted.push(who)
        return 'done'
      })
      await run({ atOnce: 1, workers: [worker(scan, held), quick] })
      await until(() => begun.length === 1)
      for (const who of ['a', 'b', 'c']) await ask({ who })
      await until(() => greeted.length === 3)
      assert.equal(begun.length, 1)
      ends.resolve()
      await until(async () => (await jobsOf(metadata)).every(({ state }) => state === 'done'))
      assert.deepEqual(new Set(begun), new Set(['x', 'y']))
    })

    test('a job goes on in parts, or is given up', async (t) => {
      const { ask, run, clock, metadata } = await stage(t)
      await ask({ who: 'a', part: 0 })
      const parts: (number | undefined)[] = []
      await run({
        workers: [
          worker(greet, async ({ who, part = 0 }) => {
            parts.push(part)
            return part < 3 ? { again: { who, part: part + 1 }, at: clock() } : { giveUp: 'enough' }
          }),
        ],
      })
      await until(async () => (await jobsOf(metadata))[0]?.state === 'failed')
      const [job] = await jobsOf(metadata)
      assert.deepEqual([parts, job?.last_error], [[0, 1, 2, 3], 'enough'])
    })

    test('the job of a process that gives no sign of life is taken, and what that one says later counts no more', async (t) => {
      const { ask, run, move, metadata } = await stage(t)
      await ask({ who: 'a' })
      const stalled = Promise.withResolvers<void>()
      let begun = false
      const workers = [
        worker(greet, async () => {
          begun = true
          await stalled.promise
          throw new Error('too late')
        }),
      ]
      await run({ workers })
      await until(() => begun)
      move(hourMs)
      const taken = Promise.withResolvers<void>()
      await run({ workers: [worker(greet, () => taken.promise.then(() => 'done' as const))] })
      await until(async () => (await jobsOf(metadata))[0]?.attempts === 2)
      stalled.resolve()
      taken.resolve()
      await until(async () => (await jobsOf(metadata))[0]?.state === 'done')
      assert.equal((await jobsOf(metadata))[0]?.leased_by, null)
    })

    test('a job whose process ends each time has failed once it was tried as often as its kind says', async (t) => {
      const { ask, run, move, clock, metadata } = await stage(t)
      for (const who of ['a', 'b', 'c']) await ask({ who })
      const dead = { state: 'running', leased_by: 'dead', leased_until: clock() }
      for (const [key, more] of [
        ['a', { attempts: greet.attempts }],
        ['b', { attempts: greet.attempts, last_error: 'no luck' }],
        ['c', { attempts: greet.attempts - 1 }],
      ] as const) {
        await metadata.transaction((trx) =>
          trx
            .updateTable('job')
            .set({ ...dead, ...more })
            .where('key', '=', key)
            .execute(),
        )
      }
      move(1)
      const begun: string[] = []
      const told: unknown[] = []
      await run({
        workers: [
          worker(greet, async ({ who }) => {
            begun.push(who)
            return 'done'
          }),
        ],
        onError: (error, job) => told.push([job?.key, job?.attempt, error instanceof Error && error.message]),
      })
      await until(async () => (await jobsOf(metadata)).every(({ finished_at }) => finished_at !== null))
      assert.deepEqual(begun, ['c'])
      const each = 'its process ended, or gave no sign of life, in each of 3 attempts'
      const last = 'its process ended, or gave no sign of life, in the last of 3 attempts; before that: no luck'
      assert.deepEqual(
        (await jobsOf(metadata)).map(({ key, state, leased_by, last_error }) => [key, state, leased_by, last_error]),
        [
          ['a', 'failed', null, each],
          ['b', 'failed', null, last],
          ['c', 'done', null, null],
        ],
      )
      assert.deepEqual(told, [
        ['a', 3, each],
        ['b', 3, last],
      ])
    })

    test('who works for longer than the lease keeps it, and is told when it is lost all the same', async (t) => {
      const { ask, run, move, clock, metadata } = await stage(t)
      await ask({ who: 'a' })
      const brief = { ...greet, leaseMs: 300 }
      let lost: AbortSignal | undefined
      await run({
        workers: [
          worker(brief, async (_payload, { signal }) => {
            lost = signal
            await once(signal, 'abort')
            return 'done'
          }),
        ],
      })
      await until(() => lost !== undefined)
      let others = 0
      await run({
        workers: [
          worker(brief, async () => {
            others++
            return 'done'
          }),
        ],
      })
      for (let renewed = 0; renewed < 3; renewed++) {
        move(200)
        await until(async () => (await jobsOf(metadata))[0]?.leased_until === clock() + brief.leaseMs)
      }
      assert.equal(others, 0)
      await metadata.transaction((trx) => trx.updateTable('job').set({ leased_by: 'another', attempts: 2 }).execute())
      await until(() => lost?.aborted === true)
    })

    test('what is asked for while it runs waits for its end, and stands in the place of what was to go on', async (t) => {
      const { ask, run, clock, metadata } = await stage(t)
      await ask({ who: 'a', part: 1 })
      const ending = Promise.withResolvers<void>()
      const begun: string[] = []
      const workers = [
        worker(greet, async ({ who, part = 0 }) => {
          begun.push(`${who} ${part}`)
          if (part !== 1) return 'done'
          await ending.promise
          return { again: { who, part: 3 }, at: clock() }
        }),
      ]
      await run({ workers })
      await until(() => begun.length === 1)
      await ask({ who: 'a', part: 2 })
      await ask({ who: 'b' })
      await run({ workers })
      await until(() => begun.includes('b 0'))
      assert.deepEqual(begun, ['a 1', 'b 0'])
      ending.resolve()
      await until(async () => (await jobsOf(metadata)).every(({ state }) => state === 'done'))
      assert.deepEqual(begun, ['a 1', 'b 0', 'a 2'])
    })

    test('attempts are those since it last went on, or was asked for', async (t) => {
      const { ask, run, clock, metadata } = await stage(t)
      await ask({ who: 'a' })
      const parts: number[] = []
      const runner = await run({
        workers: [
          worker(greet, async ({ who, part = 0 }) => {
            parts.push(part)
            if (part < 5) return { again: { who, part: part + 1 }, at: clock() }
            throw new Error('no luck')
          }),
        ],
      })
      await until(async () => (await jobsOf(metadata))[0]?.last_error === 'no luck')
      await runner.stop()
      const [failed] = await jobsOf(metadata)
      assert.deepEqual([failed?.state, failed?.attempts, parts.length], ['waiting', 1, 6])
      await ask({ who: 'a' })
      assert.equal((await jobsOf(metadata))[0]?.attempts, 0)
    })

    test('a process does not begin anew what it still does, be its lease over', async (t) => {
      const { ask, run, move } = await stage(t)
      await ask({ who: 'a' })
      const ending = Promise.withResolvers<void>()
      t.after(() => ending.resolve())
      const begun: string[] = []
      await run({
        workers: [
          worker(greet, async ({ who }) => {
            begun.push(who)
            if (who === 'a') await ending.promise
            return 'done'
          }),
        ],
      })
      await until(() => begun.length === 1)
      move(hourMs)
      await ask({ who: 'b' })
      await until(() => begun.includes('b'))
      assert.deepEqual(begun, ['a', 'b'])
      ending.resolve()
    })

    test('a process that stops gives its jobs back, as if it had not begun them', async (t) => {
      const { ask, run, metadata } = await stage(t)
      await ask({ who: 'a' })
      let begun = false
      const runner = await run({
        workers: [
          worker(greet, async (_payload, { signal }) => {
            begun = true
            await delay(60_000, undefined, { signal })
            return 'done'
          }),
        ],
      })
      await until(() => begun)
      await runner.stop()
      const [job] = await jobsOf(metadata)
      assert.deepEqual([job?.state, job?.attempts], ['waiting', 0])
    })

    test('a schedule asks once in its time, however many processes there are and however long none was', async (t) => {
      const { run, move, metadata } = await stage(t)
      let done = 0
      const parts = {
        workers: [
          worker(greet, async () => {
            done++
            return 'done'
          }),
        ],
        schedules: [schedule({ everyMs: hourMs, kind: greet, payload: { who: 'all' } })],
      }
      await Promise.all([run(parts), run(parts)])
      assert.equal(done, 0)
      move(10 * hourMs)
      // Until its row says so: a lease ends with so large a step of the clock.
      await until(async () => done === 1 && (await jobsOf(metadata)).every(({ state }) => state === 'done'))
      move(hourMs - 1)
      await delay(50)
      assert.equal(done, 1)
      move(1)
      await until(() => done === 2)
    })

    test('of several that find a schedule due one asks', async (t) => {
      const { metadata, clock } = await stage(t)
      let asked = 0
      const each = { name: 'greeting', everyMs: hourMs, enqueue: async () => void asked++ }
      await registerSchedules(metadata, [each], clock())
      for (const hours of [1, 2]) {
        await Promise.all([1, 2, 3].map(() => fireSchedules(metadata, [each], clock() + hours * hourMs)))
        assert.equal(asked, hours)
      }
    })
  }),
)
