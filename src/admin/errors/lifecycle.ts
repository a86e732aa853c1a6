import type { ErrorName } from '#admin/model.ts'
import type { Exceptions } from '#aws/exceptions.ts'
import type { LifecycleRefusals, WhatIfRefusals } from '#lifecycle/refusals.ts'
import { policyProblemText } from '#wording/lifecycle.ts'
import { invalid } from './invalid.ts'

type Refusals = Pick<LifecycleRefusals, 'LifecyclePolicyInvalid' | 'LifecyclePolicyNotFound'> & WhatIfRefusals

export const lifecycleExceptions: Exceptions<Refusals, ErrorName> = {
  LifecyclePolicyInvalid: [
    'InvalidParameterException',
    (problem) => invalid('LifecyclePolicyText', `Lifecycle policy validation failure: ${policyProblemText(problem)}`),
  ],
  LifecyclePolicyNotFound: [
    'LifecyclePolicyNotFoundException',
    ({ repository }) => `The repository '${repository}' has no lifecycle policy: give a draft.`,
  ],
  WhatIfNotFound: [
    'LifecyclePreviewNotFoundException',
    () =>
      'What the token goes on with is no longer kept: a preview is for a day, and the latest few of a repository. Ask anew.',
  ],
}
