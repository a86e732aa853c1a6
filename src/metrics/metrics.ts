import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { readCounters } from '#jobs/counters.ts'
import { countJobs, latenessMs } from '#jobs/overview.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import { type CacheCounts, renderCache } from './cache-counts.ts'
import type { RequestCounts } from './request-counts.ts'
import { renderRequests } from './request-series.ts'

/**
 * What a deployment tells a Prometheus. What jobs do stands in SQL, and how many requests there were, so that every process tells the
 * same of it; what Node tells is of the process that was asked.
 */
export interface Metrics {
  readonly contentType: string
  /** In Prometheus's text format. */
  render(): Promise<string>
}

/** What another room knows the state of, read anew whenever somebody asks. */
export interface StateGauge {
  readonly name: string
  readonly help: string
  /** Those of its samples, if it has several. */
  readonly labelNames?: readonly string[]
  readonly read: (reader: Reader) => Promise<number | readonly Sample[]>
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Those that are told as 0 until something was counted. */
const counters = {
  lading_audit_dropped_total:
    'Calls that have no audit record: their caller used up its budget, or the database took none.',
  lading_audit_evicted_total: 'Audit records that made room for others before they were old.',
  lading_cache_evicted_bytes_total: 'Bytes of blobs that no cached image needed any more once cached images made room.',
  lading_cache_evicted_images_total: 'Cached images that made room for others.',
  lading_events_published_total: 'Events that were given their place in the order of all events.',
  lading_gc_blobs_total: 'Blobs that garbage collection deleted.',
  lading_gc_bytes_total: 'Bytes of blobs that garbage collection deleted.',
  lading_gc_links_total: 'Links of blobs to repositories that garbage collection took away.',
  lading_gc_uploads_total: 'Uploads that were abandoned, and ended.',
  lading_gc_stray_blobs_total: 'Blobs that a sweep found without a row.',
  lading_gc_stray_drafts_total: 'Drafts of uploads that a sweep found without a row.',
  lading_lifecycle_expired_total: 'Images that lifecycle policies expired.',
  lading_lifecycle_archived_total: 'Images that lifecycle policies archived.',
  lading_scrub_bytes_total: 'Bytes that were read anew and compared with their digest.',
  lading_throttled_requests_total: 'Requests that were refused because their principal made too many.',
  lading_webhook_left_out_total: 'Events that webhooks did not get, since too many of theirs wait.',
  lading_webhook_dead_total: 'Events that webhooks could not deliver within a day, and gave up.',
  lading_webhook_delivered_total: 'Events that webhooks delivered.',
  lading_webhook_failed_total: 'Attempts of webhooks that failed.',
  lading_scrub_damaged_total: 'Blobs that were found damaged and put aside, and manifests that were found damaged.',
} as const

export function createMetrics({
  metadata,
  clock,
  gauges,
  requests,
  cache,
}: {
  metadata: Metadata
  clock: Clock
  gauges: readonly StateGauge[]
  requests: Pick<RequestCounts, 'flush'>
  cache: Pick<CacheCounts, 'flush'>
}): Metrics {
  const register = new Registry()
  collectDefaultMetrics({ register })
  const registers = [register]
  const counted = Object.entries(counters).map(([name, help]) => new Counter({ name, help, registers }))
  const jobs = new Gauge({
    name: 'lading_jobs',
    help: 'Jobs that wait or run, and those that failed in the last week.',
    labelNames: ['kind', 'state'],
    registers,
  })
  const lateness = new Gauge({
    name: 'lading_jobs_lateness_seconds',
    help: 'For how long the job that has been due for longest waits.',
    registers,
  })
  const states = gauges.map(({ name, help, labelNames = [], read }) => ({
    gauge: new Gauge({ name, help, labelNames: [...labelNames], registers }),
    read,
  }))

  async function collect(): Promise<string> {
    await requests.flush()
    await cache.flush()
    const values = await readCounters(metadata.reader)
    for (const counter of counted) counter.reset()
    for (const [at, name] of Object.keys(counters).entries()) counted[at]?.inc(values.get(name) ?? 0)
    const counts = await countJobs(metadata.reader)
    jobs.reset()
    for (const { kind, state, count } of counts) jobs.set({ kind, state }, count)
    lateness.set((await latenessMs(metadata.reader, clock())) / 1_000)
    for (const { gauge, read } of states) {
      const state = await read(metadata.reader)
      gauge.reset()
      if (typeof state === 'number') gauge.set(state)
      else for (const { labels, value } of state) gauge.set(labels, value)
    }
    return (await register.metrics()) + renderRequests(values) + renderCache(values)
  }

  let rendering: Promise<string> | undefined
  return {
    contentType: register.contentType,
    // Whoever asks meanwhile is told the same, so that asking often costs no more.
    render() {
      rendering ??= collect().finally(() => {
        rendering = undefined
      })
      return rendering
    },
  }
}
