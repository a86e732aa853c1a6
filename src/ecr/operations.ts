import type { Handlers } from '#aws/operation.ts'
import { type AuthorizationParts, authorizationOperations } from './authorization.ts'
import { type ImageListParts, imageListOperations } from './image-lists.ts'
import { type ImageParts, imageOperations } from './images.ts'
import { type LayerParts, layerOperations } from './layers.ts'
import type { Operations } from './model.ts'
import { type RegistryParts, registryOperations } from './registry.ts'
import { type RepositoryParts, repositoryOperations } from './repositories.ts'
import { resourceTagOperations } from './resource-tags.ts'
import { type TemplateParts, templateOperations } from './templates.ts'

/** Every operation of the ECR API that has a handler. One that is missing or misspelt does not compile. */
export const servedOperations = [
  'BatchCheckLayerAvailability',
  'BatchDeleteImage',
  'BatchGetImage',
  'CompleteLayerUpload',
  'CreateRepository',
  'CreateRepositoryCreationTemplate',
  'DeleteRepository',
  'DeleteRepositoryCreationTemplate',
  'DescribeImages',
  'DescribeRegistry',
  'DescribeRepositories',
  'DescribeRepositoryCreationTemplates',
  'GetAccountSetting',
  'GetAuthorizationToken',
  'GetDownloadUrlForLayer',
  'InitiateLayerUpload',
  'ListImages',
  'ListTagsForResource',
  'PutAccountSetting',
  'PutImage',
  'PutImageTagMutability',
  'TagResource',
  'UntagResource',
  'UpdateRepositoryCreationTemplate',
  'UploadLayerPart',
] as const satisfies readonly (keyof Operations)[]

type ServedOperation = (typeof servedOperations)[number]

/** What the operations need of the domain and of its access. */
export interface EcrParts
  extends RepositoryParts,
    ImageParts,
    ImageListParts,
    LayerParts,
    TemplateParts,
    AuthorizationParts,
    RegistryParts {}

export function ecrOperations(parts: EcrParts) {
  return {
    ...repositoryOperations(parts),
    ...imageOperations(parts),
    ...imageListOperations(parts),
    ...layerOperations(parts),
    ...authorizationOperations(parts),
    ...registryOperations(parts),
    ...resourceTagOperations(parts),
    ...templateOperations(parts),
  } satisfies Handlers<Operations, ServedOperation>
}
