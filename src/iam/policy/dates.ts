/**
 * Dates as conditions write them: the W3C profile of ISO 8601 from the year to the fraction of a second, or seconds since the
 * epoch (IAM user guide, "Condition operators", date).
 */
const pattern = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?)?)?$/

/** Milliseconds since the epoch; `undefined` if it is no date. Four digits are a year. */
export function parseDate(text: string): number | undefined {
  const match = pattern.exec(text)
  if (match === null) return /^\d{1,12}$/.test(text) ? Number(text) * 1_000 : undefined
  const [, year = '', month = '01', day = '01', time = 'T00:00Z'] = match
  const midnight = new Date(`${year}-${month}-${day}T00:00Z`)
  // `Date` takes the 30th of February for the 1st or 2nd of March.
  if (Number.isNaN(midnight.getTime()) || midnight.getUTCDate() !== Number(day)) return undefined
  const at = Date.parse(`${year}-${month}-${day}${time}`)
  return Number.isNaN(at) ? undefined : at
}
