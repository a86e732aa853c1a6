// Times as people type and read them: in the zone of whoever types, which is always said.

import { CommandError } from './command.ts'

const zoned = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/
const local = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2})(?::(\d{2}))?$/

/**
 * Milliseconds since the epoch, from ISO 8601 with a zone, or from `YYYY-MM-DD HH:MM` in local time; of a time that comes twice when
 * clocks are put back, the first.
 *
 * @throws CommandError, also for a time that there is not, as when clocks are put forward
 */
export function parseTime(text: string): number {
  const at = zoned.test(text) ? Date.parse(text) : parseLocal(text)
  if (Number.isNaN(at)) {
    throw new CommandError(
      `${JSON.stringify(text)} is no time: expected one as in 2026-11-24T14:00:00Z, or in local time (${zoneOf(Date.now())}) as in '2026-11-24 14:00'`,
    )
  }
  return at
}

function parseLocal(text: string): number {
  const [year, month, day, hours, minutes, seconds] = (local.exec(text) ?? []).slice(1).map((part) => Number(part ?? 0))
  if (year === undefined || month === undefined) return Number.NaN
  const date = new Date(year, month - 1, day, hours, minutes, seconds)
  const same =
    date.getMonth() === month - 1 &&
    date.getDate() === day &&
    date.getHours() === hours &&
    date.getMinutes() === minutes &&
    date.getSeconds() === seconds
  return same ? date.getTime() : Number.NaN
}

/** Such as `2026-11-24 14:00:00 (Europe/Berlin, UTC+01:00)`. */
export function printLocal(at: number): string {
  const date = new Date(at)
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(padded).join('-')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(padded).join(':')
  return `${day} ${time} (${zoneOf(at)})`
}

function zoneOf(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset()
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  const offset = `UTC${minutes < 0 ? '-' : '+'}${padded(hours)}:${padded(rest)}`
  return `${Intl.DateTimeFormat().resolvedOptions().timeZone}, ${offset}`
}

function padded(number: number): string {
  return String(number).padStart(2, '0')
}
