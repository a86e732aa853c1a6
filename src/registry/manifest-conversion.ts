import { createHash } from 'node:crypto'
import { digestOf } from '#names/digest.ts'
import { mediaTypes } from '#names/manifest-types.ts'
import type { MediaType } from '#names/media-type.ts'
import type { StoredManifest } from './image.ts'

/**
 * An image as Docker's schema 2 and as the OCI image specification have it: the same members and the same content, under other
 * media types. ECR converts one to the other for a client that accepts only the other and asks by tag (user guide, "Container
 * image manifest format support"). Pure. The conversion to schema 1 there is not done: no client has wanted it for a decade.
 */
const pairs = [
  ['application/vnd.docker.container.image.v1+json', 'application/vnd.oci.image.config.v1+json'],
  ['application/vnd.docker.image.rootfs.diff.tar', 'application/vnd.oci.image.layer.v1.tar'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'application/vnd.oci.image.layer.v1.tar+gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'application/vnd.oci.image.layer.v1.tar+zstd'],
  [
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  ],
] as const

interface Conversion {
  readonly to: MediaType
  /** Media types of configs and layers. */
  readonly parts: ReadonlyMap<string, string>
}

const conversions: ReadonlyMap<MediaType, Conversion> = new Map([
  [mediaTypes.dockerImage, { to: mediaTypes.ociImage, parts: new Map(pairs) }],
  [mediaTypes.ociImage, { to: mediaTypes.dockerImage, parts: new Map(pairs.map(([docker, oci]) => [oci, docker])) }],
])

/** A manifest that was parsed when it was stored. */
interface ImageManifest {
  readonly config: Descriptor
  readonly layers?: readonly Descriptor[] | '' | null
}

interface Descriptor {
  readonly mediaType?: string | null
}

/**
 * The manifest in a type that the client accepts, with the digest of the new bytes. As it is stored, where that is accepted, where
 * the other type is not, or where a part has no equal in it, as those of an artifact.
 */
export function convertManifest(stored: StoredManifest, accepted: readonly string[]): StoredManifest {
  const conversion = conversions.get(stored.mediaType)
  const accepts = (mediaType: MediaType) => accepted.some((one) => one.toLowerCase() === mediaType)
  if (conversion === undefined || accepts(stored.mediaType) || !accepts(conversion.to)) return stored
  const { to, parts } = conversion
  // Stored under a type of `conversions`, it was proved to be an image.
  const manifest = JSON.parse(Buffer.from(stored.body).toString('utf8')) as ImageManifest
  const { config } = manifest
  // Null or empty text is a list that is not given.
  const layers = manifest.layers || []
  const convertedType = ({ mediaType }: Descriptor) => parts.get(mediaType?.toLowerCase() ?? '')
  if (![config, ...layers].every((part) => convertedType(part) !== undefined)) return stored
  const convert = (part: Descriptor) => ({ ...part, mediaType: convertedType(part) })
  const converted = { ...manifest, mediaType: to, config: convert(config), layers: layers.map(convert) }
  const body = Buffer.from(JSON.stringify(converted))
  return { digest: digestOf('sha256', createHash('sha256').update(body).digest('hex')), mediaType: to, body }
}
