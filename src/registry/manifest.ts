import type { Digest } from '#names/digest.ts'
import { manifestShape, mediaTypes, type Shape } from '#names/manifest-types.ts'
import { isMediaType, type MediaType } from '#names/media-type.ts'
import { readArtifact, readImage, readIndex, readSchema1 } from './manifest-content.ts'
import { given, invalid, type Json, parseManifestJson } from './manifest-json.ts'
import { requireAllGiven } from './manifest-strictness.ts'
import { refuse } from './refusals.ts'

/**
 * Reading a manifest: which of the known types it has, and what it refers to. Pure; the transaction that stores it checks that the
 * content is present. OCI image specification ("Manifest", "Image index"), Docker's schema 2 and schema 1, and the two artifact
 * manifests that came before `artifactType`.
 */
export interface Manifest {
  readonly mediaType: MediaType
  /** Content that must be in the repository before the manifest is, except that of kind `foreign`. */
  readonly blobs: readonly BlobReference[]
  /** Manifests that must be in the repository before this one is. */
  readonly manifests: readonly Descriptor[]
  /** May come later, or never. */
  readonly subject: Digest | undefined
  /** `artifactType`, else the media type of the config; an index without the member has none (ECR API, ImageDetail). */
  readonly artifactType: string | undefined
  readonly annotations: Readonly<Record<string, string>> | undefined
}

export interface Descriptor {
  readonly mediaType: MediaType
  readonly digest: Digest
  /** Bytes; schema 1 has no sizes. */
  readonly size: number | undefined
}

export interface BlobReference extends Descriptor {
  /** `foreign`: a layer that its publisher does not allow a registry to hand on. A client may push it before the manifest, after it, or never. */
  readonly kind: 'config' | 'layer' | 'foreign'
}

/** Imposed by ECR and recommended by the OCI distribution specification. */
export const manifestLimitBytes = 4 * 1024 * 1024

/**
 * Reads a manifest. `declared` is the media type that the client sent, if any. With `strict`, members that are null, empty or missing
 * are refused as ECR refuses them.
 *
 * @throws Refusal `ManifestTooLarge`, `ManifestMediaTypeUnsupported`, `ManifestInvalid`
 */
export function parseManifest(
  body: Uint8Array,
  declared: string | undefined,
  { strict = false }: { readonly strict?: boolean | undefined } = {},
): Manifest {
  if (body.byteLength > manifestLimitBytes) throw refuse('ManifestTooLarge', { limitBytes: manifestLimitBytes })
  const json = parseManifestJson(body)
  const type = typeOf(json, declared)
  const known = manifestShape(type)
  if (known === undefined) throw refuse('ManifestMediaTypeUnsupported', { mediaType: type })
  if (strict) requireAllGiven(json, known.shape)
  return { mediaType: known.mediaType, ...readers[known.shape](json) }
}

const readers: Record<Shape, (json: Json) => Omit<Manifest, 'mediaType'>> = {
  image: readImage,
  index: readIndex,
  artifact: readArtifact,
  schema1: readSchema1,
}

/** The declared type and the one in the body must agree, without regard to case. One suffices, and schema 1 is known by its version. */
function typeOf(json: Json, declared: string | undefined): MediaType {
  const own = given(json, 'mediaType')
  if (own !== undefined && typeof own !== 'string') throw invalid('mediaType', 'must be a string')
  const mediaType = declared ?? own ?? (json.schemaVersion === 1 ? mediaTypes.dockerSchema1Signed : undefined)
  if (mediaType === undefined || !isMediaType(mediaType)) throw refuse('ManifestMediaTypeUnsupported', { mediaType })
  if (own !== undefined && own.toLowerCase() !== mediaType.toLowerCase()) {
    throw invalid('mediaType', `must be the declared media type ${mediaType}`)
  }
  return mediaType
}
