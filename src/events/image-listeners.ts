import type { Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { ImagePushed, ImagesArchived, ImagesDeleted, ImagesRestored, TagsMoved } from '#registry/announcements.ts'
import type { Repository } from '#registry/repository.ts'
import type { TagMove, TagMoveCause } from '#registry/tag-moves.ts'
import type { NewEvent } from './event.ts'
import { recordEvents } from './record.ts'
import { imageEvent, type StorageClassFacts, storageClassEvent } from './shapes/image-actions.ts'
import { restoredEvent, type TagAction, tagEvent } from './shapes/own.ts'

/** Makes events of what the core announces about images and tags. An event about an image with several tags is one for each tag. */

/** A push of what is there already may restore it from the archive, and has no other event then. */
export async function recordPush(trx: Transaction, pushed: ImagePushed): Promise<void> {
  if (pushed.isNew || pushed.tag !== undefined) await recordEvents(trx, [imageEvent('PUSH', pushed, pushed)])
}

export async function recordDeletions(trx: Transaction, deleted: ImagesDeleted): Promise<void> {
  const events = deleted.images.flatMap((image) =>
    (image.tags.length === 0 ? [undefined] : image.tags).map((tag) => imageEvent('DELETE', deleted, { ...image, tag })),
  )
  await recordEvents(trx, events)
}

export async function recordArchivals(trx: Transaction, archived: ImagesArchived): Promise<void> {
  const images = await readFacts(trx, archived.repository, archived.digests)
  await recordEvents(
    trx,
    images.map((image) => storageClassEvent('ARCHIVE', archived, image)),
  )
}

/** From the archive as ECR has it, from the recycle bin with an event of our own. */
export async function recordRestores(trx: Transaction, restored: ImagesRestored): Promise<void> {
  if (restored.cause === 'bin') {
    await recordEvents(
      trx,
      restored.digests.map((digest) => restoredEvent(restored, digest)),
    )
    return
  }
  const images = await readFacts(trx, restored.repository, restored.digests)
  await recordEvents(
    trx,
    images.map((image) => storageClassEvent('STANDARD', restored, image)),
  )
}

/** ECR calls the deletion of a tag a deletion of the image by that tag. */
export async function recordTagMoves(trx: Transaction, moved: TagsMoved): Promise<void> {
  const gone = moved.moves.flatMap(({ tag, from, to }) => (to === undefined && from !== undefined ? { tag, from } : []))
  const facts = new Map<Digest, StorageClassFacts>()
  if (gone.length > 0) {
    const digests = [...new Set(gone.map(({ from }) => from))]
    for (const image of await readFacts(trx, moved.repository, digests)) facts.set(image.digest, image)
  }
  const deletions = gone.map(({ tag, from }) => {
    const image = facts.get(from) ?? { digest: from, mediaType: undefined, artifactType: undefined }
    return imageEvent('DELETE', moved, { ...image, tag })
  })
  await recordEvents(trx, [...deletions, ...moved.moves.flatMap((move) => ownTagEvent(moved, move))])
}

interface TagEventKind {
  readonly action: TagAction
  /** Of a tag that is new the event of the push suffices. */
  readonly ofNewTags: boolean
}

/** Of a tag that two registries pushed `TAG_CONFLICT` says more, and of a tag that went with its image the deletion. */
const kinds: Readonly<Record<TagMoveCause, TagEventKind | undefined>> = {
  push: { action: 'MOVED', ofNewTags: false },
  cache: { action: 'MOVED', ofNewTags: false },
  replication: { action: 'MOVED', ofNewTags: false },
  rollback: { action: 'ROLLED_BACK', ofNewTags: true },
  restore: { action: 'RESTORED', ofNewTags: true },
  conflict: undefined,
  delete: undefined,
  lifecycle: undefined,
  subject: undefined,
}

function ownTagEvent(moved: TagsMoved, { tag, from, to }: TagMove): NewEvent[] {
  const kind = kinds[moved.cause]
  if (kind === undefined || to === undefined || (from === undefined && !kind.ofNewTags)) return []
  return [tagEvent(kind.action, moved, { tag, from, to })]
}

async function readFacts(
  trx: Transaction,
  { id }: Repository,
  digests: readonly Digest[],
): Promise<readonly StorageClassFacts[]> {
  const rows = await trx
    .selectFrom('manifest')
    .select(['digest', 'media_type', 'artifact_type', 'subject'])
    .where('repository_id', '=', id)
    .where('digest', 'in', digests)
    .execute()
  const found = new Map(rows.map((row) => [row.digest, row]))
  return digests.flatMap((digest) => {
    const row = found.get(digest)
    if (row === undefined) return []
    const { media_type: mediaType, artifact_type, subject } = row
    const facts = { digest, mediaType, artifactType: artifact_type ?? undefined }
    return { ...facts, subject: subject === null ? undefined : parseDigest(subject) }
  })
}
