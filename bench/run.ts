/**
 * `npm run bench -- [--full] [--json] [figure…]`: how fast Lading is, against CNCF Distribution in the same run on the same
 * machine. Without names it measures every figure but those that need `--full`. What is missing on this machine is said aloud.
 * What each figure means stands in docs/benchmarks.md.
 */
import { parseArgs } from 'node:util'
import { findProgram } from '#test/support/run.ts'
import { blobGet } from './figures/blob-get.ts'
import { blobPush } from './figures/blob-push.ts'
import { coldStorm, coldStormTime } from './figures/cold-storm.ts'
import { collect } from './figures/collect.ts'
import { imagePull } from './figures/image-pull.ts'
import { imagePush } from './figures/image-push.ts'
import { largeLists } from './figures/large-lists.ts'
import { largeManifests } from './figures/large-manifests.ts'
import { manifestGet, manifestGetByUser } from './figures/manifest-get.ts'
import { manifestGetCached } from './figures/manifest-get-cached.ts'
import { parallelUploads } from './figures/parallel-uploads.ts'
import { policyEvaluation } from './figures/policy-evaluation.ts'
import { preview } from './figures/preview.ts'
import { replicationWithin } from './figures/replication-within.ts'
import { silentConnections } from './figures/silent-connections.ts'
import { smallBlobPush } from './figures/small-blob-push.ts'
import { start, startWithCache } from './figures/start.ts'
import { worstPolicies } from './figures/worst-policies.ts'
import { distributionProgram } from './harness/distribution.ts'
import type { Comparison, Limit } from './harness/figure.ts'
import { compare, measureLimit } from './harness/measure.ts'
import { comparisonRow, limitRow, type Row, tableOf } from './harness/report.ts'

const figures: readonly (Comparison | Limit)[] = [
  manifestGet,
  manifestGetByUser,
  manifestGetCached,
  coldStorm,
  blobGet,
  blobPush,
  smallBlobPush,
  imagePush,
  imagePull,
  start,
  startWithCache,
  policyEvaluation,
  worstPolicies,
  silentConnections,
  largeLists,
  largeManifests,
  coldStormTime,
  parallelUploads,
  collect,
  preview,
  replicationWithin,
]

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { full: { type: 'boolean' }, json: { type: 'boolean' } },
})
const say = (text: string) => process.stderr.write(`${text}\n`)

const withPeer = findProgram(distributionProgram) !== undefined
if (!withPeer) {
  say(`SKIPPED: the comparison with CNCF Distribution, since ${distributionProgram} is not on this machine`)
}

const rows: Row[] = []
const results: object[] = []
for (const figure of chosenFigures()) {
  const missing = (figure.programs ?? []).filter((program) => findProgram(program) === undefined)
  if (missing.length > 0) {
    say(`SKIPPED: ${figure.title}, since ${missing.join(', ')} is not on this machine`)
    continue
  }
  say(`${figure.title} …`)
  const { name, title, unit } = figure
  if ('measure' in figure) {
    const value = await measureLimit(figure)
    rows.push(limitRow(figure, value))
    const { measure, ...described } = figure
    results.push({ ...described, value })
  } else {
    const result = await compare(figure, withPeer)
    rows.push(comparisonRow(figure, result))
    results.push({ name, title, unit, target: figure.target, ...result })
  }
}
process.stdout.write(flags.json ? `${JSON.stringify(results, null, 2)}\n` : `\n${tableOf(rows)}`)

function chosenFigures(): readonly (Comparison | Limit)[] {
  const unknown = names.filter((name) => !figures.some((figure) => figure.name === name))
  if (unknown.length > 0) {
    say(`there is no figure ${unknown.join(', ')}; there are ${figures.map(({ name }) => name).join(', ')}`)
    process.exit(1)
  }
  return figures.filter(({ name, full }) => (names.length > 0 ? names.includes(name) : flags.full || !full))
}
