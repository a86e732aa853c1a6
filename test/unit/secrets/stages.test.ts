/** Staging labels: each on one version, AWSCURRENT on exactly one once there is any. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '#lib/refusal.ts'
import { type StageMove, type Stages, stagesOf, withMove, withVersion } from '#secrets/stages.ts'

const version = fc.constantFrom('one', 'two', 'three')
const stage = fc.constantFrom('AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING', 'TESTED')

type Step = { readonly add: string; readonly given: readonly string[] | undefined } | StageMove

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ add: version, given: fc.option(fc.uniqueArray(stage, { minLength: 1 }), { nil: undefined }) }),
  fc.record({
    stage,
    from: fc.option(version, { nil: undefined }),
    to: fc.option(version, { nil: undefined }),
  }),
)

function take(stages: Stages, step: Step): Stages {
  try {
    return 'add' in step ? withVersion(stages, step.add, step.given) : withMove(stages, step)
  } catch (error) {
    if (error instanceof Refusal) return stages
    throw error
  }
}

describe('staging labels', () => {
  test('AWSCURRENT stays on one version, and what loses it has AWSPREVIOUS', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let stages: Stages = new Map()
        for (const one of steps) {
          const after = take(stages, one)
          const [before, current] = [stages.get('AWSCURRENT'), after.get('AWSCURRENT')]
          assert.ok(before === undefined || current !== undefined)
          if (before !== undefined && before !== current) assert.equal(after.get('AWSPREVIOUS'), before)
          stages = after
        }
      }),
    )
  })

  test('a version gets the labels that are given, and the first one AWSCURRENT too', () => {
    const first = withVersion(new Map(), 'one', ['TESTED'])
    assert.deepEqual(stagesOf(first, 'one'), ['AWSCURRENT', 'TESTED'])
    const second = withVersion(first, 'two', ['TESTED', 'AWSPENDING'])
    assert.deepEqual([stagesOf(second, 'one'), stagesOf(second, 'two')], [['AWSCURRENT'], ['AWSPENDING', 'TESTED']])
    const third = withVersion(second, 'three', undefined)
    assert.deepEqual([stagesOf(third, 'one'), stagesOf(third, 'three')], [['AWSPREVIOUS'], ['AWSCURRENT']])
  })

  test('a rollback gives both versions the label of the other', () => {
    const stages = withVersion(withVersion(new Map(), 'one', undefined), 'two', undefined)
    const back = withMove(stages, { stage: 'AWSCURRENT', from: 'two', to: 'one' })
    assert.deepEqual([stagesOf(back, 'one'), stagesOf(back, 'two')], [['AWSCURRENT'], ['AWSPREVIOUS']])
  })

  test('a secret has at most twenty labels', () => {
    const nineteen = Array.from({ length: 19 }, (_, at) => `L${at}`)
    const full = withVersion(new Map(), 'one', nineteen)
    assert.equal(full.size, 20)
    assert.throws(() => withMove(full, { stage: 'more', from: undefined, to: 'one' }), { code: 'SecretStagesTooMany' })
    assert.throws(() => withVersion(full, 'two', ['more']), { code: 'SecretStagesTooMany' })
    // AWSPREVIOUS would be one more.
    assert.throws(() => withVersion(full, 'two', undefined), { code: 'SecretStagesTooMany' })
  })
})
