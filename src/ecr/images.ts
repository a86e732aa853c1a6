import { setImmediate } from 'node:timers/promises'
import type { Handlers } from '#aws/operation.ts'
import { type Digest, isDigest } from '#names/digest.ts'
import { parseTag } from '#names/tag.ts'
import { pushCreating } from '#registry/create-on-push.ts'
import type { ImageDeletion } from '#registry/image-deletion.ts'
import type { ImagePush } from '#registry/image-push.ts'
import type { Images } from '#registry/images.ts'
import { convertManifest } from '#registry/manifest-conversion.ts'
import type { Puller } from '#registry/puller.ts'
import { refuse as refuseContent } from '#registry/refusals.ts'
import type { Repositories } from '#registry/repositories.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import { type AskedImage, attempt, describeDeletionFailure, readImageId } from './image-ids.ts'
import type { Image, ImageFailure, Operations } from './model.ts'
import { refuse } from './refusals.ts'
import { pullerOf, pusherOf, repositoryKey, repositoryResource } from './request.ts'
import { describeImageId } from './shapes.ts'

/** Characters of all manifests in one answer: a hundred of usual size come to one MiB, a hundred of the largest would to 400. */
const mostManifestText = 32 * 1024 * 1024

/** Characters of manifests that are read before other work runs: some milliseconds on SQLite. */
const textAtOnce = 1024 * 1024

/** Images: pushing, fetching and deleting manifests, which are texts here. */
export interface ImageParts {
  readonly repositories: Repositories
  readonly images: Images
  readonly imagePush: ImagePush
  readonly imageDeletion: ImageDeletion
}

/** Whether an upstream did not hand out the image. */
function isUpstreams({ failureCode }: ImageFailure): boolean {
  return failureCode?.startsWith('Upstream') ?? false
}

export function imageOperations({ repositories, images, imagePush, imageDeletion }: ImageParts) {
  /**
   * A pull. By tag the image comes in a type that is accepted, if it can; by digest it is what has that digest. The data plane
   * converts nothing: its clients resolve a tag, and then ask for the digest that they were told.
   */
  async function fetchImage(
    key: RepositoryKey,
    { tag, digest }: AskedImage,
    accepted: readonly string[] | undefined,
    by: Puller,
  ): Promise<Image> {
    const pulled = await images.pull(key, digest === undefined ? { tag } : { digest }, by)
    const stored = digest === undefined && accepted !== undefined ? convertManifest(pulled, accepted) : pulled
    return {
      registryId: key.registry.account,
      repositoryName: key.name,
      imageId: describeImageId({ digest: stored.digest, tag }),
      // A manifest is UTF-8, or it had not been taken.
      imageManifest: Buffer.from(stored.body.buffer, stored.body.byteOffset, stored.body.byteLength).toString('utf8'),
      imageManifestMediaType: stored.mediaType,
    }
  }

  /** A digest that the model admits may be of an algorithm that no manifest here is known by. */
  async function requireUsable(key: RepositoryKey, given: string): Promise<Digest> {
    if (isDigest(given)) return given
    await repositories.get(key)
    throw refuse('ManifestDigestUnusable', { ...inRepository(key), given })
  }

  return {
    PutImage: {
      resource: repositoryResource,
      // A manifest of 4 MiB has three times its size as JSON text at most, where clients escape all but ASCII.
      largeBody: { maxBytes: 13 * 1024 * 1024, maxEntries: 100 },
      handle: async (request) => {
        const { imageManifest, imageManifestMediaType: mediaType, imageTag, imageDigest } = request.input
        const key = repositoryKey(request)
        const tag = imageTag === undefined ? undefined : parseTag(imageTag)
        const given = imageDigest === undefined ? undefined : await requireUsable(key, imageDigest)
        const by = request.principal.arn
        const push = { body: encodeManifest(imageManifest), mediaType, digest: given, tag, strict: true, by }
        const { digest, manifest, changed } = await pushCreating(repositories, pusherOf(request), () =>
          imagePush.put(key, push),
        )
        if (!changed) throw refuse('ImageUnchanged', { ...inRepository(key), digest, tag })
        return {
          image: {
            registryId: key.registry.account,
            repositoryName: key.name,
            imageId: describeImageId({ digest, tag }),
            imageManifest,
            imageManifestMediaType: manifest.mediaType,
          },
        }
      },
    },

    BatchGetImage: {
      resource: repositoryResource,
      unchecked: ['ImageDigest', 'ImageTag'],
      handle: async (request) => {
        const key = repositoryKey(request)
        const found: Image[] = []
        const failures: ImageFailure[] = []
        const { imageIds, acceptedMediaTypes } = request.input
        const by = pullerOf(request)
        let length = 0
        for (const imageId of imageIds) {
          request.signal.throwIfAborted()
          const { result, failure } = await attempt({ images, key, imageId, by }, (asked) =>
            fetchImage(key, asked, acceptedMediaTypes, by),
          )
          if (failure === undefined) found.push(result)
          else failures.push(failure)
          const before = length
          length += result?.imageManifest?.length ?? 0
          if (length > mostManifestText) throw refuse('ManifestsTooMany', { limit: mostManifestText })
          if (Math.floor(length / textAtOnce) > Math.floor(before / textAtOnce)) await setImmediate()
        }
        // A pull creates the repository of an upstream's image, unless the upstream fails.
        if (found.length === 0 && !failures.some(isUpstreams)) await repositories.get(key)
        return { images: found, failures }
      },
    },

    BatchDeleteImage: {
      resource: repositoryResource,
      unchecked: ['ImageDigest', 'ImageTag'],
      handle: async (request) => {
        const key = repositoryKey(request)
        const parsed = request.input.imageIds.map((imageId) => ({ imageId, ...readImageId(imageId) }))
        const { gone, failures: kept } = await imageDeletion.deleteAll(
          key,
          parsed.flatMap(({ asked }) => asked ?? []),
          request.principal.arn,
        )
        const failures = parsed.flatMap(({ imageId, asked, failure }) => {
          const reason = asked && kept.get(asked)
          return failure ?? (reason && describeDeletionFailure(imageId, reason)) ?? []
        })
        return { imageIds: gone.map(describeImageId), failures }
      },
    },
  } satisfies Handlers<Operations, 'PutImage' | 'BatchGetImage' | 'BatchDeleteImage'>
}

/** A manifest's bytes. Half a surrogate pair has none, and would not come back as it was sent. */
function encodeManifest(text: string): Uint8Array {
  if (!text.isWellFormed()) throw refuseContent('ManifestInvalid', { path: '', problem: 'must be Unicode text' })
  return Buffer.from(text, 'utf8')
}
