import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { closedUntil, type Hours } from '#replication/remote/hours.ts'

const at = (text: string) => Temporal.Instant.from(text).epochMilliseconds
const clock = (ms: number | undefined) =>
  ms === undefined ? 'open' : Temporal.Instant.fromEpochMilliseconds(ms).toString()

test('hours within a day open and close at their minutes', () => {
  const hours: Hours = { start: 9 * 60, end: 17 * 60 + 30, timeZone: 'UTC' }
  assert.equal(clock(closedUntil(hours, at('2026-03-02T08:59:59Z'))), '2026-03-02T09:00:00Z')
  assert.equal(clock(closedUntil(hours, at('2026-03-02T09:00:00Z'))), 'open')
  assert.equal(clock(closedUntil(hours, at('2026-03-02T17:29:59Z'))), 'open')
  assert.equal(clock(closedUntil(hours, at('2026-03-02T17:30:00Z'))), '2026-03-03T09:00:00Z')
})

test('hours pass midnight', () => {
  const hours: Hours = { start: 20 * 60, end: 6 * 60, timeZone: 'Europe/Berlin' }
  assert.equal(clock(closedUntil(hours, at('2026-01-10T18:59:00Z'))), '2026-01-10T19:00:00Z')
  assert.equal(clock(closedUntil(hours, at('2026-01-10T23:30:00Z'))), 'open')
  assert.equal(clock(closedUntil(hours, at('2026-01-11T05:00:00Z'))), '2026-01-11T19:00:00Z')
  assert.equal(clock(closedUntil(hours, at('2026-07-11T04:00:00Z'))), '2026-07-11T18:00:00Z')
})

test('an hour that the clock skips or repeats in spring and autumn opens as the clock shows', () => {
  const hours: Hours = { start: 2 * 60 + 30, end: 3 * 60 + 30, timeZone: 'Europe/Berlin' }
  // On 2026-03-29 the clock goes from 02:00 to 03:00, at 01:00 UTC.
  assert.equal(clock(closedUntil(hours, at('2026-03-29T00:10:00Z'))), '2026-03-29T01:00:00Z')
  // On 2026-10-25 it goes from 03:00 back to 02:00, at 01:00 UTC.
  assert.equal(clock(closedUntil(hours, at('2026-10-25T00:10:00Z'))), '2026-10-25T00:30:00Z')
  assert.equal(clock(closedUntil(hours, at('2026-10-25T01:10:00Z'))), '2026-10-25T01:30:00Z')
})

test('no hours, and equal ends, are always open', () => {
  assert.equal(closedUntil(undefined, 0), undefined)
  assert.equal(closedUntil({ start: 60, end: 60, timeZone: 'UTC' }, 0), undefined)
})

test('the next opening is the first open minute, as a look at each minute finds it', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu']
  const minute = fc.integer({ min: 0, max: 1_439 })
  // Both changes of the clock in a year, in one of these zones at least.
  const days = ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01', '2026-06-15']
  const open = ({ start, end, timeZone }: Hours, now: number) => {
    const { hour, minute: past } = new Date(now).toTemporalInstant().toZonedDateTimeISO(timeZone)
    const wall = hour * 60 + past
    return start === end || (start < end ? wall >= start && wall < end : wall >= start || wall < end)
  }
  fc.assert(
    fc.property(
      fc.record({ start: minute, end: minute, timeZone: fc.constantFrom(...zones) }),
      fc.constantFrom(...days),
      fc.integer({ min: -86_400, max: 86_400 }),
      (hours, day, second) => {
        const now = at(`${day}T00:00:00Z`) + second * 1_000
        let expected: number | undefined
        if (!open(hours, now)) {
          expected = now - (now % 60_000) + 60_000
          while (!open(hours, expected)) expected += 60_000
        }
        assert.equal(closedUntil(hours, now), expected)
      },
    ),
    { numRuns: 60 },
  )
})
