import type { FastifyReply } from 'fastify'
import type { Reference } from '#names/reference.ts'
import { refuse } from '#registry/refusals.ts'
import type { ReplicaImages } from '#registry/replica-images.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import { etagOf } from './conditions.ts'

/**
 * HEAD of a manifest, for a registry that replicates: what is here, also in the archive, and what was deleted here. Upstreams of the cache are
 * not asked. The header `Lading-Image` says what the status does not.
 *
 * @throws Refusal `RepositoryNotFound`, `ImageNotFound`
 */
export async function headReplica(
  replicaImages: ReplicaImages,
  reply: FastifyReply,
  key: RepositoryKey,
  wanted: Reference,
): Promise<unknown> {
  const found = await replicaImages.find(key, wanted)
  if (found === 'absent' || found === 'deleted') {
    if (found === 'deleted') reply.header('lading-image', 'deleted')
    throw refuse('ImageNotFound', { ...inRepository(key), query: wanted })
  }
  const { digest, mediaType, sizeBytes, status } = found
  if (status === 'ARCHIVED') reply.header('lading-image', 'archived')
  return reply
    .header('content-type', mediaType)
    .header('content-length', sizeBytes)
    .header('docker-content-digest', digest)
    .header('etag', etagOf(digest))
    .send()
}
