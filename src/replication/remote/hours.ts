// When transfers to a peer may run: one part of each day, by the clock on the wall of a time zone.

/** A part of each day. It passes midnight if its end is before its start. The whole day if both are equal. */
export interface Hours {
  /** Minutes after midnight. */
  readonly start: number
  /** The first minute after the part: up to 1,440. */
  readonly end: number
  readonly timeZone: string
}

/** When transfers may run again; `undefined` if they may now. */
export function closedUntil(hours: Hours | undefined, now: number): number | undefined {
  if (hours === undefined || isOpen(hours, now)) return undefined
  let at = now - (now % minuteMs) + minuteMs
  for (;;) {
    const minute = minuteOfDay(hours, at)
    if (isWithin(hours, minute)) return at
    const left = (hours.start - minute + minutesOfDay) % minutesOfDay
    // Near the start each minute is looked at: the clock on the wall may be moved meanwhile.
    at += Math.max(1, left - longestShift) * minuteMs
  }
}

const minuteMs = 60_000
const minutesOfDay = 24 * 60
/** No time zone moves its clock by more minutes at once, but for a few that changed the day (IANA time zone database). */
const longestShift = 180

function isOpen(hours: Hours, now: number): boolean {
  return isWithin(hours, minuteOfDay(hours, now))
}

function minuteOfDay({ timeZone }: Hours, now: number): number {
  const { hour, minute } = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone)
  return hour * 60 + minute
}

function isWithin({ start, end }: Hours, minute: number): boolean {
  if (start === end) return true
  return start < end ? minute >= start && minute < end : minute >= start || minute < end
}
