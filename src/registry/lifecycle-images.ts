import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import { readInSteps } from '#lib/slices.ts'
import type { Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import type { ImageStatus } from './image.ts'
import { selectLive } from './image-removals.ts'
import type { Uses } from './in-use.ts'
import { readReported } from './kept-in-use.ts'
import { parseRepository } from './repository.ts'

/** What decides on an image's lifecycle. Times are milliseconds since the epoch. */
export interface LifecycleImage {
  readonly digest: Digest
  readonly tags: readonly Tag[]
  readonly status: ImageStatus
  /** As ECR tells it, which counts layers that others share. */
  readonly sizeBytes: number
  readonly pushedAt: number
  readonly pulledAt: number | undefined
  /** When it was last archived. */
  readonly archivedAt: number | undefined
  /** When it was last restored from the archive. */
  readonly activatedAt: number | undefined
  readonly subject: Digest | undefined
  /** The indexes of the repository that refer to it. */
  readonly indexes: readonly Digest[]
  /** Who reported it as in use, where such images are kept; not who needs it for the sake of another image. */
  readonly inUseBy: Uses
}

/** Rows that are read before other work gets its turn: on SQLite a query holds the process. */
const batchRows = 2_000

/**
 * All images of a repository, by their digests. `reader` is that of a snapshot, so that they are told as they stood at one time. `now`,
 * in milliseconds since the epoch, tells which reports of images in use still count.
 */
export async function readLifecycleImages(
  reader: Reader,
  repositoryId: number,
  now: number,
): Promise<LifecycleImage[]> {
  const indexes = await readIndexes(reader, repositoryId)
  const uses = await readUses(reader, repositoryId, now)
  const tags = new TagsByDigest(reader, repositoryId)
  const images: LifecycleImage[] = []
  for await (const rows of readInSteps(batchRows, manifestsAfter(reader, repositoryId))) {
    await tags.readTo(rows.at(-1)?.digest ?? '')
    for (const row of rows)
      images.push(imageOf(row, tags.take(row.digest), indexes.get(row.digest), uses.get(row.digest)))
  }
  return images
}

/** Of these images those that are there, as they stand now, but for who uses them: for whoever holds the repository's lock. */
export async function readLifecycleImagesOf(
  reader: Reader,
  repositoryId: number,
  digests: readonly Digest[],
): Promise<ReadonlyMap<string, LifecycleImage>> {
  const manifests = await selectManifests(reader, repositoryId).where('digest', 'in', digests).execute()
  const tags = grouped(
    await selectTags(reader, repositoryId).where('digest', 'in', digests).execute(),
    ({ digest }) => digest,
    ({ tag }) => parseTag(tag),
  )
  const references = await selectReferences(reader, repositoryId).where('child', 'in', digests).execute()
  const indexes = indexesByChild(references)
  return new Map(manifests.map((row) => [row.digest, imageOf(row, tags.get(row.digest), indexes.get(row.digest))]))
}

type Row<Query extends (reader: Reader, repositoryId: number) => { execute(): Promise<readonly unknown[]> }> = Awaited<
  ReturnType<ReturnType<Query>['execute']>
>[number]

/** What most images have of tags, indexes or uses, once for all of them. */
const none: readonly never[] = []

function imageOf(
  row: Row<typeof selectManifests>,
  tags: readonly Tag[] = none,
  indexes: readonly Digest[] = none,
  inUseBy: Uses = none,
): LifecycleImage {
  return {
    digest: parseDigest(row.digest),
    tags,
    // As a literal, which every rule compares faster than another text of the same characters.
    status: row.status === 'ACTIVE' ? 'ACTIVE' : 'ARCHIVED',
    sizeBytes: row.image_size,
    pushedAt: row.pushed_at,
    pulledAt: row.pulled_at ?? undefined,
    archivedAt: row.archived_at ?? undefined,
    activatedAt: row.activated_at ?? undefined,
    subject: row.subject === null ? undefined : parseDigest(row.subject),
    indexes,
    inUseBy,
  }
}

/** Goes through a repository's tags beside its images, both by digest: to look each up would take longer than to read it. */
class TagsByDigest {
  readonly #batches: AsyncGenerator<readonly Row<typeof selectTags>[], void>
  #rows: readonly Row<typeof selectTags>[] = []
  #next = 0

  constructor(reader: Reader, repositoryId: number) {
    this.#batches = readInSteps(batchRows, tagsAfter(reader, repositoryId))
  }

  /** Makes sure of all up to this digest. */
  async readTo(digest: string): Promise<void> {
    while ((this.#rows.at(-1)?.digest ?? '') <= digest) {
      const { value, done } = await this.#batches.next()
      if (done) return
      this.#rows = [...this.#rows.slice(this.#next), ...value]
      this.#next = 0
    }
  }

  /** Those of the digest; then none of the digests before it. */
  take(digest: string): readonly Tag[] | undefined {
    let tags: Tag[] | undefined
    for (; ; this.#next++) {
      const row = this.#rows[this.#next]
      if (row === undefined || row.digest > digest) return tags
      if (row.digest < digest) continue
      const tag = parseTag(row.tag)
      if (tags === undefined) tags = [tag]
      else tags.push(tag)
    }
  }
}

async function readIndexes(reader: Reader, repositoryId: number): Promise<ReadonlyMap<string, readonly Digest[]>> {
  const references: Row<typeof selectReferences>[] = []
  for await (const rows of readInSteps(batchRows, referencesAfter(reader, repositoryId))) references.push(...rows)
  return indexesByChild(references)
}

function indexesByChild(references: readonly Row<typeof selectReferences>[]) {
  return grouped(
    references,
    ({ child }) => child,
    ({ parent }) => parseDigest(parent),
  )
}

async function readUses(reader: Reader, repositoryId: number, now: number): Promise<ReadonlyMap<string, Uses>> {
  const uses = new Map<string, Uses>()
  const row = await selectLive(reader, repositoryId).selectAll().executeTakeFirst()
  if (row === undefined) return uses
  for await (const reported of readReported(reader, parseRepository(row), now)) {
    // A batch may end between two clusters of one image.
    for (const [digest, more] of reported) uses.set(digest, [...(uses.get(digest) ?? []), ...more])
    await setImmediate()
  }
  return uses
}

function grouped<Row, Item>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  itemOf: (row: Row) => Item,
): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>()
  for (const row of rows) {
    const group = groups.get(keyOf(row))
    if (group === undefined) groups.set(keyOf(row), [itemOf(row)])
    else group.push(itemOf(row))
  }
  return groups
}

function manifestsAfter(reader: Reader, repositoryId: number) {
  return (after: { digest: string } | undefined, limit: number) =>
    selectManifests(reader, repositoryId)
      .$if(after !== undefined, (query) => query.where('digest', '>', after?.digest ?? ''))
      .orderBy('digest')
      .limit(limit)
      .execute()
}

function tagsAfter(reader: Reader, repositoryId: number) {
  return (after: { digest: string; tag: string } | undefined, limit: number) =>
    selectTags(reader, repositoryId)
      .$if(after !== undefined, (query) =>
        query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('digest', 'tag'), '>', tuple(after?.digest ?? '', after?.tag ?? '')),
        ),
      )
      .orderBy('digest')
      .orderBy('tag')
      .limit(limit)
      .execute()
}

/** By the index that holds the references to manifests alone; its condition is a literal, or SQLite would not use it. */
function referencesAfter(reader: Reader, repositoryId: number) {
  return (after: { parent: string; child: string } | undefined, limit: number) =>
    selectReferences(reader, repositoryId)
      .$if(after !== undefined, (query) =>
        query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('parent', 'child'), '>', tuple(after?.parent ?? '', after?.child ?? '')),
        ),
      )
      .orderBy('parent')
      .orderBy('child')
      .limit(limit)
      .execute()
}

function selectManifests(reader: Reader, repositoryId: number) {
  return reader
    .selectFrom('manifest')
    .select(['digest', 'subject', 'status', 'image_size', 'pushed_at', 'pulled_at', 'archived_at', 'activated_at'])
    .where('repository_id', '=', repositoryId)
}

function selectTags(reader: Reader, repositoryId: number) {
  return reader.selectFrom('tag').select(['tag', 'digest']).where('repository_id', '=', repositoryId)
}

/** To manifests. */
function selectReferences(reader: Reader, repositoryId: number) {
  return reader
    .selectFrom('manifest_reference')
    .select(['parent', 'child'])
    .where('repository_id', '=', repositoryId)
    .where('kind', '=', sql.lit('manifest'))
}
