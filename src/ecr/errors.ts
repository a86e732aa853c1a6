import type { Exceptions } from '#aws/exceptions.ts'
import type { IamRefusals } from '#iam/refusals.ts'
import type { LifecycleRefusals } from '#lifecycle/refusals.ts'
import type { NameKind, NameRefusals } from '#names/refusals.ts'
import type { InRepository, RegistryRefusals, TemplateMember } from '#registry/refusals.ts'
import type { ReplicationRefusals } from '#replication/refusals.ts'
import type { ScanningRefusals } from '#scanning/refusals.ts'
import type { SigningRefusals } from '#signing/refusals.ts'
import type { UpstreamContentRefusals, UpstreamRefusals } from '#upstream/refusals.ts'
import { accessDeniedText } from '#wording/iam.ts'
import { registryTexts } from '#wording/registry.ts'
import { accountSettingExceptions } from './errors/account-settings.ts'
import { archiveExceptions } from './errors/archive.ts'
import { invalid } from './errors/invalid.ts'
import { lifecycleExceptions } from './errors/lifecycle.ts'
import { policyExceptions } from './errors/policies.ts'
import { pullThroughExceptions } from './errors/pull-through.ts'
import { exclusionExceptions } from './errors/pull-time-exclusions.ts'
import { replicationExceptions } from './errors/replication.ts'
import { scanningExceptions } from './errors/scanning.ts'
import { signingExceptions } from './errors/signing.ts'
import type { ErrorName } from './model.ts'
import type { EcrRefusals } from './refusals.ts'

/**
 * The control plane's errors: for each refusal the exception of the API model and its text, literally where ECR's is known, for
 * clients match on it.
 */
type Refusals = EcrRefusals &
  RegistryRefusals &
  IamRefusals &
  NameRefusals &
  ScanningRefusals &
  ReplicationRefusals &
  SigningRefusals &
  UpstreamRefusals &
  UpstreamContentRefusals &
  LifecycleRefusals

type ExceptionName =
  | ErrorName
  | 'AccessDeniedException'
  | 'ExpiredTokenException'
  | 'MissingAuthenticationTokenException'
  | 'UnrecognizedClientException'

/** The one text that ECR has for whatever is wrong with a manifest (aws/aws-cli issue 8620). */
const invalidManifest = () => invalid('ImageManifest', 'Invalid JSON syntax')

const nameMembers: Record<NameKind, readonly [member: string, constraint: string]> = {
  account: ['registryId', "must satisfy regular expression '[0-9]{12}'"],
  region: ['region', 'must be the name of a region'],
  repository: ['repositoryName', 'must be the name of a repository'],
  'repository prefix': ['prefix', 'must be the prefix of a repository, or ROOT'],
  tag: ['imageTag', "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'"],
  digest: ['imageDigest', "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"],
  'media type': ['imageManifestMediaType', 'must be a media type'],
  arn: ['resourceArn', 'Invalid ARN'],
}

const resourceTagProblems: Record<RegistryRefusals['ResourceTagInvalid']['problem'], string> = {
  reserved: "must not begin with 'aws:'",
  length: 'must have a key of 1 to 128 characters and a value of at most 256',
  characters: 'must hold letters, digits, spaces and _ . : / = + - @ only',
  repeated: 'must be given once',
}

const templateMembers: Record<TemplateMember, string> = {
  repositoryPolicy: 'Invalid repository policy provided',
  lifecyclePolicy: 'Invalid lifecycle policy provided',
  customRoleArn: 'must be the ARN of a role of the account',
  resourceTags:
    "must be at most 50 tags, each given once, whose keys of 1 to 128 characters do not begin with 'aws:' and whose values have at most 256, of letters, digits, spaces and _ . : / = + - @",
}

const invalidToken = 'The security token included in the request is invalid.'

export const exceptions = {
  ParameterInvalid: ['InvalidParameterException', ({ member, constraint }) => invalid(member, constraint)],
  UpstreamLayerFailed: ['UnableToGetUpstreamLayerException', ({ text }) => text],
  UpstreamReferrersFailed: ['UnableToListUpstreamImageReferrersException', ({ text }) => text],
  ...policyExceptions,
  ...pullThroughExceptions,
  NameInvalid: ['InvalidParameterException', ({ kind }) => invalid(...nameMembers[kind])],

  AccessDenied: ['AccessDeniedException', accessDeniedText],
  CredentialsMissing: ['MissingAuthenticationTokenException', () => 'Missing Authentication Token'],
  CredentialsInvalid: ['UnrecognizedClientException', () => invalidToken],
  TokenMalformed: ['UnrecognizedClientException', () => invalidToken],
  TokenExpired: ['ExpiredTokenException', () => 'The security token included in the request is expired'],

  RepositoryNotFound: ['RepositoryNotFoundException', registryTexts.RepositoryNotFound],
  TemplateRoleMissing: ['RepositoryNotFoundException', registryTexts.TemplateRoleMissing],
  QuotaExceeded: ['LimitExceededException', registryTexts.QuotaExceeded],
  StorageQuotaExceeded: ['LimitExceededException', registryTexts.StorageQuotaExceeded],
  RepositoryAlreadyExists: [
    'RepositoryAlreadyExistsException',
    ({ repository, registry }) =>
      `The repository with name '${repository}' already exists in the registry with id '${registry.account}'`,
  ],
  RepositoryNotEmpty: [
    'RepositoryNotEmptyException',
    ({ repository, registry }) =>
      `The repository with name '${repository}' in registry with id '${registry.account}' cannot be deleted because it still contains images`,
  ],
  RepositoryInUse: [
    'RepositoryNotEmptyException',
    (facts) =>
      `The repository with name '${facts.repository}' in registry with id '${facts.registry.account}' cannot be deleted because it still contains images that are in use: ${registryTexts.ImageInUse(facts)}`,
  ],
  TagMutabilityFiltersMismatch: [
    'InvalidParameterException',
    ({ mode, given }) =>
      invalid(
        'imageTagMutabilityExclusionFilters',
        `ImageTagMutabilityExclusionFilters can't be ${given ? 'given' : 'null'} when imageTagMutability is set as ${mode}`,
      ),
  ],
  TagMutabilityFilterInvalid: [
    'InvalidParameterException',
    ({ filter }) =>
      invalid(
        'imageTagMutabilityExclusionFilters',
        `The filter ${filter} must not contain more than two wildcards (*)`,
      ),
  ],
  ResourceTagInvalid: [
    'InvalidTagParameterException',
    ({ key, problem }) => invalid('tags', `The tag with key ${key} ${resourceTagProblems[problem]}`),
  ],
  TooManyResourceTags: [
    'TooManyTagsException',
    ({ repository = '', registry }) =>
      `The repository with name '${repository}' in the registry with id '${registry.account}' cannot have more than 50 tags`,
  ],
  TemplateAlreadyExists: [
    'TemplateAlreadyExistsException',
    ({ prefix, registry }) =>
      `The Template with prefix '${prefix}' already exists in the registry with id '${registry.account}'`,
  ],
  TemplateNotFound: [
    'TemplateNotFoundException',
    ({ prefix, registry }) =>
      `The Template with prefix '${prefix}' does not exist in the registry with id '${registry.account}'`,
  ],
  TemplateMemberInvalid: ['InvalidParameterException', ({ member }) => invalid(member, templateMembers[member])],
  KmsKeyUnexpected: [
    'InvalidParameterException',
    ({ encryptionType }) => invalid('kmsKey', `kmsKey can't be given when encryptionType is set as ${encryptionType}`),
  ],
  KmsKeyInvalid: [
    'InvalidParameterException',
    ({ region }) => invalid('kmsKey', `must be the id, the alias or the ARN of a key in region ${region}`),
  ],
  ...accountSettingExceptions,
  ...scanningExceptions,
  ...replicationExceptions,
  ...signingExceptions,
  ...lifecycleExceptions,

  ManifestInvalid: ['InvalidParameterException', invalidManifest],
  ManifestMediaTypeUnsupported: ['InvalidParameterException', invalidManifest],
  // The text of the model's own limit, which counts characters where the domain counts bytes.
  ManifestTooLarge: [
    'InvalidParameterException',
    ({ limitBytes }) => invalid('imageManifest', `Member must have length less than or equal to ${limitBytes}`),
  ],
  ManifestDigestMismatch: ['ImageDigestDoesNotMatchException', registryTexts.ManifestDigestMismatch],
  ManifestDigestUnusable: ['ImageDigestDoesNotMatchException', registryTexts.ManifestDigestMismatch],
  ReferencedBlobsMissing: ['LayersNotFoundException', registryTexts.ReferencedBlobsMissing],
  ReferencedManifestsMissing: ['ReferencedImagesNotFoundException', registryTexts.ReferencedManifestsMissing],
  TagImmutable: ['ImageTagAlreadyExistsException', registryTexts.TagImmutable],
  ImageUnchanged: [
    'ImageAlreadyExistsException',
    ({ digest, tag, repository, registry }) =>
      `Image with digest '${digest}' and tag '${tag ?? 'null'}' already exists in the repository with name '${repository}' in registry with id '${registry.account}'`,
  ],

  ManifestsTooMany: [
    'LimitExceededException',
    ({ limit }) =>
      `The manifests of the images have more than ${limit} characters together. Ask for fewer images at once.`,
  ],
  ImageNotFound: ['ImageNotFoundException', ({ query, ...where }) => imageNotFound(query.digest, query.tag, where)],
  ImageUnnameable: [
    'ImageNotFoundException',
    ({ imageId, ...where }) => imageNotFound(imageId.imageDigest, imageId.imageTag, where),
  ],
  ...archiveExceptions,
  ...exclusionExceptions,
  ImageReferencedByIndex: ['InvalidParameterException', registryTexts.ImageReferencedByIndex],

  BlobNotFound: ['LayersNotFoundException', registryTexts.BlobNotFound],
  LayerUnnameable: ['LayersNotFoundException', registryTexts.BlobNotFound],
  BlobInaccessible: [
    'LayerInaccessibleException',
    ({ digest, archived, repository, registry }) =>
      `The layer with digest ${digest} within the repository with name '${repository}' in the registry with id '${registry.account}' is not accessible: ${archived ? 'the images that refer to it are archived' : 'no image refers to it'}`,
  ],
  BlobReferenced: [
    'InvalidParameterException',
    ({ digest, manifest, inBin }) =>
      `The layer with digest ${digest} is part of the image with digest ${manifest}${inBin ? ' in the recycle bin' : ''}`,
  ],

  UploadNotFound: ['UploadNotFoundException', registryTexts.UploadNotFound],
  UploadOutOfOrder: [
    'InvalidLayerPartException',
    (facts) => `The layer part is not consecutive: the part to upload next begins at byte ${facts.offset}`,
    invalidPartMembers,
  ],
  UploadLengthMismatch: [
    'InvalidLayerPartException',
    () => 'The layer part is empty or does not have the length that partFirstByte and partLastByte give',
    invalidPartMembers,
  ],
  UploadDigestMismatch: ['InvalidLayerException', registryTexts.UploadDigestMismatch],
  LayerDigestsUnusable: ['InvalidLayerException', registryTexts.UploadDigestMismatch],
  UploadTakenOver: [
    'InvalidParameterException',
    ({ upload }) => invalid('uploadId', `a newer request continues the upload ${upload}`),
  ],
  UploadEmpty: [
    'EmptyUploadException',
    ({ upload, repository, registry }) =>
      `The upload with uploadId '${upload}' within the repository with name '${repository}' in the registry with id '${registry.account}' does not contain any layer parts`,
  ],
  UploadPartTooSmall: [
    'LayerPartTooSmallException',
    ({ upload, leastBytes }) =>
      `The upload with uploadId '${upload}' contains a layer part that is smaller than ${leastBytes} bytes and is not the last`,
  ],
  UploadIncomplete: [
    'InvalidLayerException',
    ({ upload, offset }) =>
      `The upload with uploadId '${upload}' has lost layer parts: upload them again from byte ${offset}`,
  ],
  LayerAlreadyExists: [
    'LayerAlreadyExistsException',
    ({ digest, repository, registry }) =>
      `The layer with digest '${digest}' already exists in the repository with name '${repository}' in registry with id '${registry.account}'`,
  ],
} as const satisfies Exceptions<Refusals, ExceptionName>

/** A half that was not asked for is printed as `null` (hashicorp/terraform-provider-aws issue 35268). */
function imageNotFound(
  digest: string | undefined,
  tag: string | undefined,
  { repository, registry }: InRepository,
): string {
  return `The image with imageId {imageDigest:'${digest ?? 'null'}', imageTag:'${tag ?? 'null'}'} does not exist within the repository with name '${repository}' in the registry with id '${registry.account}'`
}

/** What clients resume from. `lastValidByteReceived` cannot be before the first byte, so that it is left out before any came. */
function invalidPartMembers({ registry, repository, upload, offset }: RegistryRefusals['UploadOutOfOrder']) {
  return {
    registryId: registry.account,
    repositoryName: repository,
    uploadId: upload,
    ...(offset > 0 && { lastValidByteReceived: offset - 1 }),
  }
}
