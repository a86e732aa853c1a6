import type { Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { MediaType } from '#names/media-type.ts'
import type { Registry } from '#names/registry.ts'
import type { Tag } from '#names/tag.ts'
import type { RemovalCause } from './image-removal.ts'
import type { Repository } from './repository.ts'
import type { TagMove, TagMoveCause } from './tag-moves.ts'

/**
 * What the core announces to the features that build on it. The core does not know them: `app.ts` hands in their listeners. A listener
 * runs in the announcer's transaction and only writes rows, so that cause and consequence are committed together.
 */
export interface Announcements {
  readonly repositoryCreated: readonly Listener<CreatedRepository>[]
  readonly imagePushed: readonly Listener<ImagePushed>[]
  readonly imagesRestored: readonly Listener<ImagesRestored>[]
  readonly imagesArchived: readonly Listener<ImagesArchived>[]
  readonly imagesDeleted: readonly Listener<ImagesDeleted>[]
  readonly tagsMoved: readonly Listener<TagsMoved>[]
  readonly imageReplicated: readonly Listener<ImageReplicated>[]
  readonly tagConflicted: readonly Listener<TagConflicted>[]
}

export type Listener<Announced> = (trx: Transaction, announced: Announced) => Promise<void>

/** A repository that did not exist before. */
export interface CreatedRepository {
  readonly repository: Repository
  /** The text of the lifecycle policy that its creation template gives it, validated when the template was stored. */
  readonly lifecyclePolicy: string | undefined
}

/** Where a push comes from: a client, the cache of an upstream, another registry that replicates. */
export type PushCause = 'push' | 'cache' | 'replication'

/** A push that changed something: the image is new, the tag moved, or the image came back from the archive. */
export interface ImagePushed {
  readonly repository: Repository
  readonly digest: Digest
  readonly mediaType: MediaType
  readonly artifactType: string | undefined
  readonly subject: Digest | undefined
  /** Only a tag that moved. */
  readonly tag: Tag | undefined
  /** When the move of the tag counts for other registries, if that is not `at`. */
  readonly tagCountsAt?: number | undefined
  /** The ARN of the principal. */
  readonly by: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly cause: PushCause
  /** Whether the repository did not have the image before. */
  readonly isNew: boolean
}

/**
 * Images that came back from the archive, with what followed them, or from the recycle bin (`bin`). Announced before the push that
 * restored them.
 */
export interface ImagesRestored {
  readonly repository: Repository
  readonly digests: readonly Digest[]
  readonly by: string
  readonly at: number
  readonly cause: PushCause | 'storage class' | 'bin'
}

/** Images that went to the archive, with what followed them. */
export interface ImagesArchived {
  readonly repository: Repository
  readonly digests: readonly Digest[]
  /** Empty where a policy did it. */
  readonly by: string
  readonly at: number
  readonly cause: 'storage class' | 'lifecycle'
}

/** Images that left their repository, to the recycle bin or for good. A deleted repository announces none. */
export interface ImagesDeleted {
  readonly repository: Repository
  readonly images: readonly DeletedImageFacts[]
  /** Empty where a policy or the cache did it. */
  readonly by: string
  readonly at: number
  /** `eviction`: a cached copy made room for others. */
  readonly cause: RemovalCause | 'eviction'
}

export interface DeletedImageFacts {
  readonly digest: Digest
  readonly mediaType: string
  readonly artifactType: string | undefined
  /** The tags that went with it. */
  readonly tags: readonly Tag[]
}

/** Tags that point elsewhere now, or nowhere while their image stays. Announced before the push that moved them. */
export interface TagsMoved {
  readonly repository: Repository
  readonly moves: readonly TagMove[]
  readonly by: string
  readonly at: number
  readonly cause: TagMoveCause
}

/** An image that another registry replicates arrived with its tag, or its tag alone did. */
export interface ImageReplicated {
  readonly repository: Repository
  readonly digest: Digest
  /** The tag that came with the image and points to it now. */
  readonly tag: Tag | undefined
  readonly source: Registry
  readonly at: number
}

/** Two registries pushed one tag. The later push counts, and the other image stays without the tag. */
export interface TagConflicted {
  readonly repository: Repository
  readonly tag: Tag
  readonly winner: Digest
  readonly loser: Digest
  /** The one of the two that came by replication, and the registry that sent it. */
  readonly arrived: Digest
  readonly source: Registry
  readonly by: string
  readonly at: number
}

/** Listeners run one after another: they share one transaction. */
export async function announce<Announced>(
  listeners: readonly Listener<Announced>[],
  trx: Transaction,
  announced: Announced,
): Promise<void> {
  for (const listener of listeners) await listener(trx, announced)
}
