import type { Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { MediaType } from '#names/media-type.ts'
import type { Registry } from '#names/registry.ts'
import type { Tag } from '#names/tag.ts'
import { type Announcements, announce } from '#registry/announcements.ts'
import type { Quotas } from '#registry/quotas.ts'
import { moveReplicaTag } from '#registry/replica-push.ts'
import { recordReplicas } from '#registry/replicas.ts'
import type { Repository } from '#registry/repository.ts'
import { type OnTagMoved, requireTagsWithin } from '#registry/tag-moving.ts'
import type { AbsentManifest } from './plan.ts'

/** What follows when copies arrived, in their transaction: where they came from, their tags, and what features hear of them. */
export interface ArrivalParts {
  readonly quotas: Quotas
  readonly announcements: Partial<Announcements>
  /** Called with images that the repository did not have. */
  readonly onNewImages?:
    | ((trx: Transaction, repositoryId: number, digests: readonly Digest[]) => Promise<void>)
    | undefined
  readonly onTagMoved?: OnTagMoved | undefined
}

/** What does it, from where, and when. */
export interface Arrival {
  readonly to: Repository
  readonly source: Registry
  /** The ARN of the principal. */
  readonly by: string
  readonly at: number
}

export interface ImageToCopy {
  readonly digest: Digest
  /** Tags that are to point to it, and when each moved at the source. */
  readonly tags: readonly { readonly tag: Tag; readonly pushedAt: number }[]
}

export async function recordArrived(
  trx: Transaction,
  { onNewImages }: ArrivalParts,
  { to, source, at }: Arrival,
  manifests: readonly AbsentManifest[],
): Promise<void> {
  if (manifests.length === 0) return
  const replicas = manifests.map(({ digest, pushedAt }) => ({ digest, source, pushedAt }))
  await recordReplicas(trx, to, replicas, at)
  await onNewImages?.(
    trx,
    to.id,
    manifests.map(({ digest }) => digest),
  )
}

/** Answers the tags that moved. @throws Refusal `QuotaExceeded` */
export async function moveTags(
  trx: Transaction,
  { quotas, announcements, onTagMoved }: ArrivalParts,
  { to, source, by, at }: Arrival,
  { digest, tags }: ImageToCopy,
  imageCame: boolean,
): Promise<readonly Tag[]> {
  const moved: Tag[] = []
  for (const { tag, pushedAt } of tags) {
    const outcome = await moveReplicaTag(trx, to, { tag, digest, source, pushedAt, by, at, imageCame }, announcements)
    if (outcome !== 'moved') continue
    moved.push(tag)
    await onTagMoved?.(trx, to.id, tag)
  }
  if (moved.length > 0) await requireTagsWithin(trx, quotas, to, digest)
  return moved
}

/** What an announcement says of an image. */
export interface AnnouncedImage {
  readonly digest: Digest
  readonly mediaType: MediaType
  readonly artifactType: string | undefined
  readonly subject: Digest | undefined
}

/** Once for each tag that moved, as pushes with several tags are several pushes. */
export async function announceCopy(
  trx: Transaction,
  { announcements: { imagePushed = [] } }: ArrivalParts,
  { to, by, at }: Arrival,
  { digest, mediaType, artifactType, subject }: AnnouncedImage,
  { moved, isNew }: { readonly moved: readonly Tag[]; readonly isNew: boolean },
): Promise<void> {
  for (const [place, tag] of (moved.length === 0 ? [undefined] : moved).entries()) {
    await announce(imagePushed, trx, {
      ...{ repository: to, digest, mediaType, artifactType, subject, tag, by, at },
      ...{ cause: 'replication', isNew: isNew && place === 0 },
    })
  }
}
