import { Writable } from 'node:stream'
import type { Logger } from 'pino'
import { createLogTo } from '#http/log.ts'

/** A log at `debug` that keeps its lines, as text and parsed. */
export function logLines(): { log: Logger; text(): string; lines(): Record<string, unknown>[] } {
  let text = ''
  const destination = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  const log = createLogTo(destination, { level: 'debug' })
  return {
    log,
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  }
}
