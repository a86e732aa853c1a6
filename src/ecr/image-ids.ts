import { Refusal } from '#lib/refusal.ts'
import { type Digest, isDigest } from '#names/digest.ts'
import type { Reference } from '#names/reference.ts'
import { isTag, type Tag } from '#names/tag.ts'
import type { DeletionFailure } from '#registry/deletion-plan.ts'
import type { Images } from '#registry/images.ts'
import type { Puller } from '#registry/puller.ts'
import type { RegistryRefusals } from '#registry/refusals.ts'
import type { Repositories } from '#registry/repositories.ts'
import { inRepository, type RepositoryKey } from '#registry/repository.ts'
import type { UpstreamContentRefusals } from '#upstream/refusals.ts'
import { registryTexts } from '#wording/registry.ts'
import { constraints } from './constraints.ts'
import type { ImageFailure, ImageFailureCode, ImageIdentifier } from './model.ts'
import { refuse } from './refusals.ts'
import { upstreamText } from './upstream-failures.ts'

/**
 * Image identifiers as requests give them: a tag, a digest, or both, which must then agree. In a batch each that is wrong fails
 * for itself, with a code and a text (recorded in moto's and LocalStack's suites), and the call succeeds.
 */

const digestPattern = constraints.ImageDigest.pattern
const digestForm = new RegExp(`^${digestPattern}$`)
const tagPattern = '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'

const invalidTexts = {
  MissingDigestAndTag: 'both tag and digest cannot be null',
  InvalidImageDigest: `image digest should satisfy the regex '${digestPattern}'`,
  InvalidImageTag: `image tag should satisfy the regex '${tagPattern}'`,
  ImageTagDoesNotMatchDigest: 'given tag does not map to the given digest',
} as const satisfies { readonly [Code in ImageFailureCode]?: string }

function invalid(imageId: ImageIdentifier, failureCode: keyof typeof invalidTexts): ImageFailure {
  return { imageId, failureCode, failureReason: invalidText(failureCode) }
}

function invalidText(failureCode: keyof typeof invalidTexts): string {
  return `Invalid request parameters: ${invalidTexts[failureCode]}`
}

/** An image by tag, by digest, or by both. */
export type AskedImage = Reference | { readonly tag: Tag; readonly digest: Digest }

/** What asks the domain for that image; `undefined` for texts that can name no image, or no text at all. */
function parseImageId({ imageTag: tag, imageDigest: digest }: ImageIdentifier): AskedImage | undefined {
  if (tag !== undefined && !isTag(tag)) return undefined
  if (digest !== undefined && !isDigest(digest)) return undefined
  if (tag === undefined) return digest && { digest }
  return digest === undefined ? { tag } : { tag, digest }
}

/**
 * What asks for the one image that a call is about. `member` is what the call names it in.
 *
 * @throws Refusal `ParameterInvalid` for neither half, `RepositoryNotFound`, `ImageUnnameable`
 */
export async function readImageQuery(
  repositories: Repositories,
  key: RepositoryKey,
  imageId: ImageIdentifier,
  member: 'imageId' | 'imageIds' = 'imageId',
): Promise<AskedImage> {
  if (imageId.imageTag === undefined && imageId.imageDigest === undefined) {
    throw refuse('ParameterInvalid', { member, constraint: invalidText('MissingDigestAndTag') })
  }
  const query = parseImageId(imageId)
  if (query !== undefined) return query
  await repositories.get(key)
  throw refuse('ImageUnnameable', { ...inRepository(key), imageId })
}

/** What is wrong with an identifier by its form. */
function findFault({ imageTag, imageDigest }: ImageIdentifier): keyof typeof invalidTexts | undefined {
  if (imageTag === undefined && imageDigest === undefined) return 'MissingDigestAndTag'
  if (imageDigest !== undefined && !digestForm.test(imageDigest)) return 'InvalidImageDigest'
  if (imageTag !== undefined && !isTag(imageTag)) return 'InvalidImageTag'
  return undefined
}

type Outcome<Result> =
  | { readonly result: Result; readonly failure?: never }
  | { readonly result?: never; readonly failure: ImageFailure }

/** What one identifier of a batch asks for, or why it fails by its form. */
export function readImageId(
  imageId: ImageIdentifier,
): { asked: AskedImage; failure?: never } | { asked?: never; failure: ImageFailure } {
  const fault = findFault(imageId)
  if (fault !== undefined) return { failure: invalid(imageId, fault) }
  const asked = parseImageId(imageId)
  return asked === undefined ? { failure: notFound(imageId) } : { asked }
}

interface Attempt {
  readonly images: Images
  readonly key: RepositoryKey
  readonly imageId: ImageIdentifier
  readonly by: Puller
}

/** Nothing in a repository that is not there: an upstream may have the image. */
function asNone(error: unknown): undefined {
  if (error instanceof Refusal && error.code === ('RepositoryNotFound' satisfies keyof RegistryRefusals)) return
  throw error
}

/** What a tag points to. One that is here and does not point to `digest` may have moved at its upstream. */
async function resolveTag(
  { images, key, by }: Omit<Attempt, 'imageId'>,
  { tag, digest }: { readonly tag: Tag; readonly digest: Digest },
): Promise<Digest> {
  const local = await images.resolve(key, { tag }).catch(asNone)
  if (local === digest) return local
  try {
    return (await images.head(key, { tag }, by)).digest
  } catch (error) {
    const isArchived = error instanceof Refusal && error.code === ('ImageArchived' satisfies keyof RegistryRefusals)
    if (isArchived && local !== undefined) return local
    throw error
  }
}

/**
 * Does `work` for one image of a batch and answers its result, or why this image fails.
 *
 * @throws whatever concerns the whole call, such as Refusal `RepositoryNotFound`
 */
export async function attempt<Result>(
  { images, key, imageId, by }: Attempt,
  work: (asked: AskedImage) => Promise<Result>,
): Promise<Outcome<Result>> {
  const { asked, failure } = readImageId(imageId)
  if (failure !== undefined) return { failure }
  const { tag, digest } = asked
  try {
    if (tag !== undefined && digest !== undefined) {
      const pointsTo = await resolveTag({ images, key, by }, { tag, digest })
      if (pointsTo !== digest) return { failure: invalid(imageId, 'ImageTagDoesNotMatchDigest') }
    }
    return { result: await work(asked) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    switch (error.code as keyof (RegistryRefusals & UpstreamContentRefusals)) {
      case 'ImageNotFound':
        return { failure: notFound(imageId) }
      case 'ImageArchived':
        return { failure: inaccessible(imageId) }
      case 'UpstreamUnavailable':
        return { failure: upstream(imageId, 'UpstreamUnavailable', error) }
      case 'UpstreamLimited':
        return { failure: upstream(imageId, 'UpstreamTooManyRequests', error) }
      case 'UpstreamDenied':
      case 'UpstreamCredentialsUnusable':
        return { failure: upstream(imageId, 'UpstreamAccessDenied', error) }
      default:
        throw error
    }
  }
}

/** Why an image that was to be deleted stays. */
export function describeDeletionFailure(imageId: ImageIdentifier, failure: DeletionFailure): ImageFailure {
  switch (failure.reason) {
    case 'not found':
      return notFound(imageId)
    case 'tag elsewhere':
      return invalid(imageId, 'ImageTagDoesNotMatchDigest')
    case 'referenced': {
      const failureReason = registryTexts.ImageReferencedByIndex(failure)
      return { imageId, failureCode: 'ImageReferencedByManifestList', failureReason }
    }
    // Of the model's codes the one for an image that stays because something else needs it.
    case 'in use': {
      const failureReason = registryTexts.ImageInUse(failure)
      return { imageId, failureCode: 'ImageReferencedByManifestList', failureReason }
    }
  }
}

function inaccessible(imageId: ImageIdentifier): ImageFailure {
  return { imageId, failureCode: 'ImageInaccessible', failureReason: 'Requested image is archived' }
}

function upstream(imageId: ImageIdentifier, failureCode: ImageFailureCode, refusal: Refusal): ImageFailure {
  return { imageId, failureCode, failureReason: upstreamText(refusal) }
}

function notFound(imageId: ImageIdentifier): ImageFailure {
  return { imageId, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' }
}
