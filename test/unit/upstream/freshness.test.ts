import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseDigest } from '#names/digest.ts'
import { type CachedTag, localUntil, planOf, type TagState } from '#upstream/freshness.ts'
import { defaultRuleSettings } from '#upstream/rule-settings.ts'

const digestOf = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`)
const [one, two, three] = [digestOf('1'), digestOf('2'), digestOf('3')]
const day = 24 * 60 * 60_000
const now = 100 * day

function plan(state: Partial<TagState>, maxAgeMs: number | 'never' = day) {
  const settings = { ...defaultRuleSettings, maxAgeMs }
  return planOf({ local: undefined, isImmutable: false, cached: undefined, ...state }, { now, settings })
}

function cached(tag: Partial<CachedTag>): CachedTag {
  return { digest: one, over: undefined, checkedAt: now - 1, pending: 'none', ...tag }
}

describe('the plan for a pull by tag', () => {
  test('an unknown tag is asked for', () => {
    assert.deepEqual(plan({}), { do: 'check', known: undefined, otherwise: 'none' })
  })

  test('a tag that was pushed here never asks the upstream', () => {
    assert.deepEqual(plan({ local: one }), { do: 'local' })
    assert.deepEqual(plan({ local: three, cached: cached({ digest: two, over: one, checkedAt: 0 }) }), { do: 'local' })
  })

  test('a cached tag is served for as long as it is fresh, and then checked', () => {
    assert.deepEqual(plan({ local: one, cached: cached({}) }), { do: 'local' })
    const old = { local: one, cached: cached({ checkedAt: now - day }) }
    assert.deepEqual(plan(old), { do: 'check', known: one, otherwise: 'local' })
    assert.deepEqual(plan(old, 'never'), { do: 'local' })
    assert.deepEqual(plan({ local: one, cached: cached({ checkedAt: now }) }, 0), {
      ...{ do: 'check', known: one, otherwise: 'local' },
    })
  })

  test('an immutable tag that is here is never checked', () => {
    assert.deepEqual(plan({ local: one, isImmutable: true, cached: cached({ checkedAt: 0 }) }), { do: 'local' })
  })

  test('a manifest that is still arriving is served in place of the image before it', () => {
    const arriving = cached({ digest: two, over: one, pending: 'arriving' })
    assert.deepEqual(plan({ local: one, cached: arriving }), { do: 'pending', digest: two })
    assert.deepEqual(plan({ local: one, cached: { ...arriving, checkedAt: 0 } }), {
      ...{ do: 'check', known: two, otherwise: 'local' },
    })
  })

  test('where the newer one cannot be had, the image before it is served as stale', () => {
    const failing = cached({ digest: two, over: one, pending: 'failing' })
    assert.deepEqual(plan({ local: one, cached: failing }), { do: 'local', isStale: true })
    assert.deepEqual(plan({ cached: { ...failing, over: undefined } }), { do: 'pending', digest: two })
  })

  test('an image that was deleted here is asked for again', () => {
    assert.deepEqual(plan({ cached: cached({}) }), { do: 'check', known: undefined, otherwise: 'none' })
  })
})

test('until the time that is remembered for a tag, and not after it, its plan is to serve what is here', () => {
  const digests = fc.constantFrom(one, two, three)
  const pending = fc.constantFrom('none' as const, 'arriving' as const, 'failing' as const)
  const some = fc.record({
    digest: digests,
    over: fc.option(digests, { nil: undefined }),
    checkedAt: fc.nat(day),
    pending,
  })
  const states = fc.record({
    local: fc.option(digests, { nil: undefined }),
    isImmutable: fc.boolean(),
    cached: fc.option(some, { nil: undefined }),
  })
  const ages = fc.oneof(fc.constant('never' as const), fc.nat(day))
  fc.assert(
    fc.property(states, ages, fc.nat(3 * day), (state, maxAgeMs, later) => {
      const settings = { ...defaultRuleSettings, maxAgeMs }
      const now = (state.cached?.checkedAt ?? 0) + later
      const { do: what, ...rest } = planOf(state, { now, settings })
      const isHit = what === 'local' && !('isStale' in rest)
      assert.equal(now < localUntil(state, settings), isHit)
    }),
  )
})
