import type { Exceptions } from '#aws/exceptions.ts'
import type { ErrorName } from '#ecr/model.ts'
import type { RegistryRefusals } from '#registry/refusals.ts'
import { invalid } from './invalid.ts'

type Refusals = Pick<
  RegistryRefusals,
  | 'ResourcePolicyInvalid'
  | 'ResourcePolicyPrincipalNotFound'
  | 'RepositoryPolicyNotFound'
  | 'RepositoryPolicyLocksOut'
  | 'RegistryPolicyNotFound'
>

/** Policies of repositories and registries. Terraform waits for a principal that is new where it reads `Principal not found`. */
export const policyExceptions = {
  ResourcePolicyInvalid: [
    'InvalidParameterException',
    ({ of, problem, at }) =>
      `${invalid('PolicyText', `Invalid ${of} policy provided`)}. See ${at === '' ? 'the document' : at}: ${problem}.`,
  ],
  ResourcePolicyPrincipalNotFound: [
    'InvalidParameterException',
    ({ of, principal }) =>
      `${invalid('PolicyText', `Invalid ${of} policy provided`)}. Principal not found: ${principal}`,
  ],
  RepositoryPolicyNotFound: [
    'RepositoryPolicyNotFoundException',
    ({ repository, registry }) =>
      `Repository policy does not exist for the repository with name '${repository}' in the registry with id '${registry.account}'`,
  ],
  RepositoryPolicyLocksOut: [
    'InvalidParameterException',
    () =>
      `${invalid('PolicyText', 'Invalid repository policy provided')}. You could not change it any more: set it with force if that is meant.`,
  ],
  RegistryPolicyNotFound: [
    'RegistryPolicyNotFoundException',
    ({ registry }) => `Registry policy does not exist in the registry with id '${registry.account}'`,
  ],
} as const satisfies Exceptions<Refusals, ErrorName>
