/** Events without what differs from run to run, so that documentation can show them. */

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g
const shownTime = '2026-12-01T12:00:00'

/** Ids, times, addresses and the client's version are those of the documentation. Digests are of made images and stay. */
export function normalEvent(value: unknown, name = ''): unknown {
  if (typeof value === 'string') {
    if (name === 'userAgent' && !value.startsWith('AWS')) return 'aws-cli/2.31.0'
    return value
      .replace(uuid, '6f1f3c0e-9d5b-4c8e-8a53-0d1c5a4f7b21')
      .replace(time, (_, fraction: string | undefined) => `${shownTime}${fraction === undefined ? '' : '.000'}Z`)
      .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:5100')
  }
  if (typeof value === 'number') return name === 'pushedAt' ? Date.parse(`${shownTime}Z`) : value
  if (Array.isArray(value)) return value.map((each) => normalEvent(each))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, normalEvent(member, key)]))
}
