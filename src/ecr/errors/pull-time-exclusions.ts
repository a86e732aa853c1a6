import type { Exceptions } from '#aws/exceptions.ts'
import type { ErrorName } from '#ecr/model.ts'
import type { ExclusionRefusals } from '#registry/refusals.ts'

/** What is declined of pull time update exclusions. ECR's texts are not known. */
export const exclusionExceptions = {
  ExclusionAlreadyExists: [
    'ExclusionAlreadyExistsException',
    ({ principalArn, registry }) =>
      `The pull time update exclusion for principal '${principalArn}' already exists in the registry with id '${registry.account}'`,
  ],
  ExclusionNotFound: [
    'ExclusionNotFoundException',
    ({ principalArn, registry }) =>
      `The pull time update exclusion for principal '${principalArn}' does not exist in the registry with id '${registry.account}'`,
  ],
} as const satisfies Exceptions<ExclusionRefusals, ErrorName>
