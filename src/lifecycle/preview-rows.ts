import { setImmediate } from 'node:timers/promises'
import type { Selectable } from 'kysely'
import { type Page, pageOf } from '#lib/page.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { LifecyclePreviewTable } from '#metadata/schema/lifecycle.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { TagStatus } from '#registry/image.ts'
import type { ActionType, StorageClass } from './schema.ts'

/**
 * Previews as they are stored.
 *
 *   IN_PROGRESS ──> COMPLETE ──(a day later)──> EXPIRED
 *        └────────> FAILED       also where nothing was written for minutes: its process has died
 *
 * What follows from the passing of time is no write, but how a row is read.
 */
export interface Preview {
  /** Never given twice. */
  readonly id: number
  readonly repositoryId: number
  /** The policy as it was given. */
  readonly text: string
  readonly status: 'IN_PROGRESS' | 'COMPLETE' | 'EXPIRED' | 'FAILED'
  /** How many images would go, and how many be archived. */
  readonly counts: { readonly expire: number; readonly transition: number }
}

/** An image that would be acted on, as it was when the preview was made. */
export interface PreviewResult {
  readonly position: number
  readonly digest: Digest
  readonly tags: readonly Tag[]
  readonly pushedAt: number
  readonly storageClass: StorageClass
  readonly action: ActionType
  readonly rulePriority: number
}

/** ECR does not say how long a preview is good for. */
const goodForMs = 24 * 60 * 60 * 1_000
/** Between two writes of a preview lie seconds. */
const silenceMs = 5 * 60 * 1_000

export async function findPreviewOf(reader: Reader, repositoryId: number, now: number): Promise<Preview | undefined> {
  const row = await reader
    .selectFrom('lifecycle_preview')
    .selectAll()
    .where('repository_id', '=', repositoryId)
    .executeTakeFirst()
  return row && parsePreview(row, now)
}

function parsePreview(row: Selectable<LifecyclePreviewTable>, now: number): Preview {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    text: row.document,
    status: statusOf(row, now),
    counts: { expire: row.expiring_count, transition: row.transitioning_count },
  }
}

function statusOf({ status, touched_at }: Selectable<LifecyclePreviewTable>, now: number): Preview['status'] {
  if (status === 'COMPLETE') return now - touched_at > goodForMs ? 'EXPIRED' : 'COMPLETE'
  return status === 'IN_PROGRESS' && now - touched_at <= silenceMs ? 'IN_PROGRESS' : 'FAILED'
}

/** Puts a new preview in the place of the repository's last one, whose results go with it. Answers its id. */
export async function replacePreview(
  trx: Transaction,
  repositoryId: number,
  text: string,
  now: number,
): Promise<number> {
  const before = await trx
    .selectFrom('lifecycle_preview')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .executeTakeFirst()
  if (before !== undefined) {
    await trx.deleteFrom('lifecycle_preview').where('id', '=', before.id).execute()
  }
  const { id } = await trx
    .insertInto('lifecycle_preview')
    .values({
      repository_id: repositoryId,
      document: text,
      status: 'IN_PROGRESS',
      started_at: now,
      touched_at: now,
      expiring_count: 0,
      transitioning_count: 0,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

/**
 * Says that the preview is still being made, or how it ended; everything that its maker writes comes after this, in the same
 * transaction. `undefined` where it is not its maker's any more: replaced, gone with its repository, or given up for dead, and
 * so perhaps told to somebody as failed.
 */
export async function touchPreview(
  trx: Transaction,
  id: number,
  now: number,
  end: Partial<Pick<Selectable<LifecyclePreviewTable>, 'status' | 'expiring_count' | 'transitioning_count'>> = {},
): Promise<Preview | undefined> {
  const row = await trx
    .updateTable('lifecycle_preview')
    .set({ touched_at: now, ...end })
    .where('id', '=', id)
    .where('status', '=', 'IN_PROGRESS')
    .where('touched_at', '>=', now - silenceMs)
    .returningAll()
    .executeTakeFirst()
  return row && parsePreview(row, now)
}

/** Results a row. */
export const pageResults = 500

/** One page, of `pageResults` but for the last. */
export async function insertPage(
  trx: Transaction,
  id: number,
  number: number,
  results: readonly PreviewResult[],
): Promise<void> {
  await trx
    .insertInto('lifecycle_preview_page')
    .values({ preview_id: id, number, document: JSON.stringify(results) })
    .execute()
}

/** What is asked for of a preview's results. */
export interface ResultFilter {
  readonly tagStatus: TagStatus
  /** Of these images alone. */
  readonly digests?: readonly Digest[] | undefined
}

/** By position, from the first after `after`. */
export async function listResults(
  reader: Reader,
  id: number,
  { tagStatus, digests }: ResultFilter,
  { limit, after = -1 }: { limit: number; after?: number | undefined },
): Promise<Page<PreviewResult, number>> {
  const asked = digests && new Set(digests)
  const matches = ({ position, digest, tags }: PreviewResult) =>
    position > after &&
    (asked === undefined || asked.has(digest)) &&
    (tagStatus === 'ANY' || (tagStatus === 'TAGGED') === tags.length > 0)
  const results: PreviewResult[] = []
  for (let number = Math.floor((after + 1) / pageResults); results.length <= limit; number++) {
    const page = await readPage(reader, id, number)
    if (page === undefined) break
    results.push(...page.filter(matches))
    await setImmediate()
  }
  return pageOf(results, limit, ({ position }) => position)
}

async function readPage(reader: Reader, id: number, number: number): Promise<readonly PreviewResult[] | undefined> {
  const row = await reader
    .selectFrom('lifecycle_preview_page')
    .select('document')
    .where('preview_id', '=', id)
    .where('number', '=', number)
    .executeTakeFirst()
  // Written above.
  return row && (JSON.parse(row.document) as PreviewResult[])
}
