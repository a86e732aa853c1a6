import type { Metadata } from '#metadata/metadata.ts'
import type { Reference } from '#names/reference.ts'
import type { FoundImage, Images } from './images.ts'
import { inspectRepository } from './inspection.ts'
import type { RepositoryKey } from './repository.ts'

/** What a registry that replicates to this one asks before it sends. */
export interface ReplicaImages {
  /** The image that is here, also in the archive. `deleted`: it was here and was deleted here. Without a repository nothing is. */
  find(key: RepositoryKey, reference: Reference): Promise<FoundImage | 'absent' | 'deleted'>
}

export function createReplicaImages({
  metadata: { reader },
  images,
}: {
  metadata: Metadata
  images: Pick<Images, 'find'>
}): ReplicaImages {
  return {
    async find(key, reference) {
      const found = await images.find(key, reference)
      if (found !== undefined) return found
      const { tag, digest } = reference
      const inspection = await inspectRepository(reader, key, {
        digests: digest === undefined ? [] : [digest],
        tags: tag === undefined ? [] : [tag],
      })
      const state = tag === undefined ? inspection.images.get(digest) : inspection.tags.get(tag)
      return state === 'deleted' ? 'deleted' : 'absent'
    },
  }
}
