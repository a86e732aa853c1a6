/** What a figure is: something that is measured, the same on both servers or on Lading alone. */
import type { Server } from './server.ts'

export interface Figure {
  /** As `npm run bench <name>` takes it. */
  readonly name: string
  readonly title: string
  /** Programs without which it cannot be measured. */
  readonly programs?: readonly string[]
  /** Only measured with `--full`, or by name. */
  readonly full?: true
}

/** Lading's rate against the peer's. */
export interface Comparison extends Figure {
  readonly unit: Unit
  readonly rounds: number
  /** The least ratio of the rates that Lading is to reach. */
  readonly target?: number
  /** Readies a fresh server, and gives what one round is. `folder` is the figure's own, gone afterwards. */
  readonly prepare: (server: Server, folder: string) => Promise<Round>
}

/** What was done, in requests, bytes or runs, and how long that took. */
export type Round = () => Promise<{ readonly amount: number; readonly seconds: number }>

export type Unit = 'requests' | 'blobs' | 'bytes' | 'runs'

/** One number of Lading's that is not to be above a limit, or not below it. */
export type Limit = Figure & {
  readonly unit: 's' | 'ms' | 'MB' | 'evaluations' | 'images' | '×' | '%'
  readonly measure: () => Promise<number>
} & ({ readonly atMost: number } | { readonly atLeast: number })

/** How long `work` takes, which gives the amount it did. */
export async function timed(work: () => Promise<number>): Promise<{ amount: number; seconds: number }> {
  const startedAt = performance.now()
  const amount = await work()
  return { amount, seconds: (performance.now() - startedAt) / 1000 }
}

/** Repeats `work` on each lane, one after another, until the time is over, and gives how often it ended. */
export async function repeatedly<Lane>(
  lanes: readonly Lane[],
  durationMs: number,
  work: (lane: Lane) => Promise<void>,
): Promise<number> {
  const endsAt = performance.now() + durationMs
  let count = 0
  await Promise.all(
    lanes.map(async (lane) => {
      while (performance.now() < endsAt) {
        await work(lane)
        count++
      }
    }),
  )
  return count
}
