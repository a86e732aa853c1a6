/** What a scanning configuration comes to for one repository, and which rules it may have. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseScanningConfiguration, type ScanningRule, scanningOf } from '#scanning/configuration.ts'

const onPush = (...filters: string[]): ScanningRule => ({ frequency: 'SCAN_ON_PUSH', filters })
const continuously = (...filters: string[]): ScanningRule => ({ frequency: 'CONTINUOUS_SCAN', filters })
const app = (scanOnPush = false) => ({ name: 'team/app', scanOnPush })

describe('basic scanning', () => {
  test('a repository is scanned on push by a rule or by its own flag, and else when it is asked for', () => {
    const scanned = { frequency: 'SCAN_ON_PUSH', filters: ['team/*'] }
    const rules = [onPush('team/*', 'other')]
    assert.deepEqual(scanningOf({ type: 'BASIC', rules }, app()), scanned)
    assert.deepEqual(scanningOf({ type: 'BASIC', rules }, app(true)), scanned)
    assert.deepEqual(scanningOf({ type: 'BASIC', rules: [] }, app(true)), { frequency: 'SCAN_ON_PUSH', filters: [] })
    assert.deepEqual(scanningOf({ type: 'BASIC', rules: [onPush('x')] }, app()), { frequency: 'MANUAL', filters: [] })
  })

  test('its rules scan on push', () => {
    parseScanningConfiguration({ type: 'BASIC', rules: [] })
    parseScanningConfiguration({ type: 'BASIC', rules: [onPush('a'), onPush('b')] })
    for (const frequency of ['CONTINUOUS_SCAN', 'MANUAL'] as const) {
      const refused = () => parseScanningConfiguration({ type: 'BASIC', rules: [{ frequency, filters: ['a'] }] })
      assert.throws(refused, { code: 'ScanFrequencyUnavailable' })
    }
  })
})

describe('enhanced scanning', () => {
  test('of two rules that take a repository, the continuous one wins, and all their filters are told once', () => {
    const rules = [onPush('*', 'app'), continuously('app', 'team/*', 'other')]
    assert.deepEqual(scanningOf({ type: 'ENHANCED', rules }, app()), {
      frequency: 'CONTINUOUS_SCAN',
      filters: ['*', 'app', 'team/*'],
    })
    assert.equal(scanningOf({ type: 'ENHANCED', rules: rules.toReversed() }, app()).frequency, 'CONTINUOUS_SCAN')
  })

  test("a repository's own flag does not count", () => {
    assert.equal(scanningOf({ type: 'ENHANCED', rules: [] }, app(true)).frequency, 'MANUAL')
  })

  test('there is at most one rule of each frequency, and none by hand', () => {
    parseScanningConfiguration({ type: 'ENHANCED', rules: [onPush('a'), continuously('b')] })
    const twice = () => parseScanningConfiguration({ type: 'ENHANCED', rules: [onPush('a'), onPush('b')] })
    assert.throws(twice, { code: 'ScanFrequencyRepeated' })
    const byHand = () => parseScanningConfiguration({ type: 'ENHANCED', rules: [{ frequency: 'MANUAL', filters: [] }] })
    assert.throws(byHand, { code: 'ScanFrequencyUnavailable' })
  })
})
