import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'

/** Asks again until it is so, for half a minute; with a pause, since what it waits for may need the processor. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'it never became so')
    await delay(5)
  }
}
