/** For how long an answer of an upstream counts, and how the columns of a rule hold its settings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  defaultRuleSettings,
  isFresh,
  parseRuleSettings,
  printRuleSettings,
  uncheckedAt,
} from '#upstream/rule-settings.ts'

const hourMs = 3_600_000

test('a tag is fresh until its age is reached, at 0 never, and for ever where no age is set', () => {
  const now = 1_000 * hourMs
  const freshAt = (maxAgeMs: number | 'never', age: number) =>
    isFresh(now - age, { ...defaultRuleSettings, maxAgeMs }, now)
  assert.ok(freshAt(defaultRuleSettings.maxAgeMs, 24 * hourMs - 1))
  assert.ok(!freshAt(defaultRuleSettings.maxAgeMs, 24 * hourMs))
  assert.ok(!freshAt(0, 0))
  assert.ok(freshAt('never', 999 * hourMs))
  assert.ok(!isFresh(uncheckedAt, { ...defaultRuleSettings, maxAgeMs: 'never' }, now))
})

test('a check that a clock ahead of this one made is not fresh', () => {
  assert.ok(!isFresh(1_001, { maxAgeMs: hourMs, maxBytes: 'unlimited' }, 1_000))
})

test('settings come back from the columns as they were', () => {
  for (const settings of [
    defaultRuleSettings,
    { maxAgeMs: 0, maxBytes: 1 },
    { maxAgeMs: 'never', maxBytes: 'unlimited' },
  ] as const) {
    assert.deepEqual(parseRuleSettings(printRuleSettings(settings)), settings)
  }
})
