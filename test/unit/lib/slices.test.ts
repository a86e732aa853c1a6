/** Long work in slices: each has what it may have, nothing is lost, and other work runs between two. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readInSteps, slicesWithin } from '#lib/slices.ts'

test('slices keep order, hold at most the limit or a single item, and are as few as that allows', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.integer({ min: 1, max: 40 }), (items, limit) => {
      const slices = slicesWithin(items, limit, (item) => item)
      assert.deepEqual(slices.flat(), items)
      const sum = (slice: readonly number[]) => slice.reduce((total, item) => total + item, 0)
      for (const [at, slice] of slices.entries()) {
        assert.ok(slice.length === 1 || sum(slice) <= limit)
        const next = slices[at + 1]?.[0]
        if (next !== undefined) assert.ok(sum(slice) + next > limit, 'the next item had room')
      }
    }),
  )
})

test('steps read each row once, and other work runs between two', async () => {
  const rows = Array.from({ length: 25 }, (_, at) => at)
  const read = async (after: number | undefined, limit: number) =>
    rows.slice((after ?? -1) + 1, (after ?? -1) + 1 + limit)
  const events: unknown[] = []
  const ticking = setInterval(() => {}, 1)
  setImmediate(function other() {
    events.push('other work')
    if (events.length < 6) setImmediate(other)
  })
  for await (const step of readInSteps(10, read)) events.push(step.length)
  clearInterval(ticking)
  assert.deepEqual(events, [10, 'other work', 10, 'other work', 5])
})

test('a reader of steps may stop, and rows that end with a whole step end', async () => {
  let reads = 0
  const read = async (after: number | undefined, limit: number) => {
    reads++
    return after === 19 ? [] : Array.from({ length: limit }, (_, at) => (after ?? -1) + 1 + at)
  }
  for await (const _ of readInSteps(10, read)) break
  assert.equal(reads, 1)
  assert.equal((await Array.fromAsync(readInSteps(10, read))).flat().length, 20)
})
