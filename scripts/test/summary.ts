// The closing lines of a run: what failed, the time of each tier, and the counts in the form of node's own summary.

import type { TierResult } from './run-tier.ts'
import type { Counts } from './tally.ts'

export interface RanTier extends TierResult {
  readonly name: string
}

export function printSummary(tiers: readonly RanTier[]): void {
  console.log()
  for (const { name, tally } of tiers) for (const failure of tally?.failures ?? []) console.log(`✖ ${name}: ${failure}`)
  for (const { name, interrupted, seconds } of tiers) {
    if (interrupted === undefined) continue
    console.log(`✖ ${name}: interrupted after ${seconds.toFixed(0)} s`)
    for (const test of interrupted) console.log(`✖ ${name}: ${test} (ran when it was interrupted)`)
  }
  for (const { name, tally, seconds } of tiers) {
    console.log(`ℹ ${name}: ${tally?.counts.tests ?? 'unknown'} tests in ${seconds.toFixed(1)} s`)
  }
  const sum = (count: keyof Counts) => tiers.reduce((total, { tally }) => total + (tally?.counts[count] ?? 0), 0)
  for (const count of ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const) {
    console.log(`ℹ ${count} ${sum(count)}`)
  }
  const durationMs = tiers.reduce((total, { seconds }) => total + seconds * 1_000, 0)
  console.log(`ℹ duration_ms ${Math.round(durationMs)}`)
}
