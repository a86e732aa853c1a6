import { type MediaType, parseMediaType } from './media-type.ts'

/** The media types of manifests and of their parts. Media types compare without regard to case (RFC 6838 section 4.2). */
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

/** What schema 1 has for layers, which have no type there. */
export const dockerLayer = parseMediaType('application/vnd.docker.image.rootfs.diff.tar.gzip')

/** What a descriptor without a media type describes (RFC 2046 section 4.5.1). */
export const unknownContent = parseMediaType('application/octet-stream')

export type Shape = 'image' | 'index' | 'artifact' | 'schema1'

interface KnownType {
  /** As registries and clients write it. */
  readonly mediaType: MediaType
  readonly shape: Shape
}

const shapes = {
  ociImage: 'image',
  dockerImage: 'image',
  ociIndex: 'index',
  dockerList: 'index',
  ociArtifact: 'artifact',
  orasArtifact: 'artifact',
  dockerSchema1: 'schema1',
  dockerSchema1Signed: 'schema1',
} as const satisfies Record<keyof typeof mediaTypes, Shape>

// `Object.keys` has lost that these are the members.
const names = Object.keys(mediaTypes) as (keyof typeof mediaTypes)[]
const knownTypes: ReadonlyMap<string, KnownType> = new Map(
  names.map((name) => [mediaTypes[name], { mediaType: mediaTypes[name], shape: shapes[name] }]),
)

/** The type of manifest that a media type names; `undefined` for any other content. */
export function manifestShape(mediaType: string): KnownType | undefined {
  return knownTypes.get(mediaType) ?? knownTypes.get(mediaType.toLowerCase())
}

const foreign =
  /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.v1\.tar|docker\.image\.rootfs\.foreign\.diff\.tar)/i

/** Whether it is a layer that its publisher does not allow a registry to hand on, so that the registry need not hold it. */
export function isForeignLayer(mediaType: string): boolean {
  return foreign.test(mediaType)
}
