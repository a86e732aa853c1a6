import { type Digest, isDigest } from '#names/digest.ts'
import { isMediaType, type MediaType, parseMediaType } from '#names/media-type.ts'
import { refuse } from './refusals.ts'

/**
 * Reading a manifest: which of the types we know it is, and what it refers to. Pure; whether the things it refers to are
 * there is decided where it is stored. OCI image specification ("Manifest", "Image index"), Docker's schema 2 and schema 1,
 * and the two artifact manifests that came before `artifactType`.
 */
export interface Manifest {
  readonly mediaType: MediaType
  /** Bytes of content that must be in the repository before the manifest is. */
  readonly blobs: readonly BlobReference[]
  /** Manifests that must be in the repository before this one is. */
  readonly manifests: readonly Descriptor[]
  /** May come later, or never. */
  readonly subject: Digest | undefined
  /** `artifactType`, else the media type of the config; none for an index that does not name one (ECR API, ImageDetail). */
  readonly artifactType: string | undefined
  readonly annotations: Readonly<Record<string, string>> | undefined
}

export interface Descriptor {
  readonly mediaType: MediaType
  readonly digest: Digest
  /** Bytes; schema 1 does not tell. */
  readonly size: number | undefined
}

export interface BlobReference extends Descriptor {
  readonly kind: 'config' | 'layer'
}

/** Imposed by ECR and recommended by the OCI distribution specification. */
export const manifestLimitBytes = 4 * 1024 * 1024

/**
 * Real images have fewer than two hundred layers, and indexes a few hundred children. So many take some 60 ms of one process, and
 * stay below the parameters that a statement may have.
 */
export const mostReferences = 4_000

export const mediaTypes = {
  ociImage: parseMediaType('application/vnd.oci.image.manifest.v1+json'),
  ociIndex: parseMediaType('application/vnd.oci.image.index.v1+json'),
  dockerImage: parseMediaType('application/vnd.docker.distribution.manifest.v2+json'),
  dockerList: parseMediaType('application/vnd.docker.distribution.manifest.list.v2+json'),
  dockerSchema1: parseMediaType('application/vnd.docker.distribution.manifest.v1+json'),
  dockerSchema1Signed: parseMediaType('application/vnd.docker.distribution.manifest.v1+prettyjws'),
  ociArtifact: parseMediaType('application/vnd.oci.artifact.manifest.v1+json'),
  orasArtifact: parseMediaType('application/vnd.cncf.oras.artifact.manifest.v1+json'),
} as const

type Shape = 'image' | 'index' | 'artifact' | 'schema1'

const shapes: ReadonlyMap<string, Shape> = new Map([
  [mediaTypes.ociImage, 'image'],
  [mediaTypes.dockerImage, 'image'],
  [mediaTypes.ociIndex, 'index'],
  [mediaTypes.dockerList, 'index'],
  [mediaTypes.ociArtifact, 'artifact'],
  [mediaTypes.orasArtifact, 'artifact'],
  [mediaTypes.dockerSchema1, 'schema1'],
  [mediaTypes.dockerSchema1Signed, 'schema1'],
])

/** Layers that their publisher does not let a registry hand on, so that the registry need not hold them. */
const nonDistributable =
  /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.v1\.tar|docker\.image\.rootfs\.foreign\.diff\.tar)/

/**
 * Reads a manifest of which the client said that it is of type `declared`, or said nothing.
 *
 * @throws Refusal `ManifestTooLarge`, `ManifestMediaTypeUnsupported`, `ManifestInvalid`
 */
export function parseManifest(body: Uint8Array, declared: string | undefined): Manifest {
  if (body.byteLength > manifestLimitBytes) throw refuse('ManifestTooLarge', { limitBytes: manifestLimitBytes })
  const json = parseJson(body)
  refuseDoubles(json, manifestMembers)
  const mediaType = typeOf(json, declared)
  const shape = shapes.get(mediaType)
  if (shape === undefined) throw refuse('ManifestMediaTypeUnsupported', { mediaType })
  const manifest = readers[shape](json)
  return { mediaType, ...manifest }
}

type Content = Omit<Manifest, 'mediaType'>

const readers: Record<Shape, (json: Json) => Content> = {
  image(json) {
    requireVersion2(json)
    // One text must not be an image to one reader and an index to another (CVE-2021-41190).
    refuseMember(json, 'manifests')
    const config = parseDescriptor(json.config, 'config')
    const layers = parseDescriptors(json, 'layers').filter((layer) => !nonDistributable.test(layer.mediaType))
    return {
      blobs: [{ ...config, kind: 'config' }, ...layers.map((layer) => ({ ...layer, kind: 'layer' }) as const)],
      manifests: [],
      subject: parseSubject(json),
      artifactType: parseArtifactType(json) ?? config.mediaType,
      annotations: parseAnnotations(json),
    }
  },

  index(json) {
    requireVersion2(json)
    refuseMember(json, 'layers')
    refuseMember(json, 'config')
    const children = parseDescriptors(json, 'manifests')
    // Build caches list layers and configs where an index lists manifests (moby/buildkit, cache export type registry).
    return {
      blobs: children
        .filter((child) => !shapes.has(child.mediaType) && !nonDistributable.test(child.mediaType))
        .map((child) => ({ ...child, kind: 'layer' })),
      manifests: children.filter((child) => shapes.has(child.mediaType)),
      subject: parseSubject(json),
      artifactType: parseArtifactType(json),
      annotations: parseAnnotations(json),
    }
  },

  artifact(json) {
    const blobs = json.blobs === undefined || json.blobs === null ? [] : parseDescriptors(json, 'blobs')
    return {
      blobs: blobs.map((blob) => ({ ...blob, kind: 'layer' })),
      manifests: [],
      subject: parseSubject(json),
      artifactType: parseArtifactType(json),
      annotations: parseAnnotations(json),
    }
  },

  schema1(json) {
    if (json.schemaVersion !== 1) throw invalid('schemaVersion', 'must be 1')
    const layers = parseArray(json, 'fsLayers').map((layer, index) => {
      const digest = isObject(layer) ? layer.blobSum : undefined
      if (typeof digest !== 'string' || !isDigest(digest))
        throw invalid(`fsLayers[${index}].blobSum`, 'must be a digest')
      return { mediaType: dockerLayer, digest, size: undefined, kind: 'layer' } as const
    })
    return { blobs: layers, manifests: [], subject: undefined, artifactType: undefined, annotations: undefined }
  },
}

const dockerLayer = parseMediaType('application/vnd.docker.image.rootfs.diff.tar.gzip')

type Json = { readonly [member: string]: unknown }

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(path: string, problem: string) {
  return refuse('ManifestInvalid', { path, problem })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parseJson(body: Uint8Array): Json {
  let json: unknown
  try {
    json = JSON.parse(utf8.decode(body))
  } catch {
    throw invalid('', 'must be JSON')
  }
  if (!isObject(json)) throw invalid('', 'must be a JSON object')
  return json
}

/** What the client declared and what the body says must agree; one of them suffices, and schema 1 is known by its version. */
function typeOf(json: Json, declared: string | undefined): MediaType {
  const own = json.mediaType
  if (own !== undefined && typeof own !== 'string') throw invalid('mediaType', 'must be a string')
  const mediaType = declared ?? own ?? (json.schemaVersion === 1 ? mediaTypes.dockerSchema1Signed : undefined)
  if (mediaType === undefined || !isMediaType(mediaType)) throw refuse('ManifestMediaTypeUnsupported', { mediaType })
  if (own !== undefined && own !== mediaType) throw invalid('mediaType', `must be the declared media type ${mediaType}`)
  return mediaType
}

function requireVersion2(json: Json): void {
  if (json.schemaVersion !== 2) throw invalid('schemaVersion', 'must be 2')
}

function refuseMember(json: Json, member: string): void {
  if (json[member] !== undefined) throw invalid(member, 'does not belong to a manifest of this type')
}

const members = (...names: string[]) => new Map(names.map((name) => [foldCase(name), name]))
const manifestMembers = members(
  ...['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'manifests', 'blobs', 'fsLayers'],
  ...['subject', 'annotations'],
)
const descriptorMembers = members(
  'mediaType',
  'digest',
  'size',
  'urls',
  'data',
  'platform',
  'artifactType',
  'annotations',
)

/**
 * Clients written in Go take `Layers` for `layers` (encoding/json prefers an exact match and accepts any case), so that one text
 * would have other layers for them than for us.
 */
function refuseDoubles(json: Json, known: ReadonlyMap<string, string>, prefix: string = ''): void {
  for (const name of Object.keys(json)) {
    const meant = known.get(foldCase(name))
    if (meant !== undefined && meant !== name) throw invalid(`${prefix}${name}`, `must be written '${meant}'`)
  }
}

/** By way of capitals, as two letters beyond ASCII are cases of `k` and `s` too. */
function foldCase(name: string): string {
  return name.toUpperCase().toLowerCase()
}

function parseArray(json: Json, member: string): readonly unknown[] {
  const value = json[member]
  if (!Array.isArray(value)) throw invalid(member, 'must be an array')
  if (value.length > mostReferences) throw invalid(member, `must name at most ${mostReferences} things`)
  return value
}

function parseDescriptors(json: Json, member: string): Descriptor[] {
  return parseArray(json, member).map((value, index) => parseDescriptor(value, `${member}[${index}]`))
}

function parseDescriptor(value: unknown, path: string): Descriptor {
  if (!isObject(value)) throw invalid(path, 'must be a descriptor')
  refuseDoubles(value, descriptorMembers, `${path}.`)
  const { mediaType, digest, size } = value
  // Parameters are not in the grammar, but some tools write them, and they do no harm here.
  const bare = typeof mediaType === 'string' ? (mediaType.split(';', 1)[0] ?? '').trimEnd() : ''
  if (!isMediaType(bare)) throw invalid(`${path}.mediaType`, 'must be a media type')
  if (typeof digest !== 'string' || !isDigest(digest))
    throw invalid(`${path}.digest`, 'must be a sha256 or sha512 digest')
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(`${path}.size`, 'must be a number of bytes')
  }
  return { mediaType: bare, digest, size }
}

function parseSubject(json: Json): Digest | undefined {
  const subject = json.subject
  return subject === undefined || subject === null ? undefined : parseDescriptor(subject, 'subject').digest
}

/** Loosely: tools write what is no media type. The length is a media type's (RFC 6838 section 4.2), for every listing carries it. */
function parseArtifactType(json: Json): string | undefined {
  const artifactType = json.artifactType
  if (artifactType === undefined || artifactType === '') return undefined
  if (typeof artifactType !== 'string') throw invalid('artifactType', 'must be a string')
  if (artifactType.length > 255) throw invalid('artifactType', 'must be at most 255 characters')
  // PostgreSQL keeps no text with it, and no media type has it.
  if (artifactType.includes('\0')) throw invalid('artifactType', 'must not contain a NUL character')
  return artifactType
}

function parseAnnotations(json: Json): Readonly<Record<string, string>> | undefined {
  const annotations = json.annotations
  if (annotations === undefined || annotations === null) return undefined
  if (!isObject(annotations)) throw invalid('annotations', 'must be an object of strings')
  for (const [key, value] of Object.entries(annotations)) {
    if (typeof value !== 'string') throw invalid(`annotations.${key}`, 'must be a string')
  }
  // Each value has just been seen to be a string.
  return annotations as Record<string, string>
}
