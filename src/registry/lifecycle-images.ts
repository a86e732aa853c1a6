import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
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
 * All images of a repository, in no order. Read in batches while pushes go on, and yet no image is taken for untagged because its
 * tag moved meanwhile: tags are read by their names, each once, after the images. References come last, so that an index which
 * was pushed meanwhile still holds its children, itself unread. `now`, in milliseconds since the epoch, tells which reports of images in
 * use still count.
 */
export async function readLifecycleImages(
  reader: Reader,
  repositoryId: number,
  now: number,
): Promise<LifecycleImage[]> {
  const images: Gathered = new Map()
  for await (const rows of batchesOf(manifestsAfter, reader, repositoryId)) gatherManifests(images, rows)
  for await (const rows of batchesOf(tagsAfter, reader, repositoryId)) gatherTags(images, rows)
  for await (const rows of batchesOf(childrenAfter, reader, repositoryId)) gatherChildren(images, rows)
  await gatherUses(images, reader, repositoryId, now)
  return [...images.values()]
}

/** Of these images those that are there, as they stand now, but for who uses them: for whoever holds the repository's lock. */
export async function readLifecycleImagesOf(
  reader: Reader,
  repositoryId: number,
  digests: readonly Digest[],
): Promise<ReadonlyMap<string, LifecycleImage>> {
  const images: Gathered = new Map()
  gatherManifests(images, await selectManifests(reader, repositoryId).where('digest', 'in', digests).execute())
  gatherTags(images, await selectTags(reader, repositoryId).where('digest', 'in', digests).execute())
  gatherChildren(images, await selectChildren(reader, repositoryId).where('child', 'in', digests).execute())
  return images
}

type Gathered = Map<string, LifecycleImage & { readonly tags: Tag[]; readonly indexes: Digest[]; inUseBy: Uses }>
type Row<Query extends (reader: Reader, repositoryId: number) => { execute(): Promise<readonly unknown[]> }> = Awaited<
  ReturnType<ReturnType<Query>['execute']>
>[number]

function gatherManifests(images: Gathered, rows: readonly Row<typeof selectManifests>[]): void {
  for (const row of rows) {
    images.set(row.digest, {
      digest: parseDigest(row.digest),
      tags: [],
      // Written by `image-status.ts`.
      status: row.status as ImageStatus,
      sizeBytes: row.image_size,
      pushedAt: row.pushed_at,
      pulledAt: row.pulled_at ?? undefined,
      archivedAt: row.archived_at ?? undefined,
      activatedAt: row.activated_at ?? undefined,
      subject: row.subject === null ? undefined : parseDigest(row.subject),
      indexes: [],
      inUseBy: [],
    })
  }
}

function gatherTags(images: Gathered, rows: readonly Row<typeof selectTags>[]): void {
  for (const { tag, digest } of rows) images.get(digest)?.tags.push(parseTag(tag))
}

function gatherChildren(images: Gathered, rows: readonly Row<typeof selectChildren>[]): void {
  for (const { parent, child } of rows) images.get(child)?.indexes.push(parseDigest(parent))
}

async function gatherUses(images: Gathered, reader: Reader, repositoryId: number, now: number): Promise<void> {
  const row = await selectLive(reader, repositoryId).selectAll().executeTakeFirst()
  if (row === undefined) return
  for await (const reported of readReported(reader, parseRepository(row), now)) {
    for (const [digest, uses] of reported) {
      const image = images.get(digest)
      // A batch may end between two clusters of one image.
      if (image !== undefined) image.inUseBy = [...image.inUseBy, ...uses]
    }
    await setImmediate()
  }
}

/** All rows, each batch from the last row of the one before, by a key that no row ever changes. */
async function* batchesOf<Key, Row extends Key>(
  query: (reader: Reader, repositoryId: number, after: Key | undefined) => Promise<readonly Row[]>,
  reader: Reader,
  repositoryId: number,
): AsyncGenerator<readonly Row[], void> {
  let last: Row | undefined
  do {
    const rows = await query(reader, repositoryId, last)
    yield rows
    last = rows.length < batchRows ? undefined : rows.at(-1)
    await setImmediate()
  } while (last !== undefined)
}

function manifestsAfter(reader: Reader, repositoryId: number, after: { digest: string } | undefined) {
  return selectManifests(reader, repositoryId)
    .$if(after !== undefined, (query) => query.where('digest', '>', after?.digest ?? ''))
    .orderBy('digest')
    .limit(batchRows)
    .execute()
}

function tagsAfter(reader: Reader, repositoryId: number, after: { tag: string } | undefined) {
  return selectTags(reader, repositoryId)
    .$if(after !== undefined, (query) => query.where('tag', '>', after?.tag ?? ''))
    .orderBy('tag')
    .limit(batchRows)
    .execute()
}

/** By the index that holds the references to manifests alone; its condition is a literal, or SQLite would not use it. */
function childrenAfter(reader: Reader, repositoryId: number, after: { parent: string; child: string } | undefined) {
  return selectChildren(reader, repositoryId)
    .$if(after !== undefined, (query) =>
      query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('parent', 'child'), '>', tuple(after?.parent ?? '', after?.child ?? '')),
      ),
    )
    .orderBy('parent')
    .orderBy('child')
    .limit(batchRows)
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

function selectChildren(reader: Reader, repositoryId: number) {
  return reader
    .selectFrom('manifest_reference')
    .select(['parent', 'child'])
    .where('repository_id', '=', repositoryId)
    .where('kind', '=', sql.lit('manifest'))
}
