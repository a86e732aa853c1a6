/** What two policies differ in: properties on generated pairs of decisions. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { difference } from '#lifecycle/difference.ts'
import { parseLifecyclePolicy } from '#lifecycle/policy.ts'
import { decide, readImages } from './cases.ts'

const names = ['A', 'B', 'C', 'D', 'E', 'F']
const images = readImages(
  Object.fromEntries(names.map((name, index) => [name, { tags: index % 2 === 0 ? ['a'] : [], pushed: index + 1 }])),
)
const policies = fc
  .record({
    tagStatus: fc.constantFrom('any', 'untagged'),
    countNumber: fc.integer({ min: 1, max: 4 }),
    action: fc.constantFrom({ type: 'expire' }, { type: 'transition', targetStorageClass: 'archive' }),
  })
  .map(({ action, ...selection }) => ({
    rules: [{ rulePriority: 1, selection: { ...selection, countType: 'imageCountMoreThan' }, action }],
  }))
const decisionsOf = (policy: object) => decide(parseLifecyclePolicy(JSON.stringify(policy)), images)
const goesIn = (decisions: ReturnType<typeof decisionsOf>) =>
  new Set(decisions.filter(({ verdict }) => verdict === 'act').map(({ image }) => image.digest))

describe('the difference of two policies', () => {
  test('parts what goes under either into three, and its mirror is that of the two the other way round', () => {
    fc.assert(
      fc.property(policies, policies, (one, other) => {
        const [first, second] = [decisionsOf(one), decisionsOf(other)]
        const found = difference(first, second)
        const [inFirst, inSecond] = [goesIn(first), goesIn(second)]
        assert.deepEqual(new Set(found.keys()), inFirst.union(inSecond))
        for (const [digest, side] of found) {
          assert.equal(side !== 'second', inFirst.has(digest))
          assert.equal(side !== 'first', inSecond.has(digest))
        }
        const mirrored = { first: 'second', second: 'first', both: 'both' }
        for (const [digest, side] of difference(second, first))
          assert.equal(side, mirrored[found.get(digest) ?? 'both'])
      }),
    )
  })

  test('of a policy and itself is none', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const decisions = decisionsOf(policy)
        assert.ok([...difference(decisions, decisions).values()].every((side) => side === 'both'))
      }),
    )
  })
})
