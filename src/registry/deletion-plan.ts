import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { ImageId, ImageQuery } from './image.ts'
import type { Uses } from './in-use.ts'

/**
 * Which of the images asked for go, and why the others stay. Pure: what the repository holds comes in, and nothing is deleted
 * here. Invariant: an index's children are present, so an image that one refers to stays (ECR user guide, "Deleting an image"). An
 * image that is kept in use loses tags at most: none that would take it along.
 */

/** Of the images that are asked for, and are there. */
export type HeldImages = ReadonlyMap<Digest, HeldImage>

export interface HeldImage {
  /** In order. */
  readonly tags: readonly Tag[]
  /** Those that refer to it, in order. */
  readonly indexes: readonly Digest[]
  /** For whom it is kept; empty where that is no reason to keep it. */
  readonly inUseBy: Uses
}

/** What becomes of an image with its last tag, when that is deleted. */
export type LastTag = 'takes image' | 'leaves image'

export type DeletionFailure =
  | { readonly reason: 'not found' }
  /** Asked for by a tag and a digest, and the tag is another image's. */
  | { readonly reason: 'tag elsewhere' }
  | { readonly reason: 'referenced'; readonly digest: Digest; readonly indexes: readonly Digest[] }
  | { readonly reason: 'in use'; readonly digest: Digest; readonly inUseBy: Uses }

export interface DeletionPlan {
  /** What goes, in the order in which it does: one entry a tag, or one without a tag. */
  readonly gone: readonly ImageId[]
  readonly images: readonly Digest[]
  /** Tags that go and leave their image. */
  readonly tags: readonly Tag[]
  /** By the queries, as objects. */
  readonly failures: ReadonlyMap<ImageQuery, DeletionFailure>
}

/**
 * In the order given. What an index still refers to is decided again once others are gone, so that a list which holds an index
 * and its children goes whole, whatever its order; and what went with an earlier entry is no failure of a later one.
 */
export function planDeletion(held: HeldImages, queries: readonly ImageQuery[], lastTag: LastTag): DeletionPlan {
  const owners = new Map<Tag, Digest>()
  for (const [digest, { tags }] of held) for (const tag of tags) owners.set(tag, digest)
  const gone: ImageId[] = []
  const images = new Set<Digest>()
  const tags = new Set<Tag>()

  const tagsLeft = (digest: Digest) => held.get(digest)?.tags.filter((tag) => !tags.has(tag)) ?? []

  function decide({ tag, digest: given }: ImageQuery): DeletionFailure | undefined {
    const owner = tag === undefined || tags.has(tag) ? undefined : owners.get(tag)
    const digest = tag === undefined ? given : owner
    if (digest === undefined || !held.has(digest) || images.has(digest)) return { reason: 'not found' }
    if (given !== undefined && given !== digest) return { reason: 'tag elsewhere' }
    const left = tagsLeft(digest)
    if (tag !== undefined && (left.length > 1 || lastTag === 'leaves image')) {
      tags.add(tag)
      gone.push({ digest, tag })
      return undefined
    }
    const { indexes = [], inUseBy = [] } = held.get(digest) ?? {}
    const staying = indexes.filter((index) => !images.has(index))
    if (staying.length > 0) return { reason: 'referenced', digest, indexes: staying }
    if (inUseBy.length > 0) return { reason: 'in use', digest, inUseBy }
    images.add(digest)
    gone.push(...(left.length === 0 ? [{ digest, tag: undefined }] : left.map((each) => ({ digest, tag: each }))))
    return undefined
  }

  const failures = new Map<ImageQuery, DeletionFailure>()
  let waiting = queries
  let before: number
  do {
    before = gone.length
    waiting = waiting.filter((query) => {
      const failure = decide(query)
      if (failure === undefined || wentAlready(gone, query)) failures.delete(query)
      else failures.set(query, failure)
      return failure?.reason === 'referenced'
    })
  } while (waiting.length > 0 && gone.length > before)
  return { gone, images: [...images], tags: [...tags], failures }
}

function wentAlready(gone: readonly ImageId[], query: ImageQuery): boolean {
  return gone.some(
    ({ tag, digest }) =>
      (query.tag === undefined || query.tag === tag) && (query.digest === undefined || query.digest === digest),
  )
}
