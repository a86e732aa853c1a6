import type { Exceptions } from '#aws/exceptions.ts'
import type { IamRefusals } from '#iam/refusals.ts'
import { secretNamePrefix } from '#names/secret-name.ts'
import type { SecretRefusals } from '#secrets/refusals.ts'
import { accessDeniedText } from '#wording/iam.ts'
import type { ErrorName } from './model.ts'
import type { SecretsManagerRefusals } from './refusals.ts'

/** Every refusal that reaches this surface, in the words of Secrets Manager where they are known: clients match on some. */
type Refusals = Pick<IamRefusals, 'AccessDenied'> & SecretRefusals & SecretsManagerRefusals

type ExceptionName = ErrorName | 'AccessDeniedException' | 'ValidationException'

export const exceptions: Exceptions<Refusals, ExceptionName> = {
  AccessDenied: ['AccessDeniedException', accessDeniedText],
  SecretNotFound: ['ResourceNotFoundException', () => "Secrets Manager can't find the specified secret."],
  SecretNameInvalid: [
    'ValidationException',
    ({ problem }) =>
      problem === 'characters'
        ? 'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@'
        : `Invalid name. Lading keeps only secrets for upstream registries, and the names of these begin with '${secretNamePrefix}'.`,
  ],
  SecretAlreadyExists: [
    'ResourceExistsException',
    ({ name }) => `The operation failed because the secret ${name} already exists.`,
  ],
  SecretNameScheduled: [
    'InvalidRequestException',
    () => "You can't create this secret because a secret with this name is already scheduled for deletion.",
  ],
  SecretScheduled: [
    'InvalidRequestException',
    () => "You can't perform this operation on the secret because it was marked for deletion.",
  ],
  SecretVersionNotFound: [
    'ResourceNotFoundException',
    ({ by, value }) =>
      `Secrets Manager can't find the specified secret value for ${by === 'id' ? 'VersionId' : 'staging label'}: ${value}`,
  ],
  SecretStageElsewhere: [
    'InvalidRequestException',
    () => 'You provided a VersionStage that is not associated to the provided VersionId.',
  ],
  SecretTokenMissing: [
    'InvalidRequestException',
    () => 'You must provide a ClientRequestToken value. We recommend a UUID-type value.',
  ],
  SecretTokenTaken: [
    'ResourceExistsException',
    ({ token, arn }) =>
      `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${arn}.`,
  ],
  SecretValueInvalid: ['InvalidParameterException', ({ problem }) => valueTexts[problem]],
  SecretNotDecryptable: [
    'DecryptionFailure',
    () => "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
  ],
  SecretStageInvalid: ['InvalidParameterException', stageText],
  SecretStagesTooMany: [
    'LimitExceededException',
    ({ limit }) => `The versions of a secret can have at most ${limit} staging labels.`,
  ],
  RecoveryWindowInvalid: [
    'InvalidParameterException',
    ({ problem }) =>
      problem === 'range'
        ? 'The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).'
        : "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
  ],
  SecretTagInvalid: [
    'InvalidParameterException',
    ({ key, problem }) =>
      problem === 'reserved' ? `The tag key ${key} must not begin with 'aws:'.` : `The tag key ${key} is given twice.`,
  ],
  SecretTagsTooMany: ['InvalidParameterException', ({ limit }) => `A secret can have at most ${limit} tags.`],
  SecretsTooMany: [
    'LimitExceededException',
    ({ limit }) => `The maximum number of secrets, ${limit}, has been reached in the registry.`,
  ],
  NextTokenInvalid: ['InvalidNextTokenException', () => 'The NextToken is not one of this list.'],
  MemberUnsupported: ['InvalidParameterException', ({ member }) => `Lading does not support ${member}.`],
}

const valueTexts: Readonly<Record<SecretRefusals['SecretValueInvalid']['problem'], string>> = {
  both: "You can't specify both a binary secret value and a string secret value in the same secret.",
  none: 'You must provide either SecretString or SecretBinary.',
  length: 'The secret value must have from 1 to 65536 bytes.',
}

function stageText(facts: SecretRefusals['SecretStageInvalid']): string {
  switch (facts.problem) {
    case 'nothing to do':
      return 'You must provide MoveToVersionId, RemoveFromVersionId or both.'
    case 'current removed':
      return "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."
    case 'not there':
      return `The staging label ${facts.stage} isn't currently attached to version ${facts.version}.`
    case 'not named':
      return `The parameter RemoveFromVersionId can't be empty. Staging label ${facts.stage} is currently attached to version ${facts.version}, so you must explicitly reference that version in RemoveFromVersionId.`
  }
}
