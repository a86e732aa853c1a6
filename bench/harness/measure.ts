/**
 * Measures one figure. Each gets fresh servers, so that peak memory is the figure's own; the rounds of the two alternate, so
 * that a busy machine meets both; and before each the disk is at rest, or Lading's fsync would wait for what the peer wrote.
 */

import { run } from '#test/support/run.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { startDistribution } from './distribution.ts'
import type { Comparison, Limit, Round } from './figure.ts'
import { startLading } from './lading.ts'
import type { Server } from './server.ts'
import { cpuSeconds, peakResidentMb } from './usage.ts'

export interface ServerResult {
  /** Amount per second: the median of the rounds. */
  readonly rate: number
  /** CPU seconds that the server used for one unit of the amount: the median of the rounds. */
  readonly cpuPerAmount: number
  readonly peakMb: number
}

export interface ComparisonResult {
  readonly lading: ServerResult
  readonly peer: ServerResult | undefined
  /** Of the rates: the median of what each pair of rounds gave. */
  readonly ratio: number | undefined
}

interface Contender {
  readonly server: Server
  readonly round: Round
  readonly rates: number[]
  readonly cpuPerAmount: number[]
}

export async function compare(figure: Comparison, withPeer: boolean): Promise<ComparisonResult> {
  await using servers = new AsyncDisposableStack()
  const folder = servers.use(await temporaryFolder())
  const enter = async (start: () => Promise<Server>): Promise<Contender> => {
    const server = servers.use(await start())
    return { server, round: await figure.prepare(server, folder.path), rates: [], cpuPerAmount: [] }
  }
  const lading = await enter(startLading)
  const peer = withPeer ? await enter(startDistribution) : undefined
  const contenders = peer === undefined ? [lading] : [lading, peer]

  for (const { round } of contenders) await round() // The first is to warm up.
  for (let round = 0; round < figure.rounds; round++) {
    // Who comes first changes, so that neither always follows the other.
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) await measureRound(contender)
  }
  return {
    lading: await resultOf(lading),
    peer: peer && (await resultOf(peer)),
    ratio: peer && median(lading.rates.map((rate, round) => rate / (peer.rates[round] ?? Number.NaN))),
  }
}

/** The median of five measurements, or the only one of a figure that takes long. */
export async function measureLimit({ measure, full }: Limit): Promise<number> {
  const values: number[] = []
  for (let round = 0; round < (full ? 1 : 5); round++) values.push(await measure())
  return median(values)
}

async function measureRound({ server: { pid }, round, rates, cpuPerAmount }: Contender): Promise<void> {
  await run('sync', [])
  const before = await cpuSeconds(pid)
  const { amount, seconds } = await round()
  rates.push(amount / seconds)
  cpuPerAmount.push(((await cpuSeconds(pid)) - before) / amount)
}

async function resultOf({ server, rates, cpuPerAmount }: Contender): Promise<ServerResult> {
  return { rate: median(rates), cpuPerAmount: median(cpuPerAmount), peakMb: await peakResidentMb(server.pid) }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}
