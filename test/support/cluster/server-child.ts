/**
 * A process that serves over the settings in its environment, by a clock that is as many milliseconds ahead as its parent says:
 * first in `LADING_TEST_AHEAD_MS`, then by messages. It answers the first message with its URL, once it listens.
 */
import { pino } from 'pino'
import { prepare, startApp } from '#app.ts'
import { loadSettings } from '#config/load.ts'
import { systemClock } from '#lib/clock.ts'

const { LADING_TEST_AHEAD_MS, ...environment } = process.env
let aheadMs = Number(LADING_TEST_AHEAD_MS)
process.on('message', (message) => {
  aheadMs = Number(message)
})
process.on('disconnect', () => process.exit())

const settings = loadSettings({ flags: {}, environment })
const log = pino({ level: 'warn' }, pino.destination(2))
await prepare(settings, log)
const app = await startApp(settings, log, { clock: () => systemClock() + aheadMs })
process.send?.(app.url)
