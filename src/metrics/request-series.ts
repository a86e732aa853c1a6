import type { RequestClass } from '#lib/request-class.ts'

/**
 * The counters of requests by the names that their rows have, which are those that Prometheus knows them by. Text is made here and not
 * by a library, of which each would count for itself.
 */
const requests = 'lading_http_requests_total'
const duration = 'lading_http_request_duration_seconds'

/** From a manifest out of memory to a layer of gigabytes. */
export const limitsInSeconds = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 300] as const

/** `status` is `2xx` and so on, or `aborted`. */
export function requestsOf(of: RequestClass, status: string): string {
  return `${requests}{${labelsOf(of)},status="${status}"}`
}

/** How many took no longer than `within` seconds. */
export function answeredWithin(of: RequestClass, within: number): string {
  return bucketOf(labelsOf(of), within)
}

/** For how long all of them took, in milliseconds, since rows hold whole numbers. */
export function millisecondsOf(of: RequestClass): string {
  return `${duration}_sum{${labelsOf(of)}}`
}

export function renderRequests(counters: ReadonlyMap<string, number>): string {
  const names = [...counters.keys()].sort((a, b) => (a < b ? -1 : 1))
  const counted = names.filter((name) => name.startsWith(`${requests}{`))
  const sums = names.filter((name) => name.startsWith(`${duration}_sum{`))
  const of = (name: string) => counters.get(name) ?? 0
  return [
    `# HELP ${requests} Requests that were answered, or broken off by their clients.`,
    `# TYPE ${requests} counter`,
    ...counted.map((name) => `${name} ${of(name)}`),
    `# HELP ${duration} How long requests took, with their bodies.`,
    `# TYPE ${duration} histogram`,
    ...sums.flatMap((sum) => {
      const labels = sum.slice(`${duration}_sum{`.length, -1)
      const buckets = [...limitsInSeconds, Number.POSITIVE_INFINITY].map((limit) => bucketOf(labels, limit))
      return [
        ...buckets.map((bucket) => `${bucket} ${of(bucket)}`),
        `${sum} ${of(sum) / 1_000}`,
        `${duration}_count{${labels}} ${of(bucketOf(labels, Number.POSITIVE_INFINITY))}`,
      ]
    }),
    '',
  ].join('\n')
}

function labelsOf({ surface, operation }: RequestClass): string {
  return `surface="${surface}",operation="${operation}"`
}

function bucketOf(labels: string, limit: number): string {
  return `${duration}_bucket{${labels},le="${limit === Number.POSITIVE_INFINITY ? '+Inf' : limit}"}`
}
