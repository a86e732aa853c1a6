import type { ExpressionBuilder } from 'kysely'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { Schema } from '#metadata/schema.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import { noteLinksOf } from '#registry/collectable.ts'
import { dropContent } from '#registry/image-content.ts'
import type { RemovalCause } from '#registry/image-removal.ts'

/** Images in the recycle bin, as they are told and as they go for good. Times are milliseconds since the epoch. */
export interface DeletedImage {
  readonly digest: Digest
  readonly tags: readonly Tag[]
  readonly sizeBytes: number
  readonly mediaType: string
  readonly artifactType: string | undefined
  readonly subject: Digest | undefined
  readonly pushedAt: number
  readonly deletedAt: number
  /** The ARN of the principal; empty where a policy deleted it. */
  readonly deletedBy: string
  readonly cause: RemovalCause
  /** When it goes for good. */
  readonly purgeAt: number
}

export function selectDeleted(reader: Reader, repositoryId: number, now: number) {
  return reader
    .selectFrom('deleted_image')
    .select(['digest', 'tags', 'image_size', 'media_type', 'artifact_type', 'subject', 'pushed_at'])
    .select(['deleted_at', 'deleted_by', 'cause', 'purge_at', 'status'])
    .where('repository_id', '=', repositoryId)
    .where('purge_at', '>', now)
}

/** Those that are not there again: content that was pushed anew is not deleted, whatever the bin has of it. */
export function selectGone(reader: Reader, repositoryId: number, now: number) {
  return selectDeleted(reader, repositoryId, now).where(isGone)
}

export function isGone({ not, exists, selectFrom }: ExpressionBuilder<Schema, 'deleted_image'>) {
  return not(
    exists(
      selectFrom('manifest')
        .select('manifest.digest')
        .whereRef('manifest.repository_id', '=', 'deleted_image.repository_id')
        .whereRef('manifest.digest', '=', 'deleted_image.digest'),
    ),
  )
}

/** When the last of a repository's bin goes for good; `undefined` if nothing is in it. */
export async function findLastPurge(
  reader: Reader,
  { id }: { readonly id: number },
  now: number,
): Promise<number | undefined> {
  const last = await selectDeleted(reader, id, now).orderBy('purge_at', 'desc').limit(1).executeTakeFirst()
  return last?.purge_at
}

type DeletedRow = Awaited<ReturnType<ReturnType<typeof selectDeleted>['execute']>>[number]

export function parseDeleted(row: DeletedRow): DeletedImage {
  return {
    digest: parseDigest(row.digest),
    // Written by `image-removal.ts`, as is the cause.
    tags: (JSON.parse(row.tags) as string[]).map(parseTag),
    sizeBytes: row.image_size,
    mediaType: row.media_type,
    artifactType: row.artifact_type ?? undefined,
    subject: row.subject === null ? undefined : parseDigest(row.subject),
    pushedAt: row.pushed_at,
    deletedAt: row.deleted_at,
    deletedBy: row.deleted_by,
    cause: row.cause as RemovalCause,
    purgeAt: row.purge_at,
  }
}

/** All to which an index in the bin refers, and what that refers to, as far as it is there or in the bin. */
export async function findBelow(
  trx: Transaction,
  repositoryId: number,
  index: Digest,
  now: number,
): Promise<readonly Digest[]> {
  const below = new Set<string>()
  for (let parents: readonly string[] = [index]; parents.length > 0; ) {
    const rows: { readonly child: string }[] = []
    for (const references of ['deleted_image_reference', 'manifest_reference'] as const) {
      const children = trx.selectFrom(references).select('child').where('repository_id', '=', repositoryId)
      rows.push(...(await children.where('parent', 'in', parents).where('kind', '=', 'manifest').execute()))
    }
    parents = [...new Set(rows.map(({ child }) => child))].filter((child) => !below.has(child))
    for (const child of parents) below.add(child)
  }
  if (below.size === 0) return []
  const there = await trx
    .selectFrom('manifest')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', [...below])
    .execute()
  const inBin = await selectGone(trx, repositoryId, now)
    .where('digest', 'in', [...below])
    .execute()
  return [...there, ...inBin].map(({ digest }) => parseDigest(digest))
}

/** For good, what they alone need being noted for collection: for whoever holds the repository's exclusive lock. */
export async function purgeImages(
  trx: Transaction,
  repositoryId: number,
  digests: readonly Digest[],
  now: number,
): Promise<void> {
  if (digests.length === 0) return
  await noteLinksOf(trx, 'deleted_image_reference', repositoryId, digests, now)
  await forgetDeleted(trx, repositoryId, digests)
  await dropContent(trx, repositoryId, digests)
}

/** Takes them out of the bin: they are back, or gone. */
export async function forgetDeleted(trx: Transaction, repositoryId: number, digests: readonly Digest[]): Promise<void> {
  await trx
    .deleteFrom('deleted_image_reference')
    .where('repository_id', '=', repositoryId)
    .where('parent', 'in', digests)
    .execute()
  await trx
    .deleteFrom('deleted_image')
    .where('repository_id', '=', repositoryId)
    .where('digest', 'in', digests)
    .execute()
}
