/** For `runner.test.ts`, which runs it as a file of tests: a test that takes longer than it may, and one that never ends. */
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

describe('a suite', () => {
  test('waits too long', () => delay(3_000))
  test('passes', () => {})
})

test('loops without end', { skip: process.env.LADING_TEST_LOOPS === undefined }, () => {
  for (;;);
})
