import type { Digest } from '#names/digest.ts'

/**
 * What is in use of a repository, given what clusters reported. Pure. Deletion asks of a few images and lifecycle of all, by this one
 * function, so that neither takes what the other keeps.
 */

/** That a cluster runs an image, and until when that counts: milliseconds since the epoch. */
export interface Use {
  readonly cluster: string
  readonly until: number
}

/** Of one image, one a cluster, in the order of the clusters' names. */
export type Uses = readonly Use[]

/** An image by what it belongs to. */
export interface Kin {
  readonly digest: Digest
  readonly subject: Digest | undefined
  /** The indexes of the repository that refer to it. */
  readonly indexes: readonly Digest[]
}

/**
 * In use is what was reported, and each index that refers to it, for runtimes name the one or the other, and pull again by the index;
 * and whatever belongs to one of those: the images to which it refers, and those whose subject it is, such as a signature without
 * which an image may not start. The order of `images` means nothing; what is reported and is not among them counts for nothing.
 * Linear.
 */
export function spreadUses(images: readonly Kin[], reported: ReadonlyMap<Digest, Uses>): ReadonlyMap<Digest, Uses> {
  const found = new Map<Digest, Uses>()
  if (reported.size === 0) return found
  const indexes = new Map(images.map((image) => [image.digest, image.indexes]))
  const present = [...reported].filter(([digest, uses]) => indexes.has(digest) && uses.length > 0)
  spread(found, present, (digest) => indexes.get(digest))
  if (found.size === 0) return found

  const dependents = new Map<Digest, Digest[]>()
  for (const { digest, subject, indexes } of images) {
    for (const owner of subject === undefined ? indexes : [...indexes, subject]) {
      const others = dependents.get(owner)
      if (others === undefined) dependents.set(owner, [digest])
      else others.push(digest)
    }
  }
  const below = [...found].flatMap(([digest, uses]) =>
    (dependents.get(digest) ?? []).map((each) => [each, uses] as const),
  )
  spread(found, below, (digest) => dependents.get(digest))
  return found
}

function spread(
  found: Map<Digest, Uses>,
  from: readonly (readonly [Digest, Uses])[],
  next: (digest: Digest) => readonly Digest[] | undefined,
): void {
  const waiting = [...from]
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    const [digest, more] = each
    const before = found.get(digest)
    const uses = before === undefined ? more : union(before, more)
    if (uses === before) continue
    found.set(digest, uses)
    for (const other of next(digest) ?? []) waiting.push([other, uses])
  }
}

/** `before` itself where it has all. */
function union(before: Uses, more: Uses): Uses {
  const known = new Set(before.map(({ cluster }) => cluster))
  const added = more.filter(({ cluster }) => !known.has(cluster))
  if (added.length === 0) return before
  return [...before, ...added].sort((a, b) => (a.cluster < b.cluster ? -1 : 1))
}
