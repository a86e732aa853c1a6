import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { Inspection } from '#replication/destination.ts'

/** An image of the source, and what replication knows of it. Times are milliseconds since the epoch. */
export interface SourceImage {
  readonly digest: Digest
  readonly tags: readonly SourceTag[]
  readonly item: KnownItem | undefined
}

export interface SourceTag {
  readonly tag: Tag
  readonly movedAt: number
}

/** What became of the image on its way to the destination. */
export interface KnownItem {
  readonly state: 'WAITING' | 'FAILED' | 'COMPLETE'
  /** When the destination last had the whole image. */
  readonly completedAt: number | undefined
  readonly failure: { readonly code: string; readonly reason: string } | undefined
}

/** An image of the source against what the destination has. */
export interface Compared<Image extends SourceImage = SourceImage> {
  readonly image: Image
  readonly state: ImageState
  readonly tags: readonly ComparedTag[]
}

/**
 * `present`: the destination has it, perhaps in its archive.
 * `waiting`: it is on its way.
 * `failed`: the destination refused it.
 * `missing`: it was never there.
 * `deleted`: the destination deleted it, and says so.
 * `lost`: it was there and is not. The destination does not say that it deleted it.
 */
export type ImageState = 'present' | 'waiting' | 'failed' | 'missing' | 'deleted' | 'lost'

export interface ComparedTag extends SourceTag {
  readonly state: TagState
  /** What the tag points to at the destination, if that is another image. */
  readonly there: Digest | undefined
}

/**
 * `same`: it points to the image there too, or it comes with an image that is not there.
 * `waiting`: it is on its way.
 * `missing`, `behind`: it is not there, or points to another image, and was not sent since it moved.
 * `kept`: it was sent and points to another image. The tag is immutable there, or a later push there moved it.
 * `deleted`, `lost`: as for images.
 */
export type TagState = 'same' | 'waiting' | 'missing' | 'behind' | 'kept' | 'deleted' | 'lost'

export function compareImages<Image extends SourceImage>(
  images: readonly Image[],
  there: Inspection,
): readonly Compared<Image>[] {
  return images.map((image) => {
    const state = stateOf(image, there)
    return { image, state, tags: image.tags.map((tag) => compareTag(tag, { image, state, there })) }
  })
}

function stateOf({ digest, item }: SourceImage, { images }: Inspection): ImageState {
  const found = images.get(digest) ?? 'absent'
  if (found === 'present' || found === 'archived') return 'present'
  if (item?.state === 'WAITING') return 'waiting'
  if (item?.state === 'FAILED') return 'failed'
  if (found === 'deleted') return 'deleted'
  return item?.completedAt === undefined ? 'missing' : 'lost'
}

function compareTag(
  { tag, movedAt }: SourceTag,
  { image, state, there }: { readonly image: SourceImage; readonly state: ImageState; readonly there: Inspection },
): ComparedTag {
  const found = there.tags.get(tag) ?? 'absent'
  const result = (tagState: TagState, other?: Digest): ComparedTag => ({ tag, movedAt, state: tagState, there: other })
  if (found === image.digest) return result('same')
  if (image.item?.state === 'WAITING') return result('waiting')
  if (found === 'deleted') return result('deleted')
  if (state !== 'present') return result('same')
  const wasSent = (image.item?.completedAt ?? Number.NEGATIVE_INFINITY) >= movedAt
  if (found === 'absent') return result(wasSent ? 'lost' : 'missing')
  return result(wasSent ? 'kept' : 'behind', found)
}

/** What is to be sent of an image, or nothing. What the destination deleted is never sent. */
export function tagsToSend(
  { image, state, tags }: Compared,
  { includeLost }: { readonly includeLost: boolean },
): readonly SourceTag[] | undefined {
  const those = (states: readonly TagState[]) =>
    tags.filter((each) => states.includes(each.state)).map(({ tag, movedAt }) => ({ tag, movedAt }))
  if (state === 'missing' || (state === 'lost' && includeLost)) return those(['same'])
  // A refused image is tried again each hour, with its tags.
  if (state !== 'present' || image.item?.state === 'FAILED') return undefined
  const sent = those(includeLost ? ['missing', 'behind', 'lost'] : ['missing', 'behind'])
  return sent.length > 0 ? sent : undefined
}
