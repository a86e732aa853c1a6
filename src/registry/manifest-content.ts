import { createHash } from 'node:crypto'
import { isObject } from '#lib/json.ts'
import { type Digest, digestAlgorithms, digestOf, isDigest } from '#names/digest.ts'
import { dockerLayer, isForeignLayer, manifestShape, unknownContent } from '#names/manifest-types.ts'
import { isMediaType, type MediaType } from '#names/media-type.ts'
import type { BlobReference, Descriptor, Manifest } from './manifest.ts'
import {
  descriptorMembers,
  given,
  invalid,
  type Json,
  mostReferences,
  platformMembers,
  refuseOtherCase,
  schema1LayerMembers,
} from './manifest-json.ts'

/** What the members of a manifest of each shape refer to. One rule holds for all of them: what is not given is empty (`given`). */
type Content = Omit<Manifest, 'mediaType'>

/** @throws Refusal `ManifestInvalid` */
export function readImage(json: Json): Content {
  requireVersion2(json)
  // One text must not be an image to one reader and an index to another (CVE-2021-41190).
  refuseMember(json, 'manifests')
  const config = readDescriptor(given(json, 'config'), 'config')
  const layers = readDescriptors(json, 'layers')
  return {
    blobs: [{ ...typed(config), kind: 'config' }, ...layers.map(asLayer)],
    manifests: [],
    subject: readSubject(json),
    artifactType: readArtifactType(json) ?? config.mediaType,
    annotations: readAnnotations(json),
  }
}

/** @throws Refusal `ManifestInvalid` */
export function readIndex(json: Json): Content {
  requireVersion2(json)
  refuseMember(json, 'layers')
  refuseMember(json, 'config')
  const children = readDescriptors(json, 'manifests')
  // Build caches list layers and configs where an index lists manifests (moby/buildkit, cache export type registry).
  const isManifest = ({ mediaType }: Untyped) => mediaType === undefined || manifestShape(mediaType) !== undefined
  return {
    blobs: children.filter((child) => !isManifest(child)).map(asLayer),
    manifests: children.filter(isManifest).map(typed),
    subject: readSubject(json),
    artifactType: readArtifactType(json),
    annotations: readAnnotations(json),
  }
}

/** @throws Refusal `ManifestInvalid` */
export function readArtifact(json: Json): Content {
  return {
    blobs: readDescriptors(json, 'blobs').map((blob) => ({ ...typed(blob), kind: 'layer' })),
    manifests: [],
    subject: readSubject(json),
    artifactType: readArtifactType(json),
    annotations: readAnnotations(json),
  }
}

/** @throws Refusal `ManifestInvalid` */
export function readSchema1(json: Json): Content {
  if (json.schemaVersion !== 1) throw invalid('schemaVersion', 'must be 1')
  const layers = readList(json, 'fsLayers').map((layer, index) => {
    if (isObject(layer)) refuseOtherCase(layer, schema1LayerMembers, `fsLayers[${index}].`)
    const digest = isObject(layer) ? layer.blobSum : undefined
    if (typeof digest !== 'string' || !isDigest(digest)) throw invalid(`fsLayers[${index}].blobSum`, 'must be a digest')
    return { mediaType: dockerLayer, digest, size: undefined, kind: 'layer' } as const
  })
  return { blobs: layers, manifests: [], subject: undefined, artifactType: undefined, annotations: undefined }
}

/** All registries ask for it, so no manifest that one of them holds lacks it. */
function requireVersion2(json: Json): void {
  if (json.schemaVersion !== 2) throw invalid('schemaVersion', 'must be 2')
}

function refuseMember(json: Json, member: string): void {
  if (given(json, member) !== undefined) throw invalid(member, 'does not belong to a manifest of this type')
}

function readList(json: Json, member: string): readonly unknown[] {
  const value = given(json, member) ?? []
  if (!Array.isArray(value)) throw invalid(member, 'must be an array')
  if (value.length > mostReferences) throw invalid(member, `must name at most ${mostReferences} things`)
  return value
}

/** A descriptor, the media type of which may be missing. */
type Untyped = Omit<Descriptor, 'mediaType'> & { readonly mediaType: MediaType | undefined }

function typed({ mediaType = unknownContent, digest, size }: Untyped): Descriptor {
  return { mediaType, digest, size }
}

function asLayer(descriptor: Untyped): BlobReference {
  const { mediaType, digest, size } = typed(descriptor)
  return { mediaType, digest, size, kind: isForeignLayer(mediaType) ? 'foreign' : 'layer' }
}

function readDescriptors(json: Json, member: string): Untyped[] {
  return readList(json, member).map((value, index) => readDescriptor(value, `${member}[${index}]`))
}

function readDescriptor(value: unknown, path: string): Untyped {
  if (!isObject(value)) throw invalid(path, 'must be a descriptor')
  refuseOtherCase(value, descriptorMembers, `${path}.`)
  const { digest, platform } = value
  // A client chooses an image of an index by it.
  if (isObject(platform)) refuseOtherCase(platform, platformMembers, `${path}.platform.`)
  const mediaType = readMediaType(given(value, 'mediaType'), path)
  if (typeof digest !== 'string' || !isDigest(digest)) {
    throw invalid(`${path}.digest`, 'must be a sha256 or sha512 digest')
  }
  // Writers in Go leave out the size of content that has no bytes.
  const size = given(value, 'size') ?? (emptyContent.has(digest) ? 0 : undefined)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(`${path}.size`, 'must be a number of bytes')
  }
  return { mediaType, digest, size }
}

const emptyContent: ReadonlySet<Digest> = new Set(
  digestAlgorithms.map((algorithm) => digestOf(algorithm, createHash(algorithm).digest('hex'))),
)

function readMediaType(value: unknown, path: string): MediaType | undefined {
  if (value === undefined) return undefined
  // Parameters are not in the grammar, but some tools write them, and they do no harm here.
  const bare = typeof value === 'string' ? (value.split(';', 1)[0] ?? '').trimEnd() : ''
  if (!isMediaType(bare)) throw invalid(`${path}.mediaType`, 'must be a media type')
  return bare
}

function readSubject(json: Json): Digest | undefined {
  const subject = given(json, 'subject')
  return subject === undefined ? undefined : readDescriptor(subject, 'subject').digest
}

/** Loosely: tools write what is no media type. The length is a media type's (RFC 6838 section 4.2), for every listing carries it. */
function readArtifactType(json: Json): string | undefined {
  const artifactType = given(json, 'artifactType')
  if (artifactType === undefined) return undefined
  if (typeof artifactType !== 'string') throw invalid('artifactType', 'must be a string')
  if (artifactType.length > 255) throw invalid('artifactType', 'must be at most 255 characters')
  // PostgreSQL keeps no text with it, and no media type has it.
  if (artifactType.includes('\0')) throw invalid('artifactType', 'must not contain a NUL character')
  return artifactType
}

function readAnnotations(json: Json): Readonly<Record<string, string>> | undefined {
  const annotations = given(json, 'annotations')
  if (annotations === undefined) return undefined
  if (!isObject(annotations)) throw invalid('annotations', 'must be an object of strings')
  const entries = Object.entries(annotations)
  for (const [key, value] of entries) {
    if (typeof value !== 'string' && value !== null) throw invalid(`annotations.${key}`, 'must be a string')
  }
  // Each value is a string, as was checked, once those that are null are left out.
  return Object.fromEntries(entries.filter(([, value]) => value !== null)) as Record<string, string>
}
