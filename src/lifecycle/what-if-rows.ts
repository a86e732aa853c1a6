import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { WhatIfImage, WhatIfVerdict } from './what-if-images.ts'

/** What-ifs as they are stored: a summary, and the images in pages, so that those of a whole repository are written in no time. */
export interface WhatIfSummary {
  /** The policy, as it was given. */
  readonly text: string
  readonly draft: boolean
  /** As of when, in milliseconds since the epoch. */
  readonly now: number
  /** How many images have each verdict. */
  readonly counts: Readonly<Record<WhatIfVerdict, number>>
  /** Of the images that would be deleted: of all their blobs, and of those that nothing needs any more once they are gone. */
  readonly heldBytes: number
  readonly freedBytes: number
  /** For so long what is deleted can be restored, and holds its bytes. */
  readonly recycleBinDays: number
  /** Of a draft: how many images go under it alone, under the policy in force alone, and under both. */
  readonly difference?: { readonly draft: number; readonly inForce: number; readonly both: number }
}

/** Images a row. */
export const pageImages = 500

/** A day. */
export const keptMs = 24 * 60 * 60 * 1_000
const keptOfRepository = 5

export async function insertWhatIf(
  trx: Transaction,
  { id, repositoryId, summary }: { id: string; repositoryId: number; summary: WhatIfSummary },
): Promise<void> {
  await trx
    .insertInto('lifecycle_what_if')
    .values({ id, repository_id: repositoryId, created_at: summary.now, summary: JSON.stringify(summary) })
    .execute()
}

export async function insertPage(
  trx: Transaction,
  { id, number, images }: { id: string; number: number; images: readonly WhatIfImage[] },
): Promise<void> {
  await trx
    .insertInto('lifecycle_what_if_page')
    .values({ what_if_id: id, number, document: JSON.stringify(images) })
    .execute()
}

/** Of the repository; those that are over are none, even where they have not been removed yet. */
export async function findWhatIf(
  reader: Reader,
  repositoryId: number,
  id: string,
  now: number,
): Promise<WhatIfSummary | undefined> {
  const row = await reader
    .selectFrom('lifecycle_what_if')
    .select('summary')
    .where('id', '=', id)
    .where('repository_id', '=', repositoryId)
    .where('created_at', '>', now - keptMs)
    .executeTakeFirst()
  // Written above.
  return row && (JSON.parse(row.summary) as WhatIfSummary)
}

export async function readPage(
  reader: Reader,
  id: string,
  number: number,
): Promise<readonly WhatIfImage[] | undefined> {
  const row = await reader
    .selectFrom('lifecycle_what_if_page')
    .select('document')
    .where('what_if_id', '=', id)
    .where('number', '=', number)
    .executeTakeFirst()
  // Written above.
  return row && (JSON.parse(row.document) as WhatIfImage[])
}

/** Those of the repository that are not among its latest. */
export async function findSurplus(reader: Reader, repositoryId: number): Promise<string[]> {
  const rows = await reader
    .selectFrom('lifecycle_what_if')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute()
  return rows.slice(keptOfRepository).map(({ id }) => id)
}

/** Those that were made before, at most some. */
export async function findOverdue(reader: Reader, before: number): Promise<string[]> {
  const rows = await reader
    .selectFrom('lifecycle_what_if')
    .select('id')
    .where('created_at', '<=', before)
    .orderBy('created_at')
    .limit(20)
    .execute()
  return rows.map(({ id }) => id)
}

/** With its pages. */
export async function deleteWhatIf(trx: Transaction, id: string): Promise<void> {
  await trx.deleteFrom('lifecycle_what_if').where('id', '=', id).execute()
}
