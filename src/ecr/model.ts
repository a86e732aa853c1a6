// Generated from model.json by 'npm run generate'. Do not edit.
import type { JsonModel } from '#aws/api-model.ts'
import type { AccountId } from '#names/account.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import json from './model.json' with { type: 'json' }

/** The API model as data, for validation and serialization. */
// The type inferred from JSON widens every literal; 'npm run generate' reads this file as the same type.
export const model = json as unknown as JsonModel

/** Every operation of the API, by name. */
export interface Operations {
  BatchCheckLayerAvailability: {
    readonly input: BatchCheckLayerAvailabilityRequest
    readonly output: BatchCheckLayerAvailabilityResponse
    readonly errors: 'RepositoryNotFoundException' | 'InvalidParameterException' | 'ServerException'
  }
  BatchDeleteImage: {
    readonly input: BatchDeleteImageRequest
    readonly output: BatchDeleteImageResponse
    readonly errors: 'ServerException' | 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  BatchGetImage: {
    readonly input: BatchGetImageRequest
    readonly output: BatchGetImageResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'LimitExceededException'
      | 'UnableToGetUpstreamImageException'
  }
  BatchGetRepositoryScanningConfiguration: {
    readonly input: BatchGetRepositoryScanningConfigurationRequest
    readonly output: BatchGetRepositoryScanningConfigurationResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'ValidationException'
  }
  CompleteLayerUpload: {
    readonly input: CompleteLayerUploadRequest
    readonly output: CompleteLayerUploadResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'UploadNotFoundException'
      | 'InvalidLayerException'
      | 'LayerPartTooSmallException'
      | 'LayerAlreadyExistsException'
      | 'EmptyUploadException'
      | 'KmsException'
  }
  CreatePullThroughCacheRule: {
    readonly input: CreatePullThroughCacheRuleRequest
    readonly output: CreatePullThroughCacheRuleResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'ValidationException'
      | 'PullThroughCacheRuleAlreadyExistsException'
      | 'UnsupportedUpstreamRegistryException'
      | 'LimitExceededException'
      | 'UnableToAccessSecretException'
      | 'SecretNotFoundException'
      | 'UnableToDecryptSecretValueException'
  }
  CreateRepository: {
    readonly input: CreateRepositoryRequest
    readonly output: CreateRepositoryResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'InvalidTagParameterException'
      | 'TooManyTagsException'
      | 'RepositoryAlreadyExistsException'
      | 'LimitExceededException'
      | 'KmsException'
  }
  CreateRepositoryCreationTemplate: {
    readonly input: CreateRepositoryCreationTemplateRequest
    readonly output: CreateRepositoryCreationTemplateResponse
    readonly errors:
      | 'ServerException'
      | 'ValidationException'
      | 'InvalidParameterException'
      | 'LimitExceededException'
      | 'TemplateAlreadyExistsException'
  }
  DeleteLifecyclePolicy: {
    readonly input: DeleteLifecyclePolicyRequest
    readonly output: DeleteLifecyclePolicyResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'LifecyclePolicyNotFoundException'
      | 'ValidationException'
  }
  DeletePullThroughCacheRule: {
    readonly input: DeletePullThroughCacheRuleRequest
    readonly output: DeletePullThroughCacheRuleResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'ValidationException'
      | 'PullThroughCacheRuleNotFoundException'
  }
  DeleteRegistryPolicy: {
    readonly input: DeleteRegistryPolicyRequest
    readonly output: DeleteRegistryPolicyResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RegistryPolicyNotFoundException'
      | 'ValidationException'
  }
  DeleteRepository: {
    readonly input: DeleteRepositoryRequest
    readonly output: DeleteRepositoryResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'RepositoryNotEmptyException'
      | 'KmsException'
  }
  DeleteRepositoryCreationTemplate: {
    readonly input: DeleteRepositoryCreationTemplateRequest
    readonly output: DeleteRepositoryCreationTemplateResponse
    readonly errors:
      | 'ServerException'
      | 'ValidationException'
      | 'InvalidParameterException'
      | 'TemplateNotFoundException'
  }
  DeleteRepositoryPolicy: {
    readonly input: DeleteRepositoryPolicyRequest
    readonly output: DeleteRepositoryPolicyResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'RepositoryPolicyNotFoundException'
  }
  DeleteSigningConfiguration: {
    readonly input: DeleteSigningConfigurationRequest
    readonly output: DeleteSigningConfigurationResponse
    readonly errors: 'ServerException' | 'ValidationException' | 'SigningConfigurationNotFoundException'
  }
  DeregisterPullTimeUpdateExclusion: {
    readonly input: DeregisterPullTimeUpdateExclusionRequest
    readonly output: DeregisterPullTimeUpdateExclusionResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'ExclusionNotFoundException'
      | 'LimitExceededException'
      | 'ValidationException'
      | 'ServerException'
  }
  DescribeImageReplicationStatus: {
    readonly input: DescribeImageReplicationStatusRequest
    readonly output: DescribeImageReplicationStatusResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'ImageNotFoundException'
      | 'RepositoryNotFoundException'
      | 'ValidationException'
  }
  DescribeImageScanFindings: {
    readonly input: DescribeImageScanFindingsRequest
    readonly output: DescribeImageScanFindingsResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'ImageNotFoundException'
      | 'ScanNotFoundException'
      | 'ValidationException'
  }
  DescribeImageSigningStatus: {
    readonly input: DescribeImageSigningStatusRequest
    readonly output: DescribeImageSigningStatusResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'ValidationException'
      | 'ImageNotFoundException'
      | 'RepositoryNotFoundException'
  }
  DescribeImages: {
    readonly input: DescribeImagesRequest
    readonly output: DescribeImagesResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'ImageNotFoundException'
  }
  DescribePullThroughCacheRules: {
    readonly input: DescribePullThroughCacheRulesRequest
    readonly output: DescribePullThroughCacheRulesResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'ValidationException'
      | 'PullThroughCacheRuleNotFoundException'
  }
  DescribeRegistry: {
    readonly input: DescribeRegistryRequest
    readonly output: DescribeRegistryResponse
    readonly errors: 'ServerException' | 'InvalidParameterException' | 'ValidationException'
  }
  DescribeRepositories: {
    readonly input: DescribeRepositoriesRequest
    readonly output: DescribeRepositoriesResponse
    readonly errors: 'ServerException' | 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  DescribeRepositoryCreationTemplates: {
    readonly input: DescribeRepositoryCreationTemplatesRequest
    readonly output: DescribeRepositoryCreationTemplatesResponse
    readonly errors: 'ServerException' | 'ValidationException' | 'InvalidParameterException'
  }
  GetAccountSetting: {
    readonly input: GetAccountSettingRequest
    readonly output: GetAccountSettingResponse
    readonly errors: 'ServerException' | 'ValidationException' | 'InvalidParameterException'
  }
  GetAuthorizationToken: {
    readonly input: GetAuthorizationTokenRequest
    readonly output: GetAuthorizationTokenResponse
    readonly errors: 'ServerException' | 'InvalidParameterException'
  }
  GetDownloadUrlForLayer: {
    readonly input: GetDownloadUrlForLayerRequest
    readonly output: GetDownloadUrlForLayerResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'LayersNotFoundException'
      | 'LayerInaccessibleException'
      | 'RepositoryNotFoundException'
      | 'UnableToGetUpstreamLayerException'
  }
  GetLifecyclePolicy: {
    readonly input: GetLifecyclePolicyRequest
    readonly output: GetLifecyclePolicyResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'LifecyclePolicyNotFoundException'
      | 'ValidationException'
  }
  GetLifecyclePolicyPreview: {
    readonly input: GetLifecyclePolicyPreviewRequest
    readonly output: GetLifecyclePolicyPreviewResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'LifecyclePolicyPreviewNotFoundException'
      | 'ValidationException'
  }
  GetRegistryPolicy: {
    readonly input: GetRegistryPolicyRequest
    readonly output: GetRegistryPolicyResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RegistryPolicyNotFoundException'
      | 'ValidationException'
  }
  GetRegistryScanningConfiguration: {
    readonly input: GetRegistryScanningConfigurationRequest
    readonly output: GetRegistryScanningConfigurationResponse
    readonly errors: 'ServerException' | 'InvalidParameterException' | 'ValidationException'
  }
  GetRepositoryPolicy: {
    readonly input: GetRepositoryPolicyRequest
    readonly output: GetRepositoryPolicyResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'RepositoryPolicyNotFoundException'
  }
  GetSigningConfiguration: {
    readonly input: GetSigningConfigurationRequest
    readonly output: GetSigningConfigurationResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'ValidationException'
      | 'SigningConfigurationNotFoundException'
  }
  InitiateLayerUpload: {
    readonly input: InitiateLayerUploadRequest
    readonly output: InitiateLayerUploadResponse
    readonly errors: 'ServerException' | 'InvalidParameterException' | 'RepositoryNotFoundException' | 'KmsException'
  }
  ListImageReferrers: {
    readonly input: ListImageReferrersRequest
    readonly output: ListImageReferrersResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'ValidationException'
      | 'UnableToListUpstreamImageReferrersException'
  }
  ListImages: {
    readonly input: ListImagesRequest
    readonly output: ListImagesResponse
    readonly errors: 'ServerException' | 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  ListPullTimeUpdateExclusions: {
    readonly input: ListPullTimeUpdateExclusionsRequest
    readonly output: ListPullTimeUpdateExclusionsResponse
    readonly errors: 'InvalidParameterException' | 'ValidationException' | 'LimitExceededException' | 'ServerException'
  }
  ListTagsForResource: {
    readonly input: ListTagsForResourceRequest
    readonly output: ListTagsForResourceResponse
    readonly errors: 'InvalidParameterException' | 'RepositoryNotFoundException' | 'ServerException'
  }
  PutAccountSetting: {
    readonly input: PutAccountSettingRequest
    readonly output: PutAccountSettingResponse
    readonly errors: 'ServerException' | 'ValidationException' | 'InvalidParameterException' | 'LimitExceededException'
  }
  PutImage: {
    readonly input: PutImageRequest
    readonly output: PutImageResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'ImageAlreadyExistsException'
      | 'LayersNotFoundException'
      | 'ReferencedImagesNotFoundException'
      | 'LimitExceededException'
      | 'ImageTagAlreadyExistsException'
      | 'ImageDigestDoesNotMatchException'
      | 'KmsException'
  }
  PutImageScanningConfiguration: {
    readonly input: PutImageScanningConfigurationRequest
    readonly output: PutImageScanningConfigurationResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'ValidationException'
  }
  PutImageTagMutability: {
    readonly input: PutImageTagMutabilityRequest
    readonly output: PutImageTagMutabilityResponse
    readonly errors: 'ServerException' | 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  PutLifecyclePolicy: {
    readonly input: PutLifecyclePolicyRequest
    readonly output: PutLifecyclePolicyResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'ValidationException'
  }
  PutRegistryPolicy: {
    readonly input: PutRegistryPolicyRequest
    readonly output: PutRegistryPolicyResponse
    readonly errors: 'ServerException' | 'InvalidParameterException' | 'ValidationException'
  }
  PutRegistryScanningConfiguration: {
    readonly input: PutRegistryScanningConfigurationRequest
    readonly output: PutRegistryScanningConfigurationResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'ValidationException'
      | 'BlockedByOrganizationPolicyException'
  }
  PutReplicationConfiguration: {
    readonly input: PutReplicationConfigurationRequest
    readonly output: PutReplicationConfigurationResponse
    readonly errors: 'ServerException' | 'InvalidParameterException' | 'ValidationException'
  }
  PutSigningConfiguration: {
    readonly input: PutSigningConfigurationRequest
    readonly output: PutSigningConfigurationResponse
    readonly errors: 'ServerException' | 'InvalidParameterException' | 'ValidationException'
  }
  RegisterPullTimeUpdateExclusion: {
    readonly input: RegisterPullTimeUpdateExclusionRequest
    readonly output: RegisterPullTimeUpdateExclusionResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'ExclusionAlreadyExistsException'
      | 'LimitExceededException'
      | 'ValidationException'
      | 'ServerException'
  }
  SetRepositoryPolicy: {
    readonly input: SetRepositoryPolicyRequest
    readonly output: SetRepositoryPolicyResponse
    readonly errors: 'ServerException' | 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  StartImageScan: {
    readonly input: StartImageScanRequest
    readonly output: StartImageScanResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'UnsupportedImageTypeException'
      | 'LimitExceededException'
      | 'RepositoryNotFoundException'
      | 'ImageNotFoundException'
      | 'ValidationException'
      | 'ImageArchivedException'
  }
  StartLifecyclePolicyPreview: {
    readonly input: StartLifecyclePolicyPreviewRequest
    readonly output: StartLifecyclePolicyPreviewResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'RepositoryNotFoundException'
      | 'LifecyclePolicyNotFoundException'
      | 'LifecyclePolicyPreviewInProgressException'
      | 'ValidationException'
  }
  TagResource: {
    readonly input: TagResourceRequest
    readonly output: TagResourceResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'InvalidTagParameterException'
      | 'TooManyTagsException'
      | 'RepositoryNotFoundException'
      | 'ServerException'
  }
  UntagResource: {
    readonly input: UntagResourceRequest
    readonly output: UntagResourceResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'InvalidTagParameterException'
      | 'TooManyTagsException'
      | 'RepositoryNotFoundException'
      | 'ServerException'
  }
  UpdateImageStorageClass: {
    readonly input: UpdateImageStorageClassRequest
    readonly output: UpdateImageStorageClassResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'ImageNotFoundException'
      | 'ImageStorageClassUpdateNotSupportedException'
      | 'RepositoryNotFoundException'
      | 'ServerException'
      | 'ValidationException'
  }
  UpdatePullThroughCacheRule: {
    readonly input: UpdatePullThroughCacheRuleRequest
    readonly output: UpdatePullThroughCacheRuleResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'ValidationException'
      | 'UnableToAccessSecretException'
      | 'PullThroughCacheRuleNotFoundException'
      | 'SecretNotFoundException'
      | 'UnableToDecryptSecretValueException'
  }
  UpdateRepositoryCreationTemplate: {
    readonly input: UpdateRepositoryCreationTemplateRequest
    readonly output: UpdateRepositoryCreationTemplateResponse
    readonly errors:
      | 'ServerException'
      | 'ValidationException'
      | 'InvalidParameterException'
      | 'TemplateNotFoundException'
  }
  UploadLayerPart: {
    readonly input: UploadLayerPartRequest
    readonly output: UploadLayerPartResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'InvalidLayerPartException'
      | 'RepositoryNotFoundException'
      | 'UploadNotFoundException'
      | 'LimitExceededException'
      | 'KmsException'
  }
  ValidatePullThroughCacheRule: {
    readonly input: ValidatePullThroughCacheRuleRequest
    readonly output: ValidatePullThroughCacheRuleResponse
    readonly errors:
      | 'ServerException'
      | 'InvalidParameterException'
      | 'ValidationException'
      | 'PullThroughCacheRuleNotFoundException'
  }
}

/** Every exception that some operation lists. */
export type ErrorName = Operations[keyof Operations]['errors']

export type ArtifactStatus = 'ACTIVE' | 'ARCHIVED' | 'ACTIVATING'

export type ArtifactStatusFilter = 'ACTIVE' | 'ARCHIVED' | 'ACTIVATING' | 'ANY'

export interface Attribute {
  readonly key: string
  readonly value?: string | undefined
}

export interface AuthorizationData {
  readonly authorizationToken?: string | undefined
  readonly expiresAt?: Date | undefined
  readonly proxyEndpoint?: string | undefined
}

export interface AwsEcrContainerImageDetails {
  readonly architecture?: string | undefined
  readonly author?: string | undefined
  readonly imageHash?: string | undefined
  readonly imageTags?: readonly string[] | undefined
  readonly platform?: string | undefined
  readonly pushedAt?: Date | undefined
  readonly lastInUseAt?: Date | undefined
  readonly inUseCount?: number | undefined
  readonly registry?: string | undefined
  readonly repositoryName?: string | undefined
}

export interface BatchCheckLayerAvailabilityRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly layerDigests: readonly string[]
}

export interface BatchCheckLayerAvailabilityResponse {
  readonly layers?: readonly Layer[] | undefined
  readonly failures?: readonly LayerFailure[] | undefined
}

export interface BatchDeleteImageRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageIds: readonly ImageIdentifier[]
}

export interface BatchDeleteImageResponse {
  readonly imageIds?: readonly ImageIdentifier[] | undefined
  readonly failures?: readonly ImageFailure[] | undefined
}

export interface BatchGetImageRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageIds: readonly ImageIdentifier[]
  readonly acceptedMediaTypes?: readonly string[] | undefined
}

export interface BatchGetImageResponse {
  readonly images?: readonly Image[] | undefined
  readonly failures?: readonly ImageFailure[] | undefined
}

export interface BatchGetRepositoryScanningConfigurationRequest {
  readonly repositoryNames: readonly RepositoryName[]
}

export interface BatchGetRepositoryScanningConfigurationResponse {
  readonly scanningConfigurations?: readonly RepositoryScanningConfiguration[] | undefined
  readonly failures?: readonly RepositoryScanningConfigurationFailure[] | undefined
}

export interface CompleteLayerUploadRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly uploadId: string
  readonly layerDigests: readonly string[]
}

export interface CompleteLayerUploadResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly uploadId?: string | undefined
  readonly layerDigest?: string | undefined
}

export interface CreatePullThroughCacheRuleRequest {
  readonly ecrRepositoryPrefix: string
  readonly upstreamRegistryUrl: string
  readonly registryId?: AccountId | undefined
  readonly upstreamRegistry?: UpstreamRegistry | undefined
  readonly credentialArn?: string | undefined
  readonly customRoleArn?: string | undefined
  readonly upstreamRepositoryPrefix?: string | undefined
}

export interface CreatePullThroughCacheRuleResponse {
  readonly ecrRepositoryPrefix?: string | undefined
  readonly upstreamRegistryUrl?: string | undefined
  readonly createdAt?: Date | undefined
  readonly registryId?: string | undefined
  readonly upstreamRegistry?: UpstreamRegistry | undefined
  readonly credentialArn?: string | undefined
  readonly customRoleArn?: string | undefined
  readonly upstreamRepositoryPrefix?: string | undefined
}

export interface CreateRepositoryCreationTemplateRequest {
  readonly prefix: string
  readonly description?: string | undefined
  readonly encryptionConfiguration?: EncryptionConfigurationForRepositoryCreationTemplate | undefined
  readonly resourceTags?: readonly Tag[] | undefined
  readonly imageTagMutability?: ImageTagMutability | undefined
  readonly imageTagMutabilityExclusionFilters?: readonly ImageTagMutabilityExclusionFilter[] | undefined
  readonly repositoryPolicy?: string | undefined
  readonly lifecyclePolicy?: string | undefined
  readonly appliedFor: readonly RCTAppliedFor[]
  readonly customRoleArn?: string | undefined
}

export interface CreateRepositoryCreationTemplateResponse {
  readonly registryId?: string | undefined
  readonly repositoryCreationTemplate?: RepositoryCreationTemplate | undefined
}

export interface CreateRepositoryRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly tags?: readonly Tag[] | undefined
  readonly imageTagMutability?: ImageTagMutability | undefined
  readonly imageTagMutabilityExclusionFilters?: readonly ImageTagMutabilityExclusionFilter[] | undefined
  readonly imageScanningConfiguration?: ImageScanningConfiguration | undefined
  readonly encryptionConfiguration?: EncryptionConfiguration | undefined
}

export interface CreateRepositoryResponse {
  readonly repository?: Repository | undefined
}

export interface CvssScore {
  readonly baseScore?: number | undefined
  readonly scoringVector?: string | undefined
  readonly source?: string | undefined
  readonly version?: string | undefined
}

export interface CvssScoreAdjustment {
  readonly metric?: string | undefined
  readonly reason?: string | undefined
}

export interface CvssScoreDetails {
  readonly adjustments?: readonly CvssScoreAdjustment[] | undefined
  readonly score?: number | undefined
  readonly scoreSource?: string | undefined
  readonly scoringVector?: string | undefined
  readonly version?: string | undefined
}

export interface DeleteLifecyclePolicyRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
}

export interface DeleteLifecyclePolicyResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly lifecyclePolicyText?: string | undefined
  readonly lastEvaluatedAt?: Date | undefined
}

export interface DeletePullThroughCacheRuleRequest {
  readonly ecrRepositoryPrefix: string
  readonly registryId?: AccountId | undefined
}

export interface DeletePullThroughCacheRuleResponse {
  readonly ecrRepositoryPrefix?: string | undefined
  readonly upstreamRegistryUrl?: string | undefined
  readonly createdAt?: Date | undefined
  readonly registryId?: string | undefined
  readonly credentialArn?: string | undefined
  readonly customRoleArn?: string | undefined
  readonly upstreamRepositoryPrefix?: string | undefined
}

export type DeleteRegistryPolicyRequest = Readonly<Record<never, never>>

export interface DeleteRegistryPolicyResponse {
  readonly registryId?: string | undefined
  readonly policyText?: string | undefined
}

export interface DeleteRepositoryCreationTemplateRequest {
  readonly prefix: string
}

export interface DeleteRepositoryCreationTemplateResponse {
  readonly registryId?: string | undefined
  readonly repositoryCreationTemplate?: RepositoryCreationTemplate | undefined
}

export interface DeleteRepositoryPolicyRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
}

export interface DeleteRepositoryPolicyResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly policyText?: string | undefined
}

export interface DeleteRepositoryRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly force?: boolean | undefined
}

export interface DeleteRepositoryResponse {
  readonly repository?: Repository | undefined
}

export type DeleteSigningConfigurationRequest = Readonly<Record<never, never>>

export interface DeleteSigningConfigurationResponse {
  readonly registryId?: string | undefined
  readonly signingConfiguration?: SigningConfiguration | undefined
}

export interface DeregisterPullTimeUpdateExclusionRequest {
  readonly principalArn: string
}

export interface DeregisterPullTimeUpdateExclusionResponse {
  readonly principalArn?: string | undefined
}

export interface DescribeImageReplicationStatusRequest {
  readonly repositoryName: RepositoryName
  readonly imageId: ImageIdentifier
  readonly registryId?: AccountId | undefined
}

export interface DescribeImageReplicationStatusResponse {
  readonly repositoryName?: string | undefined
  readonly imageId?: ImageIdentifier | undefined
  readonly replicationStatuses?: readonly ImageReplicationStatus[] | undefined
}

export interface DescribeImageScanFindingsRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageId: ImageIdentifier
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
}

export interface DescribeImageScanFindingsResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly imageId?: ImageIdentifier | undefined
  readonly imageScanStatus?: ImageScanStatus | undefined
  readonly imageScanFindings?: ImageScanFindings | undefined
  readonly nextToken?: string | undefined
}

export interface DescribeImageSigningStatusRequest {
  readonly repositoryName: RepositoryName
  readonly imageId: ImageIdentifier
  readonly registryId?: AccountId | undefined
}

export interface DescribeImageSigningStatusResponse {
  readonly repositoryName?: string | undefined
  readonly imageId?: ImageIdentifier | undefined
  readonly registryId?: string | undefined
  readonly signingStatuses?: readonly ImageSigningStatus[] | undefined
}

export interface DescribeImagesFilter {
  readonly tagStatus?: TagStatus | undefined
  readonly imageStatus?: ImageStatusFilter | undefined
}

export interface DescribeImagesRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageIds?: readonly ImageIdentifier[] | undefined
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
  readonly filter?: DescribeImagesFilter | undefined
}

export interface DescribeImagesResponse {
  readonly imageDetails?: readonly ImageDetail[] | undefined
  readonly nextToken?: string | undefined
}

export interface DescribePullThroughCacheRulesRequest {
  readonly registryId?: AccountId | undefined
  readonly ecrRepositoryPrefixes?: readonly string[] | undefined
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
}

export interface DescribePullThroughCacheRulesResponse {
  readonly pullThroughCacheRules?: readonly PullThroughCacheRule[] | undefined
  readonly nextToken?: string | undefined
}

export type DescribeRegistryRequest = Readonly<Record<never, never>>

export interface DescribeRegistryResponse {
  readonly registryId?: string | undefined
  readonly replicationConfiguration?: ReplicationConfiguration | undefined
}

export interface DescribeRepositoriesRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryNames?: readonly RepositoryName[] | undefined
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
}

export interface DescribeRepositoriesResponse {
  readonly repositories?: readonly Repository[] | undefined
  readonly nextToken?: string | undefined
}

export interface DescribeRepositoryCreationTemplatesRequest {
  readonly prefixes?: readonly string[] | undefined
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
}

export interface DescribeRepositoryCreationTemplatesResponse {
  readonly registryId?: string | undefined
  readonly repositoryCreationTemplates?: readonly RepositoryCreationTemplate[] | undefined
  readonly nextToken?: string | undefined
}

export interface EncryptionConfiguration {
  readonly encryptionType: EncryptionType
  readonly kmsKey?: string | undefined
}

export interface EncryptionConfigurationForRepositoryCreationTemplate {
  readonly encryptionType: EncryptionType
  readonly kmsKey?: string | undefined
}

export type EncryptionType = 'AES256' | 'KMS' | 'KMS_DSSE'

export interface EnhancedImageScanFinding {
  readonly awsAccountId?: string | undefined
  readonly description?: string | undefined
  readonly findingArn?: string | undefined
  readonly firstObservedAt?: Date | undefined
  readonly lastObservedAt?: Date | undefined
  readonly packageVulnerabilityDetails?: PackageVulnerabilityDetails | undefined
  readonly remediation?: Remediation | undefined
  readonly resources?: readonly Resource[] | undefined
  readonly score?: number | undefined
  readonly scoreDetails?: ScoreDetails | undefined
  readonly severity?: string | undefined
  readonly status?: string | undefined
  readonly title?: string | undefined
  readonly type?: string | undefined
  readonly updatedAt?: Date | undefined
  readonly fixAvailable?: string | undefined
  readonly exploitAvailable?: string | undefined
}

export type FindingSeverity = 'INFORMATIONAL' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL' | 'UNDEFINED'

export interface GetAccountSettingRequest {
  readonly name: string
}

export interface GetAccountSettingResponse {
  readonly name?: string | undefined
  readonly value?: string | undefined
}

export interface GetAuthorizationTokenRequest {
  readonly registryIds?: readonly AccountId[] | undefined
}

export interface GetAuthorizationTokenResponse {
  readonly authorizationData?: readonly AuthorizationData[] | undefined
}

export interface GetDownloadUrlForLayerRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly layerDigest: string
}

export interface GetDownloadUrlForLayerResponse {
  readonly downloadUrl?: string | undefined
  readonly layerDigest?: string | undefined
}

export interface GetLifecyclePolicyPreviewRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageIds?: readonly ImageIdentifier[] | undefined
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
  readonly filter?: LifecyclePolicyPreviewFilter | undefined
}

export interface GetLifecyclePolicyPreviewResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly lifecyclePolicyText?: string | undefined
  readonly status?: LifecyclePolicyPreviewStatus | undefined
  readonly nextToken?: string | undefined
  readonly previewResults?: readonly LifecyclePolicyPreviewResult[] | undefined
  readonly summary?: LifecyclePolicyPreviewSummary | undefined
}

export interface GetLifecyclePolicyRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
}

export interface GetLifecyclePolicyResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly lifecyclePolicyText?: string | undefined
  readonly lastEvaluatedAt?: Date | undefined
}

export type GetRegistryPolicyRequest = Readonly<Record<never, never>>

export interface GetRegistryPolicyResponse {
  readonly registryId?: string | undefined
  readonly policyText?: string | undefined
}

export type GetRegistryScanningConfigurationRequest = Readonly<Record<never, never>>

export interface GetRegistryScanningConfigurationResponse {
  readonly registryId?: string | undefined
  readonly scanningConfiguration?: RegistryScanningConfiguration | undefined
}

export interface GetRepositoryPolicyRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
}

export interface GetRepositoryPolicyResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly policyText?: string | undefined
}

export type GetSigningConfigurationRequest = Readonly<Record<never, never>>

export interface GetSigningConfigurationResponse {
  readonly registryId?: string | undefined
  readonly signingConfiguration?: SigningConfiguration | undefined
}

export interface Image {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly imageId?: ImageIdentifier | undefined
  readonly imageManifest?: string | undefined
  readonly imageManifestMediaType?: string | undefined
}

export type ImageActionType = 'EXPIRE' | 'TRANSITION'

export interface ImageDetail {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly imageDigest?: string | undefined
  readonly imageTags?: readonly string[] | undefined
  readonly imageSizeInBytes?: number | undefined
  readonly imagePushedAt?: Date | undefined
  readonly imageScanStatus?: ImageScanStatus | undefined
  readonly imageScanFindingsSummary?: ImageScanFindingsSummary | undefined
  readonly imageManifestMediaType?: string | undefined
  readonly artifactMediaType?: string | undefined
  readonly lastRecordedPullTime?: Date | undefined
  readonly subjectManifestDigest?: string | undefined
  readonly imageStatus?: ImageStatus | undefined
  readonly lastArchivedAt?: Date | undefined
  readonly lastActivatedAt?: Date | undefined
}

export interface ImageFailure {
  readonly imageId?: ImageIdentifier | undefined
  readonly failureCode?: ImageFailureCode | undefined
  readonly failureReason?: string | undefined
}

export type ImageFailureCode =
  | 'InvalidImageDigest'
  | 'InvalidImageTag'
  | 'ImageTagDoesNotMatchDigest'
  | 'ImageNotFound'
  | 'MissingDigestAndTag'
  | 'ImageReferencedByManifestList'
  | 'KmsError'
  | 'UpstreamAccessDenied'
  | 'UpstreamTooManyRequests'
  | 'UpstreamUnavailable'
  | 'ImageInaccessible'

export interface ImageIdentifier {
  readonly imageDigest?: string | undefined
  readonly imageTag?: string | undefined
}

export interface ImageReferrer {
  readonly digest: string
  readonly mediaType: string
  readonly artifactType?: string | undefined
  readonly size: number
  readonly annotations?: { readonly [Key in string]?: string } | undefined
  readonly artifactStatus?: ArtifactStatus | undefined
}

export interface ImageReplicationStatus {
  readonly region?: string | undefined
  readonly registryId?: string | undefined
  readonly status?: ReplicationStatus | undefined
  readonly failureCode?: string | undefined
}

export interface ImageScanFinding {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly uri?: string | undefined
  readonly severity?: FindingSeverity | undefined
  readonly attributes?: readonly Attribute[] | undefined
}

export interface ImageScanFindings {
  readonly imageScanCompletedAt?: Date | undefined
  readonly vulnerabilitySourceUpdatedAt?: Date | undefined
  readonly findingSeverityCounts?: { readonly [Key in FindingSeverity]?: number } | undefined
  readonly findings?: readonly ImageScanFinding[] | undefined
  readonly enhancedFindings?: readonly EnhancedImageScanFinding[] | undefined
}

export interface ImageScanFindingsSummary {
  readonly imageScanCompletedAt?: Date | undefined
  readonly vulnerabilitySourceUpdatedAt?: Date | undefined
  readonly findingSeverityCounts?: { readonly [Key in FindingSeverity]?: number } | undefined
}

export interface ImageScanStatus {
  readonly status?: ScanStatus | undefined
  readonly description?: string | undefined
}

export interface ImageScanningConfiguration {
  readonly scanOnPush?: boolean | undefined
}

export interface ImageSigningStatus {
  readonly signingProfileArn?: string | undefined
  readonly failureCode?: string | undefined
  readonly failureReason?: string | undefined
  readonly status?: SigningStatus | undefined
}

export type ImageStatus = 'ACTIVE' | 'ARCHIVED' | 'ACTIVATING'

export type ImageStatusFilter = 'ACTIVE' | 'ARCHIVED' | 'ACTIVATING' | 'ANY'

export type ImageTagMutability = 'MUTABLE' | 'IMMUTABLE' | 'IMMUTABLE_WITH_EXCLUSION' | 'MUTABLE_WITH_EXCLUSION'

export interface ImageTagMutabilityExclusionFilter {
  readonly filterType: ImageTagMutabilityExclusionFilterType
  readonly filter: string
}

export type ImageTagMutabilityExclusionFilterType = 'WILDCARD'

export interface InitiateLayerUploadRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
}

export interface InitiateLayerUploadResponse {
  readonly uploadId?: string | undefined
  readonly partSize?: number | undefined
}

export interface Layer {
  readonly layerDigest?: string | undefined
  readonly layerAvailability?: LayerAvailability | undefined
  readonly layerSize?: number | undefined
  readonly mediaType?: string | undefined
}

export type LayerAvailability = 'AVAILABLE' | 'UNAVAILABLE' | 'ARCHIVED'

export interface LayerFailure {
  readonly layerDigest?: string | undefined
  readonly failureCode?: LayerFailureCode | undefined
  readonly failureReason?: string | undefined
}

export type LayerFailureCode = 'InvalidLayerDigest' | 'MissingLayerDigest'

export interface LifecyclePolicyPreviewFilter {
  readonly tagStatus?: TagStatus | undefined
}

export interface LifecyclePolicyPreviewResult {
  readonly imageTags?: readonly string[] | undefined
  readonly imageDigest?: string | undefined
  readonly imagePushedAt?: Date | undefined
  readonly action?: LifecyclePolicyRuleAction | undefined
  readonly appliedRulePriority?: number | undefined
  readonly storageClass?: LifecyclePolicyStorageClass | undefined
}

export type LifecyclePolicyPreviewStatus = 'IN_PROGRESS' | 'COMPLETE' | 'EXPIRED' | 'FAILED'

export interface LifecyclePolicyPreviewSummary {
  readonly expiringImageTotalCount?: number | undefined
  readonly transitioningImageTotalCounts?: readonly TransitioningImageTotalCount[] | undefined
}

export interface LifecyclePolicyRuleAction {
  readonly type?: ImageActionType | undefined
  readonly targetStorageClass?: LifecyclePolicyTargetStorageClass | undefined
}

export type LifecyclePolicyStorageClass = 'ARCHIVE' | 'STANDARD'

export type LifecyclePolicyTargetStorageClass = 'ARCHIVE'

export interface ListImageReferrersFilter {
  readonly artifactTypes?: readonly string[] | undefined
  readonly artifactStatus?: ArtifactStatusFilter | undefined
}

export interface ListImageReferrersRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly subjectId: SubjectIdentifier
  readonly filter?: ListImageReferrersFilter | undefined
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
}

export interface ListImageReferrersResponse {
  readonly referrers?: readonly ImageReferrer[] | undefined
  readonly nextToken?: string | undefined
}

export interface ListImagesFilter {
  readonly tagStatus?: TagStatus | undefined
  readonly imageStatus?: ImageStatusFilter | undefined
}

export interface ListImagesRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
  readonly filter?: ListImagesFilter | undefined
}

export interface ListImagesResponse {
  readonly imageIds?: readonly ImageIdentifier[] | undefined
  readonly nextToken?: string | undefined
}

export interface ListPullTimeUpdateExclusionsRequest {
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListPullTimeUpdateExclusionsResponse {
  readonly pullTimeUpdateExclusions?: readonly string[] | undefined
  readonly nextToken?: string | undefined
}

export interface ListTagsForResourceRequest {
  readonly resourceArn: string
}

export interface ListTagsForResourceResponse {
  readonly tags?: readonly Tag[] | undefined
}

export interface PackageVulnerabilityDetails {
  readonly cvss?: readonly CvssScore[] | undefined
  readonly referenceUrls?: readonly string[] | undefined
  readonly relatedVulnerabilities?: readonly string[] | undefined
  readonly source?: string | undefined
  readonly sourceUrl?: string | undefined
  readonly vendorCreatedAt?: Date | undefined
  readonly vendorSeverity?: string | undefined
  readonly vendorUpdatedAt?: Date | undefined
  readonly vulnerabilityId?: string | undefined
  readonly vulnerablePackages?: readonly VulnerablePackage[] | undefined
}

export interface PullThroughCacheRule {
  readonly ecrRepositoryPrefix?: string | undefined
  readonly upstreamRegistryUrl?: string | undefined
  readonly createdAt?: Date | undefined
  readonly registryId?: string | undefined
  readonly credentialArn?: string | undefined
  readonly customRoleArn?: string | undefined
  readonly upstreamRepositoryPrefix?: string | undefined
  readonly upstreamRegistry?: UpstreamRegistry | undefined
  readonly updatedAt?: Date | undefined
}

export interface PutAccountSettingRequest {
  readonly name: string
  readonly value: string
}

export interface PutAccountSettingResponse {
  readonly name?: string | undefined
  readonly value?: string | undefined
}

export interface PutImageRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageManifest: string
  readonly imageManifestMediaType?: string | undefined
  readonly imageTag?: string | undefined
  readonly imageDigest?: string | undefined
}

export interface PutImageResponse {
  readonly image?: Image | undefined
}

export interface PutImageScanningConfigurationRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageScanningConfiguration: ImageScanningConfiguration
}

export interface PutImageScanningConfigurationResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly imageScanningConfiguration?: ImageScanningConfiguration | undefined
}

export interface PutImageTagMutabilityRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageTagMutability: ImageTagMutability
  readonly imageTagMutabilityExclusionFilters?: readonly ImageTagMutabilityExclusionFilter[] | undefined
}

export interface PutImageTagMutabilityResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly imageTagMutability?: ImageTagMutability | undefined
  readonly imageTagMutabilityExclusionFilters?: readonly ImageTagMutabilityExclusionFilter[] | undefined
}

export interface PutLifecyclePolicyRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly lifecyclePolicyText: string
}

export interface PutLifecyclePolicyResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly lifecyclePolicyText?: string | undefined
}

export interface PutRegistryPolicyRequest {
  readonly policyText: string
}

export interface PutRegistryPolicyResponse {
  readonly registryId?: string | undefined
  readonly policyText?: string | undefined
}

export interface PutRegistryScanningConfigurationRequest {
  readonly scanType?: ScanType | undefined
  readonly rules?: readonly RegistryScanningRule[] | undefined
}

export interface PutRegistryScanningConfigurationResponse {
  readonly registryScanningConfiguration?: RegistryScanningConfiguration | undefined
}

export interface PutReplicationConfigurationRequest {
  readonly replicationConfiguration: ReplicationConfiguration
}

export interface PutReplicationConfigurationResponse {
  readonly replicationConfiguration?: ReplicationConfiguration | undefined
}

export interface PutSigningConfigurationRequest {
  readonly signingConfiguration: SigningConfiguration
}

export interface PutSigningConfigurationResponse {
  readonly signingConfiguration?: SigningConfiguration | undefined
}

export type RCTAppliedFor = 'REPLICATION' | 'PULL_THROUGH_CACHE' | 'CREATE_ON_PUSH'

export interface Recommendation {
  readonly url?: string | undefined
  readonly text?: string | undefined
}

export interface RegisterPullTimeUpdateExclusionRequest {
  readonly principalArn: string
}

export interface RegisterPullTimeUpdateExclusionResponse {
  readonly principalArn?: string | undefined
  readonly createdAt?: Date | undefined
}

export interface RegistryScanningConfiguration {
  readonly scanType?: ScanType | undefined
  readonly rules?: readonly RegistryScanningRule[] | undefined
}

export interface RegistryScanningRule {
  readonly scanFrequency: ScanFrequency
  readonly repositoryFilters: readonly ScanningRepositoryFilter[]
}

export interface Remediation {
  readonly recommendation?: Recommendation | undefined
}

export interface ReplicationConfiguration {
  readonly rules: readonly ReplicationRule[]
}

export interface ReplicationDestination {
  readonly region: string
  readonly registryId: string
}

export interface ReplicationRule {
  readonly destinations: readonly ReplicationDestination[]
  readonly repositoryFilters?: readonly RepositoryFilter[] | undefined
}

export type ReplicationStatus = 'IN_PROGRESS' | 'COMPLETE' | 'FAILED'

export interface Repository {
  readonly repositoryArn?: string | undefined
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly repositoryUri?: string | undefined
  readonly createdAt?: Date | undefined
  readonly imageTagMutability?: ImageTagMutability | undefined
  readonly imageTagMutabilityExclusionFilters?: readonly ImageTagMutabilityExclusionFilter[] | undefined
  readonly imageScanningConfiguration?: ImageScanningConfiguration | undefined
  readonly encryptionConfiguration?: EncryptionConfiguration | undefined
}

export interface RepositoryCreationTemplate {
  readonly prefix?: string | undefined
  readonly description?: string | undefined
  readonly encryptionConfiguration?: EncryptionConfigurationForRepositoryCreationTemplate | undefined
  readonly resourceTags?: readonly Tag[] | undefined
  readonly imageTagMutability?: ImageTagMutability | undefined
  readonly imageTagMutabilityExclusionFilters?: readonly ImageTagMutabilityExclusionFilter[] | undefined
  readonly repositoryPolicy?: string | undefined
  readonly lifecyclePolicy?: string | undefined
  readonly appliedFor?: readonly RCTAppliedFor[] | undefined
  readonly customRoleArn?: string | undefined
  readonly createdAt?: Date | undefined
  readonly updatedAt?: Date | undefined
}

export interface RepositoryFilter {
  readonly filter: string
  readonly filterType: RepositoryFilterType
}

export type RepositoryFilterType = 'PREFIX_MATCH'

export interface RepositoryScanningConfiguration {
  readonly repositoryArn?: string | undefined
  readonly repositoryName?: string | undefined
  readonly scanOnPush?: boolean | undefined
  readonly scanFrequency?: ScanFrequency | undefined
  readonly appliedScanFilters?: readonly ScanningRepositoryFilter[] | undefined
}

export interface RepositoryScanningConfigurationFailure {
  readonly repositoryName?: string | undefined
  readonly failureCode?: ScanningConfigurationFailureCode | undefined
  readonly failureReason?: string | undefined
}

export interface Resource {
  readonly details?: ResourceDetails | undefined
  readonly id?: string | undefined
  readonly tags?: { readonly [Key in string]?: string } | undefined
  readonly type?: string | undefined
}

export interface ResourceDetails {
  readonly awsEcrContainerImage?: AwsEcrContainerImageDetails | undefined
}

export type ScanFrequency = 'SCAN_ON_PUSH' | 'CONTINUOUS_SCAN' | 'MANUAL'

export type ScanStatus =
  | 'IN_PROGRESS'
  | 'COMPLETE'
  | 'FAILED'
  | 'UNSUPPORTED_IMAGE'
  | 'ACTIVE'
  | 'PENDING'
  | 'SCAN_ELIGIBILITY_EXPIRED'
  | 'FINDINGS_UNAVAILABLE'
  | 'LIMIT_EXCEEDED'
  | 'IMAGE_ARCHIVED'

export type ScanType = 'BASIC' | 'ENHANCED'

export type ScanningConfigurationFailureCode = 'REPOSITORY_NOT_FOUND'

export interface ScanningRepositoryFilter {
  readonly filter: string
  readonly filterType: ScanningRepositoryFilterType
}

export type ScanningRepositoryFilterType = 'WILDCARD'

export interface ScoreDetails {
  readonly cvss?: CvssScoreDetails | undefined
}

export interface SetRepositoryPolicyRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly policyText: string
  readonly force?: boolean | undefined
}

export interface SetRepositoryPolicyResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly policyText?: string | undefined
}

export interface SigningConfiguration {
  readonly rules: readonly SigningRule[]
}

export interface SigningRepositoryFilter {
  readonly filter: string
  readonly filterType: SigningRepositoryFilterType
}

export type SigningRepositoryFilterType = 'WILDCARD_MATCH'

export interface SigningRule {
  readonly signingProfileArn: string
  readonly repositoryFilters?: readonly SigningRepositoryFilter[] | undefined
}

export type SigningStatus = 'IN_PROGRESS' | 'COMPLETE' | 'FAILED'

export interface StartImageScanRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageId: ImageIdentifier
}

export interface StartImageScanResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly imageId?: ImageIdentifier | undefined
  readonly imageScanStatus?: ImageScanStatus | undefined
}

export interface StartLifecyclePolicyPreviewRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly lifecyclePolicyText?: string | undefined
}

export interface StartLifecyclePolicyPreviewResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly lifecyclePolicyText?: string | undefined
  readonly status?: LifecyclePolicyPreviewStatus | undefined
}

export interface SubjectIdentifier {
  readonly imageDigest: string
}

export interface Tag {
  readonly Key: string
  readonly Value: string
}

export interface TagResourceRequest {
  readonly resourceArn: string
  readonly tags: readonly Tag[]
}

export type TagResourceResponse = Readonly<Record<never, never>>

export type TagStatus = 'TAGGED' | 'UNTAGGED' | 'ANY'

export type TargetStorageClass = 'STANDARD' | 'ARCHIVE'

export interface TransitioningImageTotalCount {
  readonly targetStorageClass?: LifecyclePolicyTargetStorageClass | undefined
  readonly imageTotalCount?: number | undefined
}

export interface UntagResourceRequest {
  readonly resourceArn: string
  readonly tagKeys: readonly string[]
}

export type UntagResourceResponse = Readonly<Record<never, never>>

export interface UpdateImageStorageClassRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageId: ImageIdentifier
  readonly targetStorageClass: TargetStorageClass
}

export interface UpdateImageStorageClassResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly imageId?: ImageIdentifier | undefined
  readonly imageStatus?: ImageStatus | undefined
}

export interface UpdatePullThroughCacheRuleRequest {
  readonly registryId?: AccountId | undefined
  readonly ecrRepositoryPrefix: string
  readonly credentialArn?: string | undefined
  readonly customRoleArn?: string | undefined
}

export interface UpdatePullThroughCacheRuleResponse {
  readonly ecrRepositoryPrefix?: string | undefined
  readonly registryId?: string | undefined
  readonly updatedAt?: Date | undefined
  readonly credentialArn?: string | undefined
  readonly customRoleArn?: string | undefined
  readonly upstreamRepositoryPrefix?: string | undefined
}

export interface UpdateRepositoryCreationTemplateRequest {
  readonly prefix: string
  readonly description?: string | undefined
  readonly encryptionConfiguration?: EncryptionConfigurationForRepositoryCreationTemplate | undefined
  readonly resourceTags?: readonly Tag[] | undefined
  readonly imageTagMutability?: ImageTagMutability | undefined
  readonly imageTagMutabilityExclusionFilters?: readonly ImageTagMutabilityExclusionFilter[] | undefined
  readonly repositoryPolicy?: string | undefined
  readonly lifecyclePolicy?: string | undefined
  readonly appliedFor?: readonly RCTAppliedFor[] | undefined
  readonly customRoleArn?: string | undefined
}

export interface UpdateRepositoryCreationTemplateResponse {
  readonly registryId?: string | undefined
  readonly repositoryCreationTemplate?: RepositoryCreationTemplate | undefined
}

export interface UploadLayerPartRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly uploadId: string
  readonly partFirstByte: number
  readonly partLastByte: number
  readonly layerPartBlob: Uint8Array
}

export interface UploadLayerPartResponse {
  readonly registryId?: string | undefined
  readonly repositoryName?: string | undefined
  readonly uploadId?: string | undefined
  readonly lastByteReceived?: number | undefined
}

export type UpstreamRegistry =
  | 'ecr'
  | 'ecr-public'
  | 'quay'
  | 'k8s'
  | 'docker-hub'
  | 'github-container-registry'
  | 'azure-container-registry'
  | 'gitlab-container-registry'
  | 'chainguard'

export interface ValidatePullThroughCacheRuleRequest {
  readonly ecrRepositoryPrefix: string
  readonly registryId?: AccountId | undefined
}

export interface ValidatePullThroughCacheRuleResponse {
  readonly ecrRepositoryPrefix?: string | undefined
  readonly registryId?: string | undefined
  readonly upstreamRegistryUrl?: string | undefined
  readonly credentialArn?: string | undefined
  readonly customRoleArn?: string | undefined
  readonly upstreamRepositoryPrefix?: string | undefined
  readonly isValid?: boolean | undefined
  readonly failure?: string | undefined
}

export interface VulnerablePackage {
  readonly arch?: string | undefined
  readonly epoch?: number | undefined
  readonly filePath?: string | undefined
  readonly name?: string | undefined
  readonly packageManager?: string | undefined
  readonly release?: string | undefined
  readonly sourceLayerHash?: string | undefined
  readonly version?: string | undefined
  readonly fixedInVersion?: string | undefined
}
