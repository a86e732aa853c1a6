/**
 * Every error that the API model lists for an operation: how it is provoked and how it reads, or why it cannot be. The texts are those
 * of ECR where they are known (see `#ecr/errors.ts`), in the form of ECR's where not.
 */
import { image, index } from '#test/support/images/build.ts'
import {
  type ErrorTable,
  type Facts,
  type Never,
  type Provoked,
  registryId,
  repositoryName,
  type Stage,
} from './stage.ts'

const never = (reason: string): Never => ({ never: reason })

const inputless = never('its input has no members')
const unworded = never('what breaks the model is an InvalidParameterException, as in recorded answers of ECR')
const keyless = never('KMS keys are kept and shown, and none is used')
const secretless = never('secrets are not looked up')
const unfetched = never('nothing is fetched from upstream registries yet')

function refused(message: Provoked['message'], input: Provoked['input'], given?: Provoked['given']): Provoked {
  return { message, input, ...(given && { given }) }
}

const invalid = (member: string, constraint: string) =>
  `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`
const namePattern = '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'
const badName = (member: string) => invalid(member, `must satisfy regular expression '${namePattern}'`)
const badToken = invalid('NextToken', 'Invalid next token provided')
const absent = (member: string) => invalid(member, 'Member must not be null')

const inRegistry = `in the registry with id '${registryId}'`
const ofRepository = `the repository with name '${repositoryName}' ${inRegistry}`
const noRepository = `The repository with name '${repositoryName}' does not exist ${inRegistry}`
const noImage = (digest: string | null, tag: string | null) =>
  `The image with imageId {imageDigest:'${digest}', imageTag:'${tag}'} does not exist within ${ofRepository}`
const full = (what: string, where: string) => `The maximum number of ${what}, has been reached in ${where}`

const app = image({ seed: 'app' })
const [config] = app.blobs
const other = image({ seed: 'other' })
const digest = `sha256:${'1'.repeat(64)}`
const uploadId = '00000000-0000-4000-8000-000000000000'
const noUpload = `The upload with uploadId '${uploadId}' does not exist within ${ofRepository}`
const principalArn = 'arn:aws:iam::000000000000:role/scanner'
const byte = new Uint8Array([1])
const part = { partFirstByte: 0, partLastByte: 0, layerPartBlob: byte }

const empty = (stage: Stage) => stage.repository()
const withImage = (stage: Stage) => stage.repository([app, 'v1'])

/** What most operations on a repository refuse alike. */
function inRepository(rest: object = {}) {
  return {
    InvalidParameterException: refused(badName('repositoryName'), { repositoryName: 'Team', ...rest }),
    RepositoryNotFoundException: refused(noRepository, { repositoryName, ...rest }),
  }
}

/** And those on an image of it. */
function onImage(rest: object = {}) {
  return {
    ...inRepository({ imageId: { imageTag: 'v1' }, ...rest }),
    ImageNotFoundException: refused(
      noImage(digest, null),
      { repositoryName, imageId: { imageDigest: digest }, ...rest },
      withImage,
    ),
  }
}

const lifecyclePolicyText = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 5 },
      action: { type: 'expire' },
    },
  ],
})
const notALifecyclePolicy = '{'.padEnd(100)
const noLifecyclePolicy = `Lifecycle policy does not exist for ${ofRepository}`

const byArn = ({ region }: Facts) => `arn:aws:ecr:${region}:${registryId}:repository/${repositoryName}`

function onArn(rest: object) {
  return {
    InvalidParameterException: refused(invalid('resourceArn', 'Invalid ARN'), { resourceArn: 'arn:aws:ecr', ...rest }),
    RepositoryNotFoundException: refused(noRepository, (facts) => ({ resourceArn: byArn(facts), ...rest })),
  }
}

const tags = (count: number) => Array.from({ length: count }, (_, index) => ({ Key: `k${index}`, Value: '' }))
const tooManyTags = `The repository with name '${repositoryName}' ${inRegistry} cannot have more than 50 tags`
const reservedTag = invalid('tags', "The tag with key aws:x must not begin with 'aws:'")

const rule = { ecrRepositoryPrefix: 'cache', upstreamRegistryUrl: 'public.ecr.aws' }
const withRule = async ({ ecr }: Stage) => ecr.createPullThroughCacheRule(rule)
const noRule = `Pull through cache rule with repository prefix 'other' does not exist ${inRegistry}`
const prefixPattern = String.raw`^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\/?|ROOT)$`
const badPrefix = invalid('ecrRepositoryPrefix', `must satisfy regular expression '${prefixPattern}'`)

const template = { prefix: 'made', appliedFor: ['CREATE_ON_PUSH' as const] }
const withTemplate = async ({ ecr }: Stage) => ecr.createRepositoryCreationTemplate(template)
const noTemplate = `The Template with prefix 'other' does not exist ${inRegistry}`
const badTemplatePolicy = invalid('repositoryPolicy', 'Invalid repository policy provided')

const badPolicy = (of: string) => `${invalid('PolicyText', `Invalid ${of} policy provided`)}. See the document: syntax.`
const noRepositoryPolicy = `Repository policy does not exist for ${ofRepository}`
const noRegistryPolicy = `Registry policy does not exist ${inRegistry}`
const noSigning = `Signing configuration does not exist ${inRegistry}`

export const errorTable: ErrorTable = {
  BatchCheckLayerAvailability: inRepository({ layerDigests: [digest] }),
  BatchDeleteImage: inRepository({ imageIds: [{ imageTag: 'v1' }] }),
  BatchGetImage: {
    ...inRepository({ imageIds: [{ imageTag: 'v1' }] }),
    LimitExceededException: refused(
      'The manifests of the images have more than 33554432 characters together. Ask for fewer images at once.',
      { repositoryName, imageIds: Array.from({ length: 9 }, () => ({ imageTag: 'large' })) },
      async (stage) => {
        await stage.repository()
        await stage.blobs(app)
        const annotations = { padding: 'x'.repeat(4_000_000) }
        const imageManifest = JSON.stringify({ ...JSON.parse(app.bytes.toString()), annotations })
        await stage.ecr.putImage({ repositoryName, imageManifest, imageTag: 'large' })
      },
    ),
    UnableToGetUpstreamImageException: unfetched,
  },
  BatchGetRepositoryScanningConfiguration: {
    InvalidParameterException: refused(badName('repositoryNames'), { repositoryNames: ['Team'] }),
    RepositoryNotFoundException: never('a repository that is not there is a failure of its own in the answer'),
    ValidationException: unworded,
  },
  CompleteLayerUpload: {
    ...inRepository({ uploadId, layerDigests: [digest] }),
    UploadNotFoundException: refused(noUpload, { repositoryName, uploadId, layerDigests: [digest] }, empty),
    InvalidLayerException: refused(
      'None of the provided layer digests match the calculated layer digest',
      ({ uploadId }) => ({ repositoryName, uploadId, layerDigests: [digest] }),
      async (stage) => {
        await stage.repository()
        await stage.upload(byte)
      },
    ),
    LayerPartTooSmallException: refused(
      ({ uploadId }) =>
        `The upload with uploadId '${uploadId}' contains a layer part that is smaller than 5242880 bytes and is not the last`,
      ({ uploadId }) => ({ repositoryName, uploadId, layerDigests: [digest] }),
      async (stage) => {
        await stage.repository()
        await stage.upload(byte, byte)
      },
    ),
    LayerAlreadyExistsException: refused(
      `The layer with digest '${config?.digest}' already exists in the repository with name '${repositoryName}' in registry with id '${registryId}'`,
      ({ uploadId }) => ({ repositoryName, uploadId, layerDigests: [config?.digest] }),
      async (stage) => {
        await stage.repository()
        await stage.blobs(app)
        await stage.upload(config?.bytes ?? byte)
      },
    ),
    EmptyUploadException: refused(
      ({ uploadId }) =>
        `The upload with uploadId '${uploadId}' within ${ofRepository} does not contain any layer parts`,
      ({ uploadId }) => ({ repositoryName, uploadId, layerDigests: [digest] }),
      async (stage) => {
        await stage.repository()
        await stage.upload()
      },
    ),
    KmsException: keyless,
  },
  CreatePullThroughCacheRule: {
    InvalidParameterException: refused(
      invalid('upstreamRegistry', 'must be ecr-public for the given upstreamRegistryUrl'),
      { ...rule, upstreamRegistry: 'k8s' },
    ),
    ValidationException: unworded,
    PullThroughCacheRuleAlreadyExistsException: refused(
      `The pull through cache rule with repository prefix 'cache' already exists ${inRegistry}`,
      rule,
      withRule,
    ),
    UnsupportedUpstreamRegistryException: refused(
      'The upstream registry URL nowhere.test is invalid. Specify a valid upstream registry URL and try again',
      { ...rule, upstreamRegistryUrl: 'nowhere.test' },
    ),
    LimitExceededException: refused(
      full('pull through cache rules, 1', `the registry with id '${registryId}'`),
      { ...rule, ecrRepositoryPrefix: 'other' },
      withRule,
    ),
    UnableToAccessSecretException: secretless,
    SecretNotFoundException: secretless,
    UnableToDecryptSecretValueException: secretless,
  },
  CreateRepository: {
    InvalidParameterException: refused(badName('repositoryName'), { repositoryName: 'Team' }),
    InvalidTagParameterException: refused(reservedTag, { repositoryName, tags: [{ Key: 'aws:x', Value: '' }] }),
    TooManyTagsException: refused(tooManyTags, { repositoryName, tags: tags(51) }),
    RepositoryAlreadyExistsException: refused(
      `The repository with name '${repositoryName}' already exists ${inRegistry}`,
      { repositoryName },
      empty,
    ),
    LimitExceededException: refused(
      full('repositories, 2', `the registry with id '${registryId}'`),
      { repositoryName },
      async ({ ecr }) => {
        for (const repositoryName of ['one/app', 'two/app']) await ecr.createRepository({ repositoryName })
      },
    ),
    KmsException: keyless,
  },
  CreateRepositoryCreationTemplate: {
    ValidationException: unworded,
    InvalidParameterException: refused(badTemplatePolicy, { ...template, repositoryPolicy: '{}' }),
    LimitExceededException: refused(
      full('repository creation templates, 1', `the registry with id '${registryId}'`),
      { ...template, prefix: 'other' },
      withTemplate,
    ),
    TemplateAlreadyExistsException: refused(
      `The Template with prefix 'made' already exists ${inRegistry}`,
      template,
      withTemplate,
    ),
  },
  DeleteLifecyclePolicy: {
    ...inRepository(),
    LifecyclePolicyNotFoundException: refused(noLifecyclePolicy, { repositoryName }, empty),
    ValidationException: unworded,
  },
  DeletePullThroughCacheRule: {
    InvalidParameterException: refused(absent('ecrRepositoryPrefix'), {}),
    ValidationException: unworded,
    PullThroughCacheRuleNotFoundException: refused(noRule, { ecrRepositoryPrefix: 'other' }, withRule),
  },
  DeleteRegistryPolicy: {
    InvalidParameterException: inputless,
    RegistryPolicyNotFoundException: refused(noRegistryPolicy, {}),
    ValidationException: inputless,
  },
  DeleteRepository: {
    ...inRepository(),
    RepositoryNotEmptyException: refused(
      `The repository with name '${repositoryName}' in registry with id '${registryId}' cannot be deleted because it still contains images`,
      { repositoryName },
      withImage,
    ),
    KmsException: keyless,
  },
  DeleteRepositoryCreationTemplate: {
    ValidationException: unworded,
    InvalidParameterException: refused(absent('prefix'), {}),
    TemplateNotFoundException: refused(noTemplate, { prefix: 'other' }, withTemplate),
  },
  DeleteRepositoryPolicy: {
    ...inRepository(),
    RepositoryPolicyNotFoundException: refused(noRepositoryPolicy, { repositoryName }, empty),
  },
  DeleteSigningConfiguration: {
    ValidationException: inputless,
    SigningConfigurationNotFoundException: refused(noSigning, {}),
  },
  DeregisterPullTimeUpdateExclusion: {
    InvalidParameterException: refused(absent('principalArn'), {}),
    ExclusionNotFoundException: refused(
      `The pull time update exclusion for principal '${principalArn}' does not exist ${inRegistry}`,
      { principalArn },
    ),
    LimitExceededException: never('it makes fewer of them'),
    ValidationException: unworded,
  },
  DescribeImageReplicationStatus: { ...onImage(), ValidationException: unworded },
  DescribeImageScanFindings: {
    ...onImage(),
    ScanNotFoundException: refused(
      `Image scan does not exist for the image with '{imageDigest:'null', imageTag:'v1'}' in ${ofRepository}`,
      { repositoryName, imageId: { imageTag: 'v1' } },
      withImage,
    ),
    ValidationException: unworded,
  },
  DescribeImageSigningStatus: { ...onImage(), ValidationException: unworded },
  DescribeImages: {
    ...inRepository(),
    ImageNotFoundException: refused(noImage(null, 'none'), { repositoryName, imageIds: [{ imageTag: 'none' }] }, empty),
  },
  DescribePullThroughCacheRules: {
    InvalidParameterException: refused(badToken, { nextToken: 'x' }),
    ValidationException: unworded,
    PullThroughCacheRuleNotFoundException: refused(noRule, { ecrRepositoryPrefixes: ['cache', 'other'] }, withRule),
  },
  DescribeRegistry: { InvalidParameterException: inputless, ValidationException: inputless },
  DescribeRepositories: {
    InvalidParameterException: refused(invalid('maxResults', 'Member must have value less than or equal to 1000'), {
      maxResults: 1001,
    }),
    RepositoryNotFoundException: refused(noRepository, { repositoryNames: [repositoryName] }),
  },
  DescribeRepositoryCreationTemplates: {
    ValidationException: unworded,
    InvalidParameterException: refused(badToken, { nextToken: 'x' }),
  },
  GetAccountSetting: {
    ValidationException: unworded,
    InvalidParameterException: refused(
      invalid(
        'name',
        'Member must satisfy enum value set: [BASIC_SCAN_TYPE_VERSION, REGISTRY_POLICY_SCOPE, BLOB_MOUNTING]',
      ),
      { name: 'NONE' },
    ),
  },
  GetAuthorizationToken: {
    InvalidParameterException: refused(invalid('registryIds', "must satisfy regular expression '[0-9]{12}'"), {
      registryIds: ['1'],
    }),
  },
  GetDownloadUrlForLayer: {
    ...inRepository({ layerDigest: digest }),
    LayersNotFoundException: refused(
      `The layer with digest ${digest} does not exist within ${ofRepository}`,
      { repositoryName, layerDigest: digest },
      empty,
    ),
    LayerInaccessibleException: refused(
      `The layer with digest ${config?.digest} within ${ofRepository} is not accessible: no image refers to it`,
      { repositoryName, layerDigest: config?.digest },
      async (stage) => {
        await stage.repository()
        await stage.blobs(app)
      },
    ),
    UnableToGetUpstreamLayerException: unfetched,
  },
  GetLifecyclePolicy: {
    ...inRepository(),
    LifecyclePolicyNotFoundException: refused(noLifecyclePolicy, { repositoryName }, empty),
    ValidationException: unworded,
  },
  GetLifecyclePolicyPreview: {
    ...inRepository(),
    LifecyclePolicyPreviewNotFoundException: refused(
      `Lifecycle policy preview does not exist for ${ofRepository}`,
      { repositoryName },
      empty,
    ),
    ValidationException: unworded,
  },
  GetRegistryPolicy: {
    InvalidParameterException: inputless,
    RegistryPolicyNotFoundException: refused(noRegistryPolicy, {}),
    ValidationException: inputless,
  },
  GetRegistryScanningConfiguration: { InvalidParameterException: inputless, ValidationException: inputless },
  GetRepositoryPolicy: {
    ...inRepository(),
    RepositoryPolicyNotFoundException: refused(noRepositoryPolicy, { repositoryName }, empty),
  },
  GetSigningConfiguration: {
    InvalidParameterException: inputless,
    ValidationException: inputless,
    SigningConfigurationNotFoundException: refused(noSigning, {}),
  },
  InitiateLayerUpload: { ...inRepository(), KmsException: keyless },
  ListImageReferrers: {
    ...inRepository({ subjectId: { imageDigest: digest } }),
    ValidationException: unworded,
    UnableToListUpstreamImageReferrersException: unfetched,
  },
  ListImages: inRepository(),
  ListPullTimeUpdateExclusions: {
    InvalidParameterException: refused(badToken, { nextToken: 'x' }),
    ValidationException: unworded,
    LimitExceededException: never('it makes none'),
  },
  ListTagsForResource: onArn({}),
  PutAccountSetting: {
    ValidationException: unworded,
    InvalidParameterException: refused(invalid('value', 'Member must satisfy enum value set: [DISABLED, ENABLED]'), {
      name: 'BLOB_MOUNTING',
      value: 'NONE',
    }),
    LimitExceededException: never('there are three settings, and a registry has each of them once'),
  },
  PutImage: {
    InvalidParameterException: refused(
      invalid('ImageManifest', 'Invalid JSON syntax'),
      { repositoryName, imageManifest: '{}' },
      empty,
    ),
    RepositoryNotFoundException: refused(noRepository, { repositoryName, imageManifest: app.bytes.toString() }),
    ImageAlreadyExistsException: refused(
      `Image with digest '${app.digest}' and tag 'v1' already exists in the repository with name '${repositoryName}' in registry with id '${registryId}'`,
      { repositoryName, imageManifest: app.bytes.toString(), imageTag: 'v1' },
      withImage,
    ),
    LayersNotFoundException: refused(
      `Layers with digests '[${app.blobs.map(({ digest }) => digest).join(', ')}]' required for pushing image into repository with name '${repositoryName}' ${inRegistry} do not exist`,
      { repositoryName, imageManifest: app.bytes.toString() },
      empty,
    ),
    ReferencedImagesNotFoundException: refused(
      `Images with digests '[${app.digest}]' required for pushing image into repository with name '${repositoryName}' ${inRegistry} do not exist`,
      { repositoryName, imageManifest: index({ children: [app] }).bytes.toString() },
      empty,
    ),
    LimitExceededException: refused(
      full('images, 2', ofRepository),
      { repositoryName, imageManifest: index({ children: [app, other] }).bytes.toString() },
      (stage) => stage.repository([app], [other]),
    ),
    ImageTagAlreadyExistsException: refused(
      `The image tag 'v1' already exists in the '${repositoryName}' repository and cannot be overwritten because the tag is immutable.`,
      { repositoryName, imageManifest: other.bytes.toString(), imageTag: 'v1' },
      async (stage) => {
        await stage.repository([app, 'v1'], [other])
        await stage.ecr.putImageTagMutability({ repositoryName, imageTagMutability: 'IMMUTABLE' })
      },
    ),
    ImageDigestDoesNotMatchException: refused(
      `The image with digest '${digest}' in repository '${repositoryName}' and registry ID '${registryId}' does not match the image digest that Amazon ECR has calculated.`,
      { repositoryName, imageManifest: app.bytes.toString(), imageDigest: digest },
      withImage,
    ),
    KmsException: keyless,
  },
  PutImageScanningConfiguration: { ...inRepository({ imageScanningConfiguration: {} }), ValidationException: unworded },
  PutImageTagMutability: {
    ...inRepository({ imageTagMutability: 'IMMUTABLE' }),
    InvalidParameterException: refused(
      invalid(
        'imageTagMutabilityExclusionFilters',
        "ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as IMMUTABLE_WITH_EXCLUSION",
      ),
      { repositoryName, imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION' },
      empty,
    ),
  },
  PutLifecyclePolicy: {
    ...inRepository({ lifecyclePolicyText }),
    InvalidParameterException: refused(
      invalid(
        'LifecyclePolicyText',
        'Lifecycle policy validation failure: Could not map policyString into LifecyclePolicy.',
      ),
      { repositoryName, lifecyclePolicyText: notALifecyclePolicy },
      empty,
    ),
    ValidationException: unworded,
  },
  PutRegistryPolicy: {
    InvalidParameterException: refused(badPolicy('registry'), { policyText: '{' }),
    ValidationException: unworded,
  },
  PutRegistryScanningConfiguration: {
    InvalidParameterException: refused(
      invalid('scanFrequency', 'must be one of [SCAN_ON_PUSH] when scanType is set as BASIC'),
      {
        scanType: 'BASIC',
        rules: [{ scanFrequency: 'CONTINUOUS_SCAN', repositoryFilters: [{ filter: '*', filterType: 'WILDCARD' }] }],
      },
    ),
    ValidationException: unworded,
    BlockedByOrganizationPolicyException: never('there are no organizations'),
  },
  PutReplicationConfiguration: {
    InvalidParameterException: refused(
      invalid('replicationConfiguration', 'Replication destination cannot be the same as the source registry'),
      ({ region }) => ({ replicationConfiguration: { rules: [{ destinations: [{ region, registryId }] }] } }),
    ),
    ValidationException: unworded,
  },
  PutSigningConfiguration: {
    InvalidParameterException: refused(
      ({ region }) =>
        invalid(
          'signingProfileArn',
          `The signing profile arn:aws:signer:us-east-1:${registryId}:/signing-profiles/ci must be in region ${region}`,
        ),
      {
        signingConfiguration: {
          rules: [{ signingProfileArn: `arn:aws:signer:us-east-1:${registryId}:/signing-profiles/ci` }],
        },
      },
    ),
    ValidationException: unworded,
  },
  RegisterPullTimeUpdateExclusion: {
    InvalidParameterException: refused(absent('principalArn'), {}),
    ExclusionAlreadyExistsException: refused(
      `The pull time update exclusion for principal '${principalArn}' already exists ${inRegistry}`,
      { principalArn },
      async ({ ecr }) => ecr.registerPullTimeUpdateExclusion({ principalArn }),
    ),
    LimitExceededException: refused(
      full('pull time update exclusions, 1', `the registry with id '${registryId}'`),
      { principalArn: `${principalArn}-2` },
      async ({ ecr }) => ecr.registerPullTimeUpdateExclusion({ principalArn }),
    ),
    ValidationException: unworded,
  },
  SetRepositoryPolicy: {
    ...inRepository({
      policyText: JSON.stringify({ Statement: { Effect: 'Allow', Principal: '*', Action: 'ecr:*' } }),
    }),
    InvalidParameterException: refused(badPolicy('repository'), { repositoryName, policyText: '{' }, empty),
  },
  StartImageScan: {
    ...onImage(),
    UnsupportedImageTypeException: refused(
      `The image with digest '${app.digest}' in the repository with name '${repositoryName}' ${inRegistry} cannot be scanned: this version of Lading has no scanner`,
      { repositoryName, imageId: { imageTag: 'v1' } },
      withImage,
    ),
    LimitExceededException: never('there is no scanner yet'),
    ValidationException: refused(
      'This feature is disabled',
      { repositoryName, imageId: { imageTag: 'v1' } },
      async (stage) => {
        await stage.repository([app, 'v1'])
        await stage.ecr.putRegistryScanningConfiguration({ scanType: 'ENHANCED' })
      },
    ),
    ImageArchivedException: refused(
      `The image with digest '${app.digest}' in ${ofRepository} is archived`,
      { repositoryName, imageId: { imageDigest: app.digest } },
      async (stage) => {
        await stage.repository([app])
        const imageId = { imageDigest: app.digest }
        await stage.ecr.updateImageStorageClass({ repositoryName, imageId, targetStorageClass: 'ARCHIVE' })
      },
    ),
  },
  StartLifecyclePolicyPreview: {
    ...inRepository(),
    LifecyclePolicyNotFoundException: refused(noLifecyclePolicy, { repositoryName }, empty),
    LifecyclePolicyPreviewInProgressException: refused(
      `Lifecycle policy preview is in progress for ${ofRepository}. Wait for it to complete and try again.`,
      { repositoryName, lifecyclePolicyText },
      async (stage) => {
        await stage.repository()
        await stage.ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText })
        await stage.resumePreviews()
      },
    ),
    ValidationException: unworded,
  },
  TagResource: {
    ...onArn({ tags: tags(1) }),
    InvalidTagParameterException: refused(
      reservedTag,
      (facts) => ({ resourceArn: byArn(facts), tags: [{ Key: 'aws:x', Value: '' }] }),
      empty,
    ),
    TooManyTagsException: refused(tooManyTags, (facts) => ({ resourceArn: byArn(facts), tags: tags(51) }), empty),
  },
  UntagResource: {
    ...onArn({ tagKeys: ['k0'] }),
    InvalidTagParameterException: never('a key that no tag can have is one that is not there, which is ignored'),
    TooManyTagsException: never('it makes fewer of them'),
  },
  UpdateImageStorageClass: {
    ...onImage({ targetStorageClass: 'ARCHIVE' }),
    ImageStorageClassUpdateNotSupportedException: refused(
      `Requested image referenced by manifest list: [${index({ children: [app] }).digest}]`,
      { repositoryName, imageId: { imageDigest: app.digest }, targetStorageClass: 'ARCHIVE' },
      (stage) => stage.repository([index({ children: [app] })]),
    ),
    ValidationException: unworded,
  },
  UpdatePullThroughCacheRule: {
    InvalidParameterException: refused(absent('ecrRepositoryPrefix'), {}),
    ValidationException: unworded,
    UnableToAccessSecretException: secretless,
    PullThroughCacheRuleNotFoundException: refused(noRule, { ecrRepositoryPrefix: 'other' }, withRule),
    SecretNotFoundException: secretless,
    UnableToDecryptSecretValueException: secretless,
  },
  UpdateRepositoryCreationTemplate: {
    ValidationException: unworded,
    InvalidParameterException: refused(badTemplatePolicy, { prefix: 'made', repositoryPolicy: '{}' }, withTemplate),
    TemplateNotFoundException: refused(noTemplate, { prefix: 'other' }, withTemplate),
  },
  UploadLayerPart: {
    ...inRepository({ uploadId, ...part }),
    InvalidLayerPartException: refused(
      'The layer part is not consecutive: the part to upload next begins at byte 1',
      ({ uploadId }) => ({ repositoryName, uploadId, ...part, partFirstByte: 5, partLastByte: 5 }),
      async (stage) => {
        await stage.repository()
        await stage.upload(byte)
      },
    ),
    UploadNotFoundException: refused(noUpload, { repositoryName, uploadId, ...part }, empty),
    LimitExceededException: refused(
      full('layer parts, 2', `an upload to ${ofRepository}`),
      ({ uploadId }) => ({ repositoryName, uploadId, ...part, partFirstByte: 2, partLastByte: 2 }),
      async (stage) => {
        await stage.repository()
        await stage.upload(byte, byte)
      },
    ),
    KmsException: keyless,
  },
  ValidatePullThroughCacheRule: {
    InvalidParameterException: refused(badPrefix, { ecrRepositoryPrefix: 'Cache' }),
    ValidationException: unworded,
    PullThroughCacheRuleNotFoundException: refused(noRule, { ecrRepositoryPrefix: 'other' }, withRule),
  },
}
