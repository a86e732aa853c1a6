// The program's log: JSON lines on standard error, gathered so that a request never waits for the reader of the log. What is
// gathered is written every second, when the process exits, and when it crashes.

import { type DestinationStream, type Logger, pino } from 'pino'
import { LogWriter } from './log-writer.ts'

const standardError = 2

/** A log of that level (pino's, or `silent`) to standard error. One for each process, as it listens for its exit. */
export function createLog({ level }: { level: string }): Logger {
  const writer = new LogWriter(standardError)
  // After this event nothing asynchronous happens any more; a crash by an uncaught error comes by here as well.
  process.on('exit', () => writer.close())
  return createLogTo(writer, { level })
}

/** A log to any destination. */
export function createLogTo(destination: DestinationStream, { level }: { level: string }): Logger {
  return pino({ level, base: { pid: process.pid }, timestamp: isoTimes() }, destination)
}

/** As pino's own, with the text of one millisecond made once: `bench` figure "manifest GET by tag", where some ten lines share it. */
function isoTimes(): () => string {
  let at: number | undefined
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== at) {
      at = now
      text = `,"time":"${new Date(now).toISOString()}"`
    }
    return text
  }
}
