import type { Exceptions } from '#aws/exceptions.ts'
import type { EntityRefusals } from '#iam/entity-refusals.ts'
import type { PolicyRefusals } from '#iam/policy/refusals.ts'
import type { IamRefusals } from '#iam/refusals.ts'
import { accessDeniedText } from '#wording/iam.ts'
import type { ErrorName } from './model.ts'
import { policyText } from './policy-texts.ts'
import type { IamApiRefusals } from './refusals.ts'

/** Every refusal that reaches this surface, as IAM words it, or in its manner where its words are not known. */
type Refusals = Pick<IamRefusals, 'AccessDenied'> & EntityRefusals & PolicyRefusals & IamApiRefusals

export const exceptions: Exceptions<Refusals, ErrorName | 'AccessDeniedException' | 'ValidationError'> = {
  AccessDenied: ['AccessDeniedException', accessDeniedText],
  // With two blanks, as IAM writes it.
  ArnUnparsable: ['ValidationError', () => 'Invalid ARN:  Could not be parsed!'],
  BoundaryUnknown: ['NoSuchEntity', ({ arn }) => `Scope ARN: ${arn} does not exist or is not attachable.`],
  CallerIsNoUser: ['ValidationError', () => 'Must specify userName when calling with non-User credentials'],
  EntityExists: ['EntityAlreadyExists', existsText],
  EntityInUse: ['DeleteConflict', ({ by }) => inUseTexts[by]],
  EntityNotFound: ['NoSuchEntity', ({ kind, name }) => absenceTexts[kind](name)],
  EntityQuotaExceeded: ['LimitExceeded', ({ quota, limit }) => quotaTexts[quota](limit)],
  EntityTagInvalid: [
    'InvalidInput',
    ({ problem }) =>
      problem === 'repeated'
        ? 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'
        : "Tag keys that begin with 'aws:' are reserved for system use.",
  ],
  // No operation on policies has an exception for it: in AWS nobody's permissions reach them.
  EntityUnmodifiable: ['AccessDeniedException', ({ arn }) => `${arn} is managed by AWS and cannot be changed.`],
  InlinePoliciesTooLarge: [
    'LimitExceeded',
    ({ owner, name, limit }) => `Maximum policy size of ${limit} bytes exceeded for ${owner} ${name}`,
  ],
  KeyHidden: [
    'AccessDeniedException',
    ({ principalArn, key }) =>
      `User: ${principalArn} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key ${key}`,
  ],
  KeyStatusInvalid: ['InvalidInput', ({ status }) => `An access key cannot be given the status ${status}.`],
  PolicyArnInvalid: ['InvalidInput', ({ arn }) => `ARN ${arn} is not valid.`],
  PolicyMalformed: ['MalformedPolicyDocument', policyText],
  ProviderUrlInvalid: ['ValidationError', () => 'Invalid Open ID Connect Provider URL'],
  SimulationUnserved: [
    'InvalidInput',
    ({ member }) => `${member} is not served here: the policies that are stored are what is simulated.`,
  ],
  SimulationTooLarge: ['InvalidInput', ({ most }) => `At most ${most} actions times resources are simulated at once.`],
  SimulationContextTooLong: [
    'InvalidInput',
    ({ most }) => `The keys and values of the context must not have more than ${most} characters together.`,
  ],
  SourceForeign: [
    'InvalidInput',
    ({ caller, owner }) =>
      `Invalid Policy Source Arn: caller's account ${caller} does not have access to policies in account ${owner}`,
  ],
  SourceUnclear: [
    'InvalidInput',
    ({ arn }) => `Invalid Entity Arn: ${arn} does not clearly define entity type and name.`,
  ],
  // Literally IAM's, which admits five of them all the same.
  ThumbprintsTooMany: ['InvalidInput', ({ limit }) => `Thumbprint list must contain fewer than ${limit} entries.`],
  TrustPolicyNoJson: ['MalformedPolicyDocument', () => 'This policy contains invalid Json'],
  TrustedPrincipalUnknown: [
    'MalformedPolicyDocument',
    ({ principal }) => `Invalid principal in policy: "AWS":"${principal}"`,
  ],
}

function existsText({ kind, name }: EntityRefusals['EntityExists']): string {
  switch (kind) {
    case 'policy':
      return `A policy called ${name} already exists. Duplicate names are not allowed.`
    case 'identity provider':
      return `Provider with url ${name} already exists.`
    default:
      return `${kind.charAt(0).toUpperCase()}${kind.slice(1)} with name ${name} already exists.`
  }
}

const named = (kind: string) => (name: string) => `The ${kind} with name ${name} cannot be found.`

const absenceTexts: Readonly<Record<EntityRefusals['EntityNotFound']['kind'], (name: string) => string>> = {
  user: named('user'),
  group: named('group'),
  role: named('role'),
  'user policy': named('user policy'),
  'group policy': named('group policy'),
  'role policy': named('role policy'),
  policy: (arn) => `Policy ${arn} was not found.`,
  'attachable policy': (arn) => `Policy ${arn} does not exist or is not attachable.`,
  'attached policy': (arn) => `Policy ${arn} was not found.`,
  'policy version': (version) => `Policy ${version} does not exist or is not attachable.`,
  'access key': (id) => `The Access Key with id ${id} cannot be found.`,
  'group member': (name) => `The user with name ${name} is not in the group.`,
  'login profile': (name) => `Login Profile for User ${name} cannot be found.`,
  'identity provider': (arn) => `OpenIDConnect Provider not found for arn ${arn}`,
}

const inUseTexts: Readonly<Record<EntityRefusals['EntityInUse']['by'], string>> = {
  'access keys': 'Cannot delete entity, must delete access keys first.',
  'group memberships': 'Cannot delete entity, must remove users from group first.',
  'group members': 'Cannot delete entity, must remove users from group first.',
  'inline policies': 'Cannot delete entity, must delete policies first.',
  'attached policies': 'Cannot delete entity, must detach all policies first.',
  attachments: 'Cannot delete a policy attached to entities.',
  versions:
    "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
  'default version': 'Cannot delete the default version of a policy.',
}

const quota = (name: string) => (limit: number) => `Cannot exceed quota for ${name}: ${limit}`

const quotaTexts: Readonly<Record<EntityRefusals['EntityQuotaExceeded']['quota'], (limit: number) => string>> = {
  'access keys of a user': quota('AccessKeysPerUser'),
  'groups of a user': quota('GroupsPerUser'),
  'policies of a user': quota('PoliciesPerUser'),
  'policies of a group': quota('PoliciesPerGroup'),
  'policies of a role': quota('PoliciesPerRole'),
  'trust policy size': quota('ACLSizePerRole'),
  'managed policy size': quota('PolicySize'),
  'policy versions': (limit) =>
    `A managed policy can have up to ${limit} versions. Before you create a new version, you must delete an existing version.`,
  'client ids': quota('ClientIdsPerOpenIdConnectProvider'),
  tags: () => 'The number of tags has reached the maximum limit.',
}
