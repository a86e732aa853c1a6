/** The map that forgets: never above its limit, and it holds what was put in last. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BoundedMap } from '#lib/bounded-map.ts'

test('a bounded map holds the keys that were put in last, the oldest first', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(9)), (limit, puts) => {
      const map = new BoundedMap<number, number>(limit)
      for (const [at, key] of puts.entries()) map.set(key, at)
      const newestFirst = [...new Set(puts.toReversed())]
      const kept = newestFirst.slice(0, limit).reverse()
      assert.deepEqual([...map.keys()], kept)
      for (const key of kept) assert.equal(map.get(key), puts.lastIndexOf(key))
    }),
  )
})

test('with weights it holds what was put in last, as much as the limit permits, and the newest in any case', () => {
  const put = fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 12 }))
  fc.assert(
    fc.property(fc.array(put), (puts) => {
      const map = new BoundedMap<number, number>(10, (weight) => weight)
      let kept: [number, number][] = []
      for (const [key, weight] of puts) {
        map.set(key, weight)
        kept = [...kept.filter(([other]) => other !== key), [key, weight]]
        while (kept.length > 1 && kept.reduce((sum, [, each]) => sum + each, 0) > 10) kept.shift()
        assert.deepEqual([...map], kept)
      }
      map.clear()
      map.set(9, 10)
      assert.deepEqual([...map], [[9, 10]])
    }),
  )
})
