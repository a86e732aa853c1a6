import type { FastifyInstance } from 'fastify'
import type { ImageDeletion } from '#registry/image-deletion.ts'
import type { ImagePush } from '#registry/image-push.ts'
import type { Images } from '#registry/images.ts'
import type { LinkedBlobs } from '#registry/linked-blobs.ts'
import type { Referrers } from '#registry/referrers.ts'
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
    manifest: manifestRoutes(domain),
    blob: blobRoutes(domain),
    referrers: referrerRoutes(domain),
    uploads: uploadsRoutes(domain),
    upload: uploadRoutes(domain),
  }
  const dispatch = createDispatch({ ...parts, routes })

  // In a scope of its own: the other surfaces read bodies in other ways.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _body, parsed) => parsed(null))
    scope.all('/v2', dispatch)
    scope.all('/v2/*', dispatch)
    done()
  })
}
