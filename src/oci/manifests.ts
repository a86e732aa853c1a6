import type { FastifyReply } from 'fastify'
import type { Bodies } from '#http/bodies.ts'
import { type Digest, isDigest } from '#names/digest.ts'
import { parseReference, type Reference } from '#names/reference.ts'
import { isTag } from '#names/tag.ts'
import type { ImageDeletion } from '#registry/image-deletion.ts'
import type { ImagePush } from '#registry/image-push.ts'
import type { Images } from '#registry/images.ts'
import { manifestLimitBytes } from '#registry/manifest.ts'
import type { ReplicaImages } from '#registry/replica-images.ts'
import type { Repositories } from '#registry/repositories.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import { type FamilyRoutes, pullerOf, pushCreatingFor, repositoryOf } from './call.ts'
import { etagOf, isNotModified } from './conditions.ts'
import { refuse } from './refusals.ts'
import { headReplica } from './replica-manifests.ts'
import { parsePushedAt } from './replication.ts'
import { sendBytes } from './send.ts'
import { warnStale } from './stale.ts'

/** `/v2/<name>/manifests/<reference>` (distribution specification, "Pulling manifests", "Pushing Manifests", "Deleting Manifests"). */
export function manifestRoutes({
  repositories,
  images,
  replicaImages,
  imagePush,
  imageDeletion,
  bodies,
}: {
  repositories: Repositories
  images: Images
  replicaImages: ReplicaImages
  imagePush: ImagePush
  imageDeletion: ImageDeletion
  bodies: Bodies
}): FamilyRoutes<'manifest'> {
  return {
    GET: {
      actions: [['ecr:BatchGetImage']],
      // Flat on purpose: `bench` figure "manifest GET by tag".
      async handle(call) {
        const key = repositoryOf(call)
        const wanted = parseWanted(key, call.path.reference)
        const { digest, mediaType, body, stale } = await images.pull(key, wanted, pullerOf(call))
        if (stale !== undefined) warnStale(call.reply, stale)
        if (isNotModified(call.request.headers, digest)) return notModified(call.reply, digest)
        const headers = { 'content-type': mediaType, 'docker-content-digest': digest, etag: etagOf(digest) }
        sendBytes(call.reply, headers, body)
      },
    },

    HEAD: {
      actions: [['ecr:BatchGetImage']],
      replicates: true,
      async handle(call) {
        const key = repositoryOf(call)
        const wanted = parseWanted(key, call.path.reference)
        if (call.source !== undefined) return headReplica(replicaImages, call.reply, key, wanted)
        const { digest, mediaType, sizeBytes, stale } = await images.head(key, wanted, pullerOf(call))
        if (stale !== undefined) warnStale(call.reply, stale)
        if (isNotModified(call.request.headers, digest)) return notModified(call.reply, digest)
        return call.reply
          .header('content-type', mediaType)
          .header('content-length', sizeBytes)
          .header('docker-content-digest', digest)
          .header('etag', etagOf(digest))
          .send()
      },
    },

    PUT: {
      actions: [['ecr:PutImage']],
      replicates: true,
      async handle(call) {
        const { path, request, reply, source } = call
        const reference = parseReference(path.reference)
        const replica = source && { source, pushedAt: parsePushedAt(request.headers) }
        using body = await bodies.read(request.raw, manifestLimitBytes)
        const mediaType = declaredType(request.headers['content-type'])
        const by = call.caller?.arn ?? ''
        const push = { body: body.bytes, mediaType, ...reference, by, ...(replica && { replica }) }
        const { digest, manifest, replicaTag } = await pushCreatingFor(repositories, call, () =>
          imagePush.put(repositoryOf(call), push),
        )
        if (replicaTag !== undefined) reply.header('lading-tag', replicaTag)
        if (manifest.subject !== undefined) reply.header('oci-subject', manifest.subject)
        return reply
          .code(201)
          .header('location', `/v2/${path.name}/manifests/${digest}`)
          .header('docker-content-digest', digest)
          .send()
      },
    },

    DELETE: {
      actions: [['ecr:BatchDeleteImage']],
      async handle(call) {
        const key = repositoryOf(call)
        await imageDeletion.delete(key, parseWanted(key, call.path.reference), call.caller?.arn ?? '')
        return call.reply.code(202).send()
      },
    },
  }
}

function notModified(reply: FastifyReply, digest: Digest) {
  return reply.code(304).header('docker-content-digest', digest).header('etag', etagOf(digest)).send()
}

/** What is neither tag nor digest points to nothing: to whoever asks for it, it is an image that is not there. */
function parseWanted(key: RepositoryKey, text: string): Reference {
  if (isTag(text)) return { tag: text }
  if (isDigest(text)) return { digest: text }
  throw refuse('ImageUnnameable', { ...inRepository(key), reference: text })
}

/** Parameters, such as a charset, say nothing of what a manifest is; an empty header is none. */
function declaredType(header: string | undefined): string | undefined {
  return header?.split(';', 1)[0]?.trim() || undefined
}
