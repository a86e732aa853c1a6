import { setImmediate } from 'node:timers/promises'
import type { LifecycleImage } from '#registry/lifecycle-images.ts'
import { type Decision, evaluate } from './evaluate.ts'
import type { LifecyclePolicy } from './policy.ts'

/** The evaluation, in which other work gets its turn. @throws the signal's reason when it is aborted */
export async function decide(
  policy: LifecyclePolicy,
  images: readonly LifecycleImage[],
  now: number,
  signal: AbortSignal,
): Promise<Decision[]> {
  const steps = evaluate(policy, images, now)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    await setImmediate()
    signal.throwIfAborted()
  }
}
