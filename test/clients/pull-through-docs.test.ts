/** The lines of docs/pull-through.md about rules, freshness, size limits and status, run as they stand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { openMetadata } from '#metadata/open.ts'
import { markCached, markTagCached } from '#test/support/cached-images.ts'
import { blocksOf, readPage } from '#test/support/documentation.ts'
import { image } from '#test/support/images/build.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushImage } from '#test/support/push.ts'
import { needs, run } from '#test/support/run.ts'
import { startServer } from '#test/support/server.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sections = ['Rules', 'Freshness', 'Size limit', 'Status', 'Where an image came from']
const repository = 'quay/prometheus/node-exporter'

/** The text below a heading of the second rank. */
function sectionOf(page: string, heading: string): string {
  const [, text] = page.split(`\n## ${heading}\n`)
  assert.ok(text !== undefined, heading)
  return text.split('\n## ')[0] ?? ''
}

test('docs/pull-through.md works when followed to the letter', needs('aws'), async (t) => {
  await using server = await startServer({ environment: { LADING_UPSTREAMS: 'quay.io=http://127.0.0.1:1' } })
  await using client = await openOciClient(server)
  await using home = await temporaryFolder()
  const metadata = await openMetadata(`sqlite:${server.dataDir}/lading.db`, () => {})
  t.after(() => metadata.close())
  const cached = image({ seed: 'cached' })
  await pushImage(client.registry, await client.createRepository(repository), cached, 'latest')
  const id = await markCached(metadata, repository, [cached.digest], { upstreamName: 'prometheus/node-exporter' })
  await markTagCached(metadata, id, 'latest', { digest: cached.digest })

  const page = await readPage('pull-through.md', server)
  const lines = sections.flatMap((heading) => blocksOf(sectionOf(page, heading), 'sh'))
  const preamble = `lading() { '${process.execPath}' bin/lading.js "$@"; }
aws() { command aws --endpoint-url '${server.url}' "$@"; }`
  const output = await run('bash', ['-euo', 'pipefail', '-c', `${preamble}\n${lines.join('')}`], {
    cwd: root,
    env: {
      ...{ ...server.environment, HOME: home.path, AWS_PAGER: '', AWS_ENDPOINT_URL: server.url },
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      ...{ AWS_DEFAULT_REGION: server.region, AWS_REGION: server.region },
    },
  })
  assert.match(output, /"upstreamRegistryUrl": "quay\.io"/)
  assert.match(output, /\nmax age seconds +never\n/)
  assert.match(output, /\nquay +quay\.io +1 +1 [^\n]* 10\.0 GiB +never /)
  assert.match(output, /\norigin +cached\nupstream +quay\.io\nupstream repository +prometheus\/node-exporter\n/)
  const outcome = output.match(/tags +1\n/g)
  assert.equal(outcome?.length, 3)

  const [alerts = ''] = blocksOf(sectionOf(page, 'Metrics'), 'yaml')
  const { groups } = parse(alerts) as { groups: { rules: { expr: string }[] }[] }
  const named = groups.flatMap(({ rules }) => rules.flatMap(({ expr }) => expr.match(/lading_\w+/g) ?? []))
  await metadata.transaction((trx) =>
    trx
      // The refresh of the examples asked the upstream, which wrote a row too.
      .replaceInto('cache_rule_status')
      .values({
        ...{ account: server.account, region: server.region, prefix: 'quay', succeeded_at: null, failed_at: 1 },
        ...{ failure_code: 'unreachable', failure_reason: 'it gave no answer', limit_requests: 100 },
        ...{ limit_remaining: 9, limit_window_seconds: 60, limit_read_at: 1 },
      })
      .execute(),
  )
  const known = [...(await readMetrics(server)).keys()].map((series) => series.replace(/\{.*/, ''))
  for (const name of named) assert.ok(known.includes(name), name)
})
