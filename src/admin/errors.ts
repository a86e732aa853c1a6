import type { Exceptions } from '#aws/exceptions.ts'
import type { IamRefusals } from '#iam/refusals.ts'
import type { LifecycleRefusals, WhatIfRefusals } from '#lifecycle/refusals.ts'
import type { RegistryRefusals } from '#registry/refusals.ts'
import { accessDeniedText } from '#wording/iam.ts'
import { policyProblemText } from '#wording/lifecycle.ts'
import { registryTexts } from '#wording/registry.ts'
import type { ErrorName } from './model.ts'
import type { AdminRefusals } from './refusals.ts'

/** Every refusal that reaches this surface. */
type Refusals = Pick<IamRefusals, 'AccessDenied'> &
  Pick<RegistryRefusals, 'RepositoryNotFound'> &
  Pick<LifecycleRefusals, 'LifecyclePolicyInvalid' | 'LifecyclePolicyNotFound'> &
  WhatIfRefusals &
  AdminRefusals

export const exceptions: Exceptions<Refusals, ErrorName | 'AccessDeniedException'> = {
  AccessDenied: ['AccessDeniedException', accessDeniedText],
  PrincipalUnknown: [
    'PrincipalNotFoundException',
    ({ principal }) =>
      `No root, user, role or session is named '${principal}', and no access key: give an ARN or an access key id.`,
  ],
  NotYours: [
    'NotYoursException',
    ({ principal }) =>
      `'${principal}' belongs to another account. Ask by the id of a denied request: ExplainRequest tells what your account's policies say to it.`,
  ],
  ContextTooLong: [
    'ContextTooLongException',
    ({ most }) => `The keys and values of the context must not have more than ${most} characters together.`,
  ],
  RepositoryNotFound: ['RepositoryNotFoundException', registryTexts.RepositoryNotFound],
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
  PageTokenInvalid: ['InvalidParameterException', () => invalid('NextToken', 'Invalid next token provided')],
  RequestUnknown: [
    'RequestNotFoundException',
    ({ requestId }) =>
      `Your account's audit trail has no denied request '${requestId}'. Records are written each second and kept for a set time.`,
  ],
}

/** As ECR frames what is wrong with one member of a request. */
function invalid(member: string, constraint: string): string {
  return `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`
}
