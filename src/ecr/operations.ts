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

/** Every operation of the ECR API. One that is missing or misspelt does not compile. */
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
  } satisfies Handlers<Operations>
}
