/** Many short decisions of one call leave other requests their turn. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mostSteps } from '#iam/policy/evaluate.ts'
import { createTurns } from '#iam/turns.ts'
import { Steps } from '#lib/steps.ts'

function spent(count: number): Steps {
  const steps = new Steps(mostSteps)
  steps.spend(count)
  return steps
}

describe('turns between decisions', () => {
  test('a decision that takes long is followed by a pause', async () => {
    const giveTurn = createTurns()
    const pause = giveTurn(spent(mostSteps / 2))
    assert.ok(pause instanceof Promise)
    await pause
  })

  test('short decisions are counted together', () => {
    const giveTurn = createTurns()
    const pauses = Array.from({ length: 100 }, () => giveTurn(spent(mostSteps / 100)))
    const count = pauses.filter((pause) => pause !== undefined).length
    assert.ok(count >= 10 && count <= 20, String(count))
    assert.equal(giveTurn(spent(1)), undefined)
  })
})
