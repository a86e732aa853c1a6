import type { NewEvent } from '#events/event.ts'
import { orderKey } from '#events/event.ts'
import type { ImagePushed } from '#registry/announcements.ts'
import type { Repository } from '#registry/repository.ts'

/** Events about images, in ECR's form (ECR user guide, "Amazon ECR events and EventBridge"). */

const source = 'aws.ecr'

/** None for a push that changed nothing but the storage class of its image: `ImagesRestored` stands for that. */
export function pushEvents({ repository, digest, mediaType, artifactType, tag, at, isNew }: ImagePushed): NewEvent[] {
  if (!isNew && tag === undefined) return []
  return [imageEvent(repository, { 'action-type': 'PUSH', digest, mediaType, artifactType, tag, at })]
}

interface ImageFacts {
  readonly 'action-type': 'PUSH' | 'DELETE'
  readonly digest: string
  readonly mediaType: string
  readonly artifactType: string | undefined
  readonly tag: string | undefined
  readonly at: number
}

function imageEvent({ registry, name }: Repository, facts: ImageFacts): NewEvent {
  return {
    ...registry,
    ...{ source, detailType: 'ECR Image Action', resources: [], at: facts.at, orderKey: orderKey(registry, name) },
    detail: {
      result: 'SUCCESS',
      'repository-name': name,
      'image-digest': facts.digest,
      'action-type': facts['action-type'],
      ...(facts.tag !== undefined && { 'image-tag': facts.tag }),
      'manifest-media-type': facts.mediaType,
      ...(facts.artifactType !== undefined && { 'artifact-media-type': facts.artifactType }),
    },
  }
}
