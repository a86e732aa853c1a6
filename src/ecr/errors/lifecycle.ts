import type { Exceptions } from '#aws/exceptions.ts'
import type { ErrorName } from '#ecr/model.ts'
import type { LifecycleRefusals } from '#lifecycle/refusals.ts'
import { policyProblemText } from '#wording/lifecycle.ts'
import { invalid } from './invalid.ts'

/** What lifecycle policies and their previews are declined for. */
export const lifecycleExceptions = {
  LifecyclePolicyInvalid: [
    'InvalidParameterException',
    (problem) => invalid('LifecyclePolicyText', `Lifecycle policy validation failure: ${policyProblemText(problem)}`),
  ],
  LifecyclePolicyNotFound: [
    'LifecyclePolicyNotFoundException',
    ({ repository, registry }) =>
      `Lifecycle policy does not exist for the repository with name '${repository}' in the registry with id '${registry.account}'`,
  ],
  LifecyclePreviewNotFound: [
    'LifecyclePolicyPreviewNotFoundException',
    ({ repository, registry }) =>
      `Lifecycle policy preview does not exist for the repository with name '${repository}' in the registry with id '${registry.account}'`,
  ],
  LifecyclePreviewInProgress: [
    'LifecyclePolicyPreviewInProgressException',
    ({ repository, registry }) =>
      `Lifecycle policy preview is in progress for the repository with name '${repository}' in the registry with id '${registry.account}'. Wait for it to complete and try again.`,
  ],
} as const satisfies Exceptions<LifecycleRefusals, ErrorName>
