import { setImmediate } from 'node:timers/promises'
import type { Reader } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'

/**
 * What a store would have less of if images went. Layers are shared, so the sizes of images do not tell: a blob is freed once
 * nothing needs it any more, which is to say no image of any repository, and none in the recycle bin.
 */
export interface Freed {
  /** Of the blobs of the images that go, each counted once. */
  readonly heldBytes: number
  /** Of those among them that no image needs which stays. */
  readonly freedBytes: number
}

/** Images, or blobs, that are asked about at once: some ten milliseconds, in which SQLite holds the process. */
const batchSize = 1_000

/**
 * If these images of the repository went for good. The work grows with them and with the blobs that they have, not with what stays,
 * and other work gets its turn throughout. An image that is pushed meanwhile keeps what it needs.
 *
 * @throws the signal's reason when it is aborted
 */
export async function measureFreed(
  reader: Reader,
  repositoryId: number,
  going: readonly Digest[],
  signal: AbortSignal,
): Promise<Freed> {
  const references = new ReferenceCounts()
  for (const images of batchesOf(going.toSorted())) {
    for (const { child, count } of await countReferences(reader, repositoryId, images)) references.add(child, count)
    await setImmediate(undefined, { signal })
  }
  let heldBytes = 0
  let freedBytes = 0
  for (const counts of references.byPrefix()) {
    for (const digests of batchesOf([...counts.keys()])) {
      const unneeded = new Map<string, number>()
      for (const { digest, size, here, links, binned } of await readBlobs(reader, repositoryId, digests)) {
        heldBytes += size
        const left = Number(here) > (counts.get(digest) ?? 0) || Boolean(binned)
        if (!left && Number(links) <= 1) freedBytes += size
        else if (!left) unneeded.set(digest, size)
      }
      if (unneeded.size > 0) {
        const needed = await findNeededElsewhere(reader, repositoryId, [...unneeded.keys()])
        for (const [digest, size] of unneeded) if (!needed.has(digest)) freedBytes += size
      }
      await setImmediate(undefined, { signal })
    }
  }
  return { heldBytes, freedBytes }
}

/** How often blobs are referred to, in parts of neighbouring digests: an index is read faster from one to the next. */
class ReferenceCounts {
  readonly #parts = new Map<string, Map<string, number>>()

  add(digest: string, count: number | string): void {
    const prefix = digest.slice(0, prefixLength)
    const part = this.#parts.get(prefix) ?? new Map<string, number>()
    this.#parts.set(prefix, part.set(digest, (part.get(digest) ?? 0) + Number(count)))
  }

  byPrefix(): Iterable<ReadonlyMap<string, number>> {
    return this.#parts.values()
  }
}

/** Up to the second digit of the hash. */
const prefixLength = 'sha256:00'.length

function* batchesOf<Item>(items: readonly Item[]): Generator<readonly Item[], void> {
  for (let at = 0; at < items.length; at += batchSize) yield items.slice(at, at + batchSize)
}

/** Without foreign layers that the repository does not link. PostgreSQL sends counts as text unless its driver parses them. */
function countReferences(reader: Reader, repositoryId: number, parents: readonly Digest[]) {
  return reader
    .selectFrom('manifest_reference')
    .select(({ fn }) => ['child', fn.countAll<number>().as('count')])
    .where('repository_id', '=', repositoryId)
    .where('parent', 'in', parents)
    .where('kind', '!=', 'manifest')
    .where(({ eb, exists, selectFrom }) =>
      eb('kind', '!=', 'foreign').or(
        exists(
          selectFrom('repository_blob as link')
            .select('link.digest')
            .where('link.repository_id', '=', repositoryId)
            .whereRef('link.digest', '=', 'manifest_reference.child'),
        ),
      ),
    )
    .groupBy('child')
    .execute()
}

/**
 * Of each blob how many references there are to it in the repository, how many repositories link it, and whether the bin needs
 * it. All are told by indexes alone, which do not know a reference's kind: a blob that is also a manifest is needed by an
 * index.
 */
function readBlobs(reader: Reader, repositoryId: number, digests: readonly string[]) {
  return reader
    .selectFrom('blob')
    .select((eb) => [
      'blob.digest',
      'blob.size',
      eb
        .selectFrom('manifest_reference as here')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('here.repository_id', '=', repositoryId)
        .whereRef('here.child', '=', 'blob.digest')
        .as('here'),
      eb
        .selectFrom('repository_blob as link')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .whereRef('link.digest', '=', 'blob.digest')
        .as('links'),
      eb
        .exists(
          eb
            .selectFrom('deleted_image_reference as binned')
            .select('binned.child')
            .where('binned.repository_id', '=', repositoryId)
            .whereRef('binned.child', '=', 'blob.digest')
            // What was pushed again takes the place of what the bin has of it when it goes, and is counted here until then.
            .where(({ not, exists, selectFrom }) =>
              not(
                exists(
                  selectFrom('manifest')
                    .select('manifest.digest')
                    .where('manifest.repository_id', '=', repositoryId)
                    .whereRef('manifest.digest', '=', 'binned.parent'),
                ),
              ),
            ),
        )
        .as('binned'),
    ])
    .where('blob.digest', 'in', digests)
    .execute()
}

/** Those that an image of another repository refers to, be it in the bin. */
async function findNeededElsewhere(reader: Reader, repositoryId: number, digests: readonly string[]) {
  const rows = await reader
    .selectFrom('repository_blob as link')
    .select('link.digest')
    .distinct()
    .where('link.digest', 'in', digests)
    .where('link.repository_id', '!=', repositoryId)
    .where(({ or, exists, selectFrom }) =>
      or(
        (['manifest_reference', 'deleted_image_reference'] as const).map((table) =>
          exists(
            selectFrom(`${table} as reference`)
              .select('reference.child')
              .whereRef('reference.repository_id', '=', 'link.repository_id')
              .whereRef('reference.child', '=', 'link.digest'),
          ),
        ),
      ),
    )
    .execute()
  return new Set(rows.map(({ digest }) => digest))
}
