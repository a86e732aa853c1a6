import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unaskedFrom } from '#upstream/budget.ts'

const seen = { seenAt: 1_000_000, retryAfterMs: undefined, windowSeconds: 21_600 }

test('work that no client waits for leaves a fifth of a rate limit to clients', () => {
  assert.equal(unaskedFrom({ ...seen, limit: 100, remaining: 21 }), 0)
  assert.equal(unaskedFrom({ ...seen, limit: 100, remaining: 20 }), 1_600_000)
  assert.equal(unaskedFrom({ ...seen, limit: 10, remaining: 5 }), 1_600_000)
  assert.equal(unaskedFrom({ ...seen, limit: 10, remaining: 6 }), 0)
})

test('it looks again when the window ends, if that is soon', () => {
  assert.equal(unaskedFrom({ ...seen, windowSeconds: 60, limit: 100, remaining: 0 }), 1_060_000)
})

test('it waits as long as the upstream asked, and not at all without a limit', () => {
  assert.equal(unaskedFrom({ ...seen, limit: undefined, remaining: undefined, retryAfterMs: 7_000 }), 1_007_000)
  assert.equal(unaskedFrom({ ...seen, limit: undefined, remaining: undefined }), 0)
})
