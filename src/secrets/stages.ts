import { refuse } from './refusals.ts'

/**
 * Staging labels: which version of a secret each label is on (Secrets Manager user guide, "Secret versions"). `AWSCURRENT` is always on
 * one version once there is any. The version that loses it gets `AWSPREVIOUS`.
 */
export type Stages = ReadonlyMap<string, string>

export const currentStage = 'AWSCURRENT'
const previousStage = 'AWSPREVIOUS'

/** Imposed by Secrets Manager (user guide, "Secrets Manager quotas"): labels of all versions of a secret. */
const mostStages = 20

/** The labels once a version was added with those given, or else with `AWSCURRENT`. @throws Refusal `SecretStagesTooMany` */
export function withVersion(stages: Stages, version: string, given: readonly string[] | undefined): Stages {
  const wanted = new Set(given ?? [currentStage])
  const isCurrent = wanted.delete(currentStage) || !stages.has(currentStage)
  // Last, because it moves AWSPREVIOUS too.
  const order = [...wanted, ...(isCurrent ? [currentStage] : [])]
  return bounded(order.reduce((moved, stage) => withStageOn(moved, stage, version), stages))
}

export interface StageMove {
  readonly stage: string
  readonly from: string | undefined
  readonly to: string | undefined
}

/** The labels after one was moved, attached or removed. @throws Refusal `SecretStageInvalid`, `SecretStagesTooMany` */
export function withMove(stages: Stages, { stage, from, to }: StageMove): Stages {
  if (from === undefined && to === undefined) throw refuse('SecretStageInvalid', { problem: 'nothing to do' })
  const present = stages.get(stage)
  if (from !== undefined && present !== from) {
    throw refuse('SecretStageInvalid', { problem: 'not there', stage, version: from })
  }
  if (to === undefined) {
    if (stage === currentStage) throw refuse('SecretStageInvalid', { problem: 'current removed' })
    return new Map([...stages].filter(([name]) => name !== stage))
  }
  if (present !== undefined && present !== to && from === undefined) {
    throw refuse('SecretStageInvalid', { problem: 'not named', stage, version: present })
  }
  return bounded(withStageOn(stages, stage, to))
}

function withStageOn(stages: Stages, stage: string, version: string): Stages {
  const before = stages.get(stage)
  const moved = new Map(stages).set(stage, version)
  if (stage === currentStage && before !== undefined && before !== version) moved.set(previousStage, before)
  return moved
}

function bounded(stages: Stages): Stages {
  if (stages.size > mostStages) throw refuse('SecretStagesTooMany', { limit: mostStages })
  return stages
}

/** The labels of one version, in order. */
export function stagesOf(stages: Stages, version: string): string[] {
  return [...stages]
    .filter(([, on]) => on === version)
    .map(([stage]) => stage)
    .sort((a, b) => (a < b ? -1 : 1))
}
