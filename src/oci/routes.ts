import assert from 'node:assert/strict'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ImageDeletion } from '#registry/image-deletion.ts'
import type { ImagePush } from '#registry/image-push.ts'
import type { Images } from '#registry/images.ts'
import type { LinkedBlobs } from '#registry/linked-blobs.ts'
import type { Referrers } from '#registry/referrers.ts'
import type { ReplicaImages } from '#registry/replica-images.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { Tags } from '#registry/tags.ts'
import type { Uploads } from '#registry/uploads.ts'
import { blobRoutes } from './blobs.ts'
import { createDispatch, type DispatchParts, type OciRoutes } from './dispatch.ts'
import { catalogRoutes, referrerRoutes, tagRoutes } from './lists.ts'
import { manifestRoutes } from './manifests.ts'
import { uploadRoutes, uploadsRoutes } from './uploads.ts'

export interface OciDomain {
  readonly repositories: Repositories
  readonly images: Images
  readonly replicaImages: ReplicaImages
  readonly imagePush: ImagePush
  readonly imageDeletion: ImageDeletion
  readonly tags: Tags
  readonly referrers: Referrers
  readonly linkedBlobs: LinkedBlobs
  readonly uploads: Uploads
}

/** The data plane: everything below `/v2/`. Bodies reach the handlers as they come, unread. */
export function ociRoutes(
  app: FastifyInstance,
  { domain, ...parts }: Omit<DispatchParts, 'routes'> & { readonly domain: OciDomain },
): void {
  const routes: OciRoutes = {
    base: { GET: { actions: [], handle: async ({ reply }) => reply.send({}) } },
    catalog: catalogRoutes(domain),
    tags: tagRoutes(domain),
    manifest: manifestRoutes({ ...domain, bodies: parts.bodies }),
    blob: blobRoutes(domain),
    referrers: referrerRoutes(domain),
    uploads: uploadsRoutes(domain),
    upload: uploadRoutes(domain),
  }
  const dispatch = createDispatch({ ...parts, routes })

  // As a hook, because what follows hooks refuses a media type that is none with an answer of its own, to strangers too.
  function onRequest(request: FastifyRequest, reply: FastifyReply, done: (error: Error) => void): void {
    dispatch(request, reply).catch(done)
  }
  const handler = () => assert.fail('the hook answers')
  app.all('/v2', { onRequest }, handler)
  app.all('/v2/*', { onRequest }, handler)
}
