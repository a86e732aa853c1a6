/** Work that all processes share: one does it for a key, and the others wait for what it leaves. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createClaims } from '#jobs/claims.ts'
import { createHolds } from '#jobs/holds.ts'
import { eachDatabase } from '#test/support/databases.ts'

eachDatabase((databases) =>
  describe(`claims on ${databases.dialect}`, () => {
    test('of many that ask at once in two processes one works, and all get its result', async (t) => {
      const url = await databases.url()
      const processes = await Promise.all(
        ['one', 'other'].map(async (processId) =>
          createClaims(createHolds({ metadata: await databases.open(t, url), clock: Date.now, processId })),
        ),
      )
      let left: string | undefined
      let runs = 0
      const work = async () => {
        runs++
        await delay(100)
        left = 'done'
        return left
      }
      const asked = processes.flatMap((claims) =>
        Array.from({ length: 10 }, () => claims.share('key', async () => left, work)),
      )
      assert.deepEqual(new Set(await Promise.all(asked)), new Set(['done']))
      assert.equal(runs, 1)
    })

    test('after a failure each process tries in its turn, and a claim of a dead process ends', async (t) => {
      const url = await databases.url()
      let now = 1_000_000
      const open = async (processId: string) =>
        createClaims(createHolds({ metadata: await databases.open(t, url), clock: () => now, processId }))
      const [dead, alive] = [await open('dead'), await open('alive')]
      const none = async () => undefined
      await assert.rejects(
        dead.share('key', none, async () => {
          throw new Error('no answer')
        }),
        /no answer/,
      )
      assert.equal(await alive.share('key', none, async () => 'second'), 'second')

      // It never ends here, as one of a process that was killed.
      const hung = dead.share('other', none, () => new Promise<string>(() => {}))
      hung.catch(() => {})
      await delay(100)
      const waiting = alive.share('other', none, async () => 'taken over')
      now += 30_001
      assert.equal(await waiting, 'taken over')
    })

    test('a claim of a dead process with a clock an hour ahead ends at once', { timeout: 20_000 }, async (t) => {
      const url = await databases.url()
      const now = 1_000_000_000
      const open = async (processId: string, clock: () => number) =>
        createClaims(createHolds({ metadata: await databases.open(t, url), clock, processId }))
      const [ahead, alive] = [await open('ahead', () => now + 3_600_000), await open('alive', () => now)]
      const hung = Promise.withResolvers<void>()
      ahead
        .share(
          'key',
          async () => undefined,
          () => {
            hung.resolve()
            return new Promise<string>(() => {})
          },
        )
        .catch(() => {})
      await hung.promise
      assert.equal(
        await alive.share(
          'key',
          async () => undefined,
          async () => 'taken over',
        ),
        'taken over',
      )
    })
  }),
)
