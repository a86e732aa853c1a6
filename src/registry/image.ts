import type { Digest } from '#names/digest.ts'
import type { MediaType } from '#names/media-type.ts'
import type { Tag } from '#names/tag.ts'

/** A manifest as it is handed out: the bytes whose digest it is. */
export interface StoredManifest {
  readonly digest: Digest
  readonly mediaType: MediaType
  readonly body: Uint8Array
  readonly stale?: StaleCopy | undefined
}

/** A copy that may be old, since its upstream could not say what is current. */
export interface StaleCopy {
  /** When the upstream last answered; milliseconds since the epoch. */
  readonly checkedAt: number
  readonly now: number
}

/** What a HEAD needs of a manifest. */
export interface ManifestHead {
  readonly digest: Digest
  readonly mediaType: MediaType
  readonly sizeBytes: number
  readonly stale?: StaleCopy | undefined
}

/** An image as ECR describes it (API reference, ImageDetail). Times are milliseconds since the epoch. */
export interface ImageDetail {
  readonly digest: Digest
  readonly tags: readonly Tag[]
  readonly mediaType: MediaType
  readonly artifactType: string | undefined
  readonly subject: Digest | undefined
  readonly sizeBytes: number
  /** When this content first came, however often it was pushed since. */
  readonly pushedAt: number
  readonly pulledAt: number | undefined
  readonly status: ImageStatus
  /** When it was last archived, and last restored from the archive. */
  readonly archivedAt: number | undefined
  readonly activatedAt: number | undefined
}

/** Whether an image can be pulled. Nothing here takes time to restore, so that ECR's third, `ACTIVATING`, is never true. */
export type ImageStatus = 'ACTIVE' | 'ARCHIVED'

/** One line of a listing: an image has one for each tag, or one without a tag. */
export interface ImageId {
  readonly digest: Digest
  readonly tag: Tag | undefined
}

/** Which images a listing holds. */
export type TagStatus = 'TAGGED' | 'UNTAGGED' | 'ANY'

/** ECR's filter by status. */
export type ImageStatusFilter = ImageStatus | 'ACTIVATING' | 'ANY'

/** Asks for an image by tag, by digest, or by both, which must then agree. */
export interface ImageQuery {
  readonly tag?: Tag | undefined
  readonly digest?: Digest | undefined
}
