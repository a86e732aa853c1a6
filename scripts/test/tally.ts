// A reporter for `scripts/test.ts`: one line of JSON that counts what one tier ran, and names what failed.

import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'

/** As node's own summary names them. */
export interface Counts {
  readonly tests: number
  readonly suites: number
  readonly pass: number
  readonly fail: number
  readonly cancelled: number
  readonly skipped: number
  readonly todo: number
}

export interface Tally {
  readonly counts: Counts
  readonly failures: readonly string[]
}

export default async function* tally(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failures: string[] = []
  for await (const { type, data } of events) {
    if (type === 'test:fail' && !isOfItsTests(data.details.error)) {
      const { file, line, name } = data
      failures.push(file === undefined ? name : `${name} (${relative('.', file)}:${line})`)
    }
    // Each file has a summary too. The one of the whole tier names no file.
    if (type !== 'test:summary' || data.file !== undefined) continue
    const { tests, suites, passed, cancelled, skipped, todo } = data.counts
    const fail = tests - passed - cancelled - skipped - todo
    const whole: Tally = { counts: { tests, suites, pass: passed, fail, cancelled, skipped, todo }, failures }
    yield `${JSON.stringify(whole)}\n`
  }
}

/** A suite or a file that fails only because a test in it failed. */
function isOfItsTests(error: Error): boolean {
  return 'failureType' in error && error.failureType === 'subtestsFailed'
}
