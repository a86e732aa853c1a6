import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs } from '#jobs/backoff.ts'

test('each failure waits twice as long as the one before, up to an hour, and half of that is left to chance', () => {
  for (const [failures, longest] of [
    [1, 2_000],
    [2, 4_000],
    [5, 32_000],
    [11, 2_048_000],
    [12, 3_600_000],
    [1_000, 3_600_000],
  ] as const) {
    assert.equal(backoffMs(failures, 0), longest / 2)
    assert.equal(backoffMs(failures, 0.5), (longest * 3) / 4)
    assert.ok(backoffMs(failures, 0.999) <= longest)
  }
})
