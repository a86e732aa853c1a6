import type { Handlers } from '#aws/operation.ts'
import { type AuthorizationParts, authorizationOperations } from './authorization.ts'
import { type ImageListParts, imageListOperations } from './image-lists.ts'
import { type ImageParts, imageOperations } from './images.ts'
import { type LayerParts, layerOperations } from './layers.ts'
import { type LifecycleParts, lifecycleOperations } from './lifecycle.ts'
import type { Operations } from './model.ts'
import { type PolicyParts, policyOperations } from './policies.ts'
import { type PullThroughParts, pullThroughOperations } from './pull-through.ts'
import { type PullTimeExclusionParts, pullTimeExclusionOperations } from './pull-time-exclusions.ts'
import { type ReferrerParts, referrerOperations } from './referrers.ts'
import { type RegistryParts, registryOperations } from './registry.ts'
import { type ReplicationParts, replicationOperations } from './replication.ts'
import { type RepositoryParts, repositoryOperations } from './repositories.ts'
import { resourceTagOperations } from './resource-tags.ts'
import { type ScanningParts, scanningOperations } from './scanning.ts'
import { type SigningParts, signingOperations } from './signing.ts'
import { type StorageClassParts, storageClassOperations } from './storage-class.ts'
import { type TemplateParts, templateOperations } from './templates.ts'

/** Every operation of the ECR API that has a handler. One that is missing or misspelt does not compile. */
export const servedOperations = [
  'BatchCheckLayerAvailability',
  'BatchDeleteImage',
  'BatchGetImage',
  'BatchGetRepositoryScanningConfiguration',
  'CompleteLayerUpload',
  'CreatePullThroughCacheRule',
  'CreateRepository',
  'CreateRepositoryCreationTemplate',
  'DeleteLifecyclePolicy',
  'DeletePullThroughCacheRule',
  'DeleteRegistryPolicy',
  'DeleteRepository',
  'DeleteRepositoryCreationTemplate',
  'DeleteRepositoryPolicy',
  'DeleteSigningConfiguration',
  'DeregisterPullTimeUpdateExclusion',
  'DescribeImageReplicationStatus',
  'DescribeImageScanFindings',
  'DescribeImageSigningStatus',
  'DescribeImages',
  'DescribePullThroughCacheRules',
  'DescribeRegistry',
  'DescribeRepositories',
  'DescribeRepositoryCreationTemplates',
  'GetAccountSetting',
  'GetAuthorizationToken',
  'GetDownloadUrlForLayer',
  'GetLifecyclePolicy',
  'GetLifecyclePolicyPreview',
  'GetRegistryPolicy',
  'GetRegistryScanningConfiguration',
  'GetRepositoryPolicy',
  'GetSigningConfiguration',
  'InitiateLayerUpload',
  'ListImageReferrers',
  'ListImages',
  'ListPullTimeUpdateExclusions',
  'ListTagsForResource',
  'PutAccountSetting',
  'PutImage',
  'PutImageScanningConfiguration',
  'PutImageTagMutability',
  'PutLifecyclePolicy',
  'PutRegistryPolicy',
  'PutRegistryScanningConfiguration',
  'PutReplicationConfiguration',
  'PutSigningConfiguration',
  'RegisterPullTimeUpdateExclusion',
  'SetRepositoryPolicy',
  'StartImageScan',
  'StartLifecyclePolicyPreview',
  'TagResource',
  'UntagResource',
  'UpdateImageStorageClass',
  'UpdatePullThroughCacheRule',
  'UpdateRepositoryCreationTemplate',
  'UploadLayerPart',
  'ValidatePullThroughCacheRule',
] as const satisfies readonly (keyof Operations)[]

type ServedOperation = (typeof servedOperations)[number]

/** What the operations need of the domain and of its access. */
export interface EcrParts
  extends RepositoryParts,
    ImageParts,
    ImageListParts,
    ReferrerParts,
    StorageClassParts,
    LayerParts,
    PolicyParts,
    PullThroughParts,
    PullTimeExclusionParts,
    TemplateParts,
    AuthorizationParts,
    RegistryParts,
    ScanningParts,
    ReplicationParts,
    SigningParts,
    LifecycleParts {}

export function ecrOperations(parts: EcrParts) {
  return {
    ...repositoryOperations(parts),
    ...imageOperations(parts),
    ...imageListOperations(parts),
    ...referrerOperations(parts),
    ...storageClassOperations(parts),
    ...layerOperations(parts),
    ...authorizationOperations(parts),
    ...registryOperations(parts),
    ...scanningOperations(parts),
    ...replicationOperations(parts),
    ...signingOperations(parts),
    ...lifecycleOperations(parts),
    ...resourceTagOperations(parts),
    ...policyOperations(parts),
    ...pullThroughOperations(parts),
    ...pullTimeExclusionOperations(parts),
    ...templateOperations(parts),
  } satisfies Handlers<Operations, ServedOperation>
}
