/** Reads what `loop-holds.ts` measured in a server. */
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const loopHolds = new URL('loop-holds.ts', import.meta.url).href

/** For a server that measures its holds. */
export const holdsEnvironment = { NODE_OPTIONS: `--import=${loopHolds}` }

/** In the server's working folder. */
export const holdsSocket = 'holds.sock'

/**
 * The hold of the event loop, in milliseconds, of the server in `folder`: the least of three rounds, since a longer one has a garbage
 * collection in it. Writes a line of its own.
 */
export async function leastHold(
  folder: string,
  what: string,
  work: (round: number) => Promise<unknown>,
): Promise<number> {
  const holds: number[] = []
  for (let round = 0; round < 3; round++) holds.push(await longestHold(folder, () => work(round)))
  const hold = Math.min(...holds)
  process.stderr.write(`  ${what}: ${hold.toFixed(1)} ms\n`)
  return hold
}

/** The longest time, in milliseconds, that the event loop was held while `work` ran. */
async function longestHold(folder: string, work: () => Promise<unknown>): Promise<number> {
  await readHold(folder)
  await work()
  return readHold(folder)
}

async function readHold(folder: string): Promise<number> {
  return Number(await text(connect(join(folder, holdsSocket))))
}
