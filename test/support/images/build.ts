/**
 * Images made in memory, small or large, OCI or Docker schema 2, with manifests that real clients accept: layers are
 * gzipped tar archives and the configuration names their uncompressed digests. What is made depends on the arguments
 * alone, so equal calls give equal digests.
 *
 *     const app = image({ layers: [layer({ 'etc/motd': 'hello' }), 100_000] })
 *     const both = index({ children: [image({ platform: amd64 }), image({ platform: arm64 })] })
 *     const sbom = artifact({ artifactType: 'application/spdx+json', subject: app, blobs: [Buffer.from('{}')] })
 */
import { gzipSync } from 'node:zlib'
import type { Digest } from '#names/digest.ts'
import { type MediaType, parseMediaType } from '#names/media-type.ts'
import { digest, noise } from './content.ts'
import { tar } from './tar.ts'

/** A descriptor as it stands in a manifest (OCI image specification, "Content Descriptors"). */
export interface Descriptor {
  mediaType: MediaType
  digest: Digest
  size: number
  platform?: Platform
  artifactType?: string
  annotations?: Record<string, string>
}

export interface Platform {
  os: string
  architecture: string
  variant?: string
}

/** A layer, a configuration or any other content that a manifest refers to. */
export interface Blob {
  mediaType: MediaType
  digest: Digest
  bytes: Buffer
}

/** A manifest or an index, with everything below it. */
export interface Image {
  mediaType: MediaType
  digest: Digest
  /** The manifest as it is pushed. */
  bytes: Buffer
  /** What this manifest itself refers to: the configuration first, then the layers. None for an index. */
  blobs: readonly Blob[]
  /** What an index lists. */
  children: readonly Image[]
  platform?: Platform
}

/** A layer not yet bound to a media type. */
export interface Layer {
  bytes: Buffer
  /** The digest of the uncompressed archive, which the configuration names. */
  diffId: Digest
}

type Format = 'oci' | 'docker'

export const mediaTypes = {
  oci: {
    manifest: parseMediaType('application/vnd.oci.image.manifest.v1+json'),
    index: parseMediaType('application/vnd.oci.image.index.v1+json'),
    config: parseMediaType('application/vnd.oci.image.config.v1+json'),
    layer: parseMediaType('application/vnd.oci.image.layer.v1.tar+gzip'),
  },
  docker: {
    manifest: parseMediaType('application/vnd.docker.distribution.manifest.v2+json'),
    index: parseMediaType('application/vnd.docker.distribution.manifest.list.v2+json'),
    config: parseMediaType('application/vnd.docker.container.image.v1+json'),
    layer: parseMediaType('application/vnd.docker.image.rootfs.diff.tar.gzip'),
  },
  empty: parseMediaType('application/vnd.oci.empty.v1+json'),
} as const

export const amd64: Platform = { os: 'linux', architecture: 'amd64' }
export const arm64: Platform = { os: 'linux', architecture: 'arm64' }

/** The content of the empty descriptor (OCI image specification, "Guidance for an Empty Descriptor"). */
const emptyBlob: Blob = blob(mediaTypes.empty, Buffer.from('{}'))

/** A layer that holds `files`. */
export function layer(files: Readonly<Record<string, Uint8Array | string>>): Layer {
  const archive = tar(files)
  return { bytes: gzipSync(archive, { level: 1 }), diffId: digest(archive) }
}

/**
 * An image. A number among `layers` stands for a layer with one file of so many bytes of noise, its content taken from
 * `seed` and the layer's place; without `layers` there is one of 1,000 bytes.
 */
export function image(
  options: {
    layers?: readonly (Layer | number)[]
    format?: Format
    platform?: Platform
    seed?: string
    annotations?: Record<string, string>
    /** Makes the image a referrer of another one. */
    subject?: Image | Descriptor
  } = {},
): Image {
  const { format = 'oci', platform = amd64, seed = 'lading', annotations, subject } = options
  const types = mediaTypes[format]
  const layers = (options.layers ?? [1_000]).map((each, place) =>
    typeof each === 'number' ? layer({ [`noise-${place}`]: noise(`${seed}/${place}`, each) }) : each,
  )
  const config = blob(types.config, json(configuration(platform, layers)))
  const blobs = [config, ...layers.map(({ bytes }) => blob(types.layer, bytes))]
  const manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: descriptor(config),
    layers: blobs.slice(1).map((each) => descriptor(each)),
    ...(subject && { subject: descriptor(subject) }),
    ...(annotations && { annotations }),
  }
  return { ...node(types.manifest, manifest), blobs, children: [], platform }
}

/** An image with a foreign layer, which need not be pushed, and that layer. The image's own `blobs` are without it. */
export function imageWithForeignLayer(
  seed: string,
  mediaType: string = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
): { image: Image; layer: Blob } {
  const own = image({ seed, format: mediaType.includes('docker') ? 'docker' : 'oci' })
  const foreign = blob(parseMediaType(mediaType), noise(`${seed}/foreign`, 5_000))
  const layers = [...own.blobs.slice(1), foreign].map((each) => descriptor(each))
  return { image: rewritten(own, { layers }), layer: foreign }
}

/** An OCI index, or Docker's manifest list, of `children`. */
export function index(options: {
  children: readonly Image[]
  format?: Format
  artifactType?: string
  annotations?: Record<string, string>
  subject?: Image | Descriptor
}): Image {
  const { children, format = 'oci', artifactType, annotations, subject } = options
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes[format].index,
    ...(artifactType !== undefined && { artifactType }),
    manifests: children.map((child) => ({
      ...descriptor(child),
      ...(child.platform && { platform: child.platform }),
    })),
    ...(subject && { subject: descriptor(subject) }),
    ...(annotations && { annotations }),
  }
  return { ...node(mediaTypes[format].index, manifest), blobs: [], children }
}

/**
 * An artifact: an OCI manifest with `artifactType` and the empty configuration (OCI image specification, "Guidelines
 * for Artifact Usage"). Without `blobs` its only layer is the empty descriptor too.
 */
export function artifact(options: {
  artifactType: string
  subject?: Image | Descriptor
  blobs?: readonly Uint8Array[]
  /** The media type of `blobs`; the artifact type if it is not given. */
  blobMediaType?: string
  annotations?: Record<string, string>
}): Image {
  const { artifactType, subject, blobs = [], blobMediaType = artifactType, annotations } = options
  const layers = blobs.map((bytes) => blob(parseMediaType(blobMediaType), Buffer.from(bytes)))
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.oci.manifest,
    artifactType,
    config: descriptor(emptyBlob),
    layers: (layers.length ? layers : [emptyBlob]).map((each) => descriptor(each)),
    ...(subject && { subject: descriptor(subject) }),
    ...(annotations && { annotations }),
  }
  return { ...node(mediaTypes.oci.manifest, manifest), blobs: [emptyBlob, ...layers], children: [] }
}

/** The same image or index with other members in its manifest; `undefined` takes a member away. */
export function rewritten(of: Image, members: Readonly<Record<string, unknown>>): Image {
  return { ...of, ...node(of.mediaType, { ...JSON.parse(of.bytes.toString()), ...members }) }
}

/** The bare descriptor (type, digest, size) of content or of another descriptor. */
export function descriptor(of: Image | Blob | Descriptor): Descriptor {
  return { mediaType: of.mediaType, digest: of.digest, size: 'bytes' in of ? of.bytes.length : of.size }
}

/** `root` and all below it, each child before the index that lists it: the order in which they can be pushed. */
export function* manifestsOf(root: Image): Generator<Image> {
  for (const child of root.children) yield* manifestsOf(child)
  yield root
}

/** Content of a given media type. */
export function blob(mediaType: MediaType, bytes: Buffer): Blob {
  return { mediaType, digest: digest(bytes), bytes }
}

function node(mediaType: MediaType, manifest: object): Pick<Image, 'mediaType' | 'digest' | 'bytes'> {
  return blob(mediaType, json(manifest))
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value, null, 2))
}

function configuration(platform: Platform, layers: readonly Layer[]): object {
  const created = '1970-01-01T00:00:00Z'
  return {
    created,
    ...platform,
    config: { Cmd: ['/noise-0'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map((_, place) => ({ created, created_by: `layer ${place}` })),
  }
}
