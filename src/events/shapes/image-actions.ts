import { type NewEvent, orderKey } from '#events/event.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { RepositoryKey } from '#registry/repository.ts'

/** Events about images, in ECR's form (ECR user guide, "Amazon ECR events and EventBridge"). */

/** What an event says of an image. */
export interface ImageFacts {
  readonly digest: Digest
  readonly mediaType: string | undefined
  readonly artifactType: string | undefined
}

type Place = { readonly repository: RepositoryKey; readonly at: number }

export function imageEvent(
  action: 'PUSH' | 'DELETE',
  { repository, at }: Place,
  image: ImageFacts & { readonly tag: Tag | undefined },
): NewEvent {
  return actionEvent('ECR Image Action', { repository, at }, action, image, {
    ...(image.tag !== undefined && { 'image-tag': image.tag }),
  })
}

export interface StorageClassFacts extends ImageFacts {
  readonly subject: Digest | undefined
}

/** What has a subject is a referrer, which has a detail type of its own. */
export function storageClassEvent(
  target: 'STANDARD' | 'ARCHIVE',
  { repository, at }: Place,
  image: StorageClassFacts,
): NewEvent {
  const type = image.subject === undefined ? 'ECR Image Action' : 'ECR Referrer Action'
  return actionEvent(type, { repository, at }, 'UPDATE_STORAGE_CLASS', image, {
    'target-storage-class': target,
    ...(target === 'STANDARD' && { 'last-activated-at': new Date(at).toISOString() }),
  })
}

function actionEvent(
  detailType: string,
  { repository: { registry, name }, at }: Place,
  action: string,
  { digest, mediaType, artifactType }: ImageFacts,
  details: Readonly<Record<string, unknown>>,
): NewEvent {
  return {
    ...{ account: registry.account, region: registry.region, source: 'aws.ecr', detailType, resources: [], at },
    orderKey: orderKey(registry, name),
    detail: {
      ...{ result: 'SUCCESS', 'repository-name': name, 'image-digest': digest, 'action-type': action, ...details },
      ...(mediaType !== undefined && { 'manifest-media-type': mediaType }),
      ...(artifactType !== undefined && { 'artifact-media-type': artifactType }),
    },
  }
}
