/** Reads what `loop-holds.ts` measured in a server. */
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const loopHolds = new URL('loop-holds.ts', import.meta.url).href

/** For a server that measures its holds. */
export const holdsEnvironment = { NODE_OPTIONS: `--import=${loopHolds}` }

/** In the server's working folder. */
export const holdsSocket = 'holds.sock'

/** The longest time, in milliseconds, that the event loop of the server in `folder` was held while `work` ran. */
export async function longestHold(folder: string, work: () => Promise<unknown>): Promise<number> {
  await readHold(folder)
  await work()
  return readHold(folder)
}

async function readHold(folder: string): Promise<number> {
  return Number(await text(connect(join(folder, holdsSocket))))
}
