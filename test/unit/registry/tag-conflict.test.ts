/** Which of two pushes of one tag counts, when they were made in two registries. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAccountId } from '#names/account.ts'
import { parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { decideTag, mostAheadMs, nextTime, type PresentTag } from '#registry/tag-conflict.ts'

const registryOf = (account: string) => ({
  account: parseAccountId(account.repeat(12)),
  region: parseRegion('eu-central-1'),
})
const one = registryOf('1')
const two = registryOf('2')
const small = parseDigest(`sha256:${'a'.repeat(64)}`)
const great = parseDigest(`sha256:${'b'.repeat(64)}`)
const at = 1_700_000_000_000
const day = 86_400_000

const present = (changes: Partial<PresentTag>): PresentTag => ({
  ...{ digest: small, isImmutable: false, countsAt: at - 1_000, source: undefined },
  ...changes,
})
const arriving = (pushedAt: number, digest = great) => ({ digest, source: { registry: one, pushedAt }, at })

test('two registries agree on the winner, whichever push arrives first', () => {
  const time = fc.integer({ min: at - 10, max: at })
  fc.assert(
    fc.property(time, time, (first, second) => {
      const there = decideTag(present({ digest: small, countsAt: first }), arriving(second, great))
      const here = decideTag(present({ digest: great, countsAt: second }), arriving(first, small))
      assert.deepEqual(new Set([there, here]), new Set(['loses', 'wins']))
      if (first !== second) assert.equal(there, second > first ? 'wins' : 'loses')
    }),
  )
})

test('of pushes in the same millisecond the greater digest wins', () => {
  assert.equal(decideTag(present({ digest: small, countsAt: at }), arriving(at, great)), 'wins')
  assert.equal(decideTag(present({ digest: great, countsAt: at }), arriving(at, small)), 'loses')
})

test('a later push of the source that the tag came from is no conflict, and an earlier one changes nothing', () => {
  const tag = present({ source: one, countsAt: at - 500 })
  assert.equal(decideTag(tag, arriving(at - 400)), 'moves')
  assert.equal(decideTag(tag, arriving(at - 600)), 'superseded')
})

test('a tag that came from a third registry counts by the time of its push there, not of its arrival', () => {
  const tag = present({ source: two, countsAt: at - 5_000 })
  assert.equal(decideTag(tag, arriving(at - 4_000)), 'wins')
  assert.equal(decideTag(tag, arriving(at - 6_000)), 'loses')
})

test('an immutable tag stays, however late the push', () => {
  assert.equal(decideTag(present({ isImmutable: true }), arriving(at)), 'immutable')
  assert.equal(decideTag(present({ isImmutable: true, digest: great }), arriving(at)), 'same')
})

test('a clock that is far ahead wins no more than the moment in which its push arrives', () => {
  assert.equal(decideTag(present({ countsAt: at + 60_000 }), arriving(at + 365 * day)), 'loses')
  assert.equal(decideTag(present({ countsAt: at - 1 }), arriving(at + 365 * day)), 'wins')
})

test('a tag that was moved by a clock which has been set back since does not keep its place', () => {
  assert.equal(decideTag(present({ countsAt: at + 365 * day }), arriving(at - day)), 'wins')
  assert.equal(decideTag(present({ countsAt: at + mostAheadMs }), arriving(at)), 'loses')
})

test('a move by a client counts after the tag that it replaces, also where the clock of its source is ahead', () => {
  assert.equal(nextTime(undefined, at), at)
  assert.equal(nextTime(at - 1, at), at)
  assert.equal(nextTime(at, at), at + 1)
  assert.equal(nextTime(at + 10_000, at), at + 10_001)
  assert.equal(nextTime(at + 365 * day, at), at)
})
