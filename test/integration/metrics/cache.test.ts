/** Counts of the pull through cache: over all processes, by result and upstream, and kept where a batch cannot be written. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readCounters } from '#jobs/counters.ts'
import { createCacheCounts, renderCache } from '#metrics/cache-counts.ts'
import { eachDatabase } from '#test/support/databases.ts'

eachDatabase((databases) =>
  describe(`metrics of the pull through cache on ${databases.dialect}`, () => {
    test('pulls and requests of two processes are summed by their labels', async (t) => {
      const metadata = await databases.open(t)
      const open = () => createCacheCounts({ metadata, onError: (error) => assert.fail(String(error)) })
      const [one, other] = [open(), open()]
      for (const result of ['hit', 'hit', 'miss', 'stale'] as const) one.recordPull(result)
      other.recordPull('hit')
      one.recordRequest('quay.io', 'ok')
      other.recordRequest('quay.io', 'ok')
      other.recordRequest('mirror.example:5000', 'unreachable')
      await Promise.all([one.stop(), other.stop()])
      const lines = renderCache(await readCounters(metadata.reader)).split('\n')
      assert.deepEqual(
        lines.filter((line) => line !== '' && !line.startsWith('#')),
        [
          'lading_cache_pulls_total{result="hit"} 3',
          'lading_cache_pulls_total{result="miss"} 1',
          'lading_cache_pulls_total{result="stale"} 1',
          'lading_upstream_requests_total{upstream="mirror.example:5000",result="unreachable"} 1',
          'lading_upstream_requests_total{upstream="quay.io",result="ok"} 2',
        ],
      )
    })

    test('what could not be written is counted with the next batch', async (t) => {
      const metadata = await databases.open(t)
      const failures = [new Error('out of reach')]
      const transaction: typeof metadata.transaction = (work) => {
        const failure = failures.pop()
        return failure === undefined ? metadata.transaction(work) : Promise.reject(failure)
      }
      const counts = createCacheCounts({ metadata: { ...metadata, transaction }, onError: () => {} })
      counts.recordPull('miss')
      await assert.rejects(counts.flush(), /out of reach/)
      counts.recordPull('miss')
      await counts.stop()
      assert.equal((await readCounters(metadata.reader)).get('lading_cache_pulls_total{result="miss"}'), 2)
    })
  }),
)
