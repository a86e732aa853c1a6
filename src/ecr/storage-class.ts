import type { Handlers } from '#aws/operation.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { StorageClasses } from '#registry/storage-class.ts'
import { readImageQuery } from './image-ids.ts'
import type { Operations } from './model.ts'
import { repositoryKey, repositoryResource } from './request.ts'

/** Whether an image is archived. */
export interface StorageClassParts {
  readonly repositories: Repositories
  readonly storageClasses: StorageClasses
}

export function storageClassOperations({ repositories, storageClasses }: StorageClassParts) {
  return {
    UpdateImageStorageClass: {
      resource: repositoryResource,
      handle: async (request) => {
        const { imageId, targetStorageClass } = request.input
        const key = repositoryKey(request)
        const query = await readImageQuery(repositories, key, imageId)
        const { digest, status, changed } = await storageClasses.update(key, query, {
          target: targetStorageClass,
          by: request.principal.arn,
        })
        return {
          registryId: key.registry.account,
          repositoryName: key.name,
          imageId: { ...imageId, imageDigest: digest },
          // ECR says that a restore has begun, for clients to ask until it is over. Here it is over when they first ask.
          imageStatus: status === 'ACTIVE' && changed ? 'ACTIVATING' : status,
        }
      },
    },
  } satisfies Handlers<Operations, 'UpdateImageStorageClass'>
}
