import { setImmediate } from 'node:timers/promises'
import type { Steps } from '#lib/steps.ts'
import { mostSteps } from './policy/evaluate.ts'

/** In steps: a millisecond or two. */
const longestTurn = mostSteps / 16

/**
 * Some calls need hundreds of decisions. Other requests run once the decisions since the last pause took long together, however short
 * each of them is. What decides counts here after each decision.
 */
export function createTurns(): (steps: Steps) => Promise<void> | undefined {
  let spent = 0
  return (steps) => {
    spent += steps.spent
    if (spent <= longestTurn) return undefined
    spent = 0
    return setImmediate()
  }
}
