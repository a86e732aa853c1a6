// The reporter that `npm test` shows: node's own, without the summary of each tier. `scripts/test.ts` prints one for the whole run.

import { Readable } from 'node:stream'
import { spec, type TestEvent } from 'node:test/reporters'

const summaryLine = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/

export default async function* print(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  yield* Readable.from(withoutSummary(events)).pipe(new spec())
}

async function* withoutSummary(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  for await (const event of events) {
    const isSummary =
      event.type === 'test:diagnostic' && event.data.nesting === 0 && summaryLine.test(event.data.message)
    if (!isSummary) yield event
  }
}
