import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import { readInSteps } from '#lib/slices.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Announcements } from '#registry/announcements.ts'
import type { Quotas } from '#registry/quotas.ts'
import { getRepository, inRepository, lockRepository, type RepositoryKey } from '#registry/repository.ts'
import { refuseDeleted } from './refusals.ts'
import { type Restored, restoreDeleted } from './restore.ts'
import { type DeletedImage, findBelow, isGone, parseDeleted, purgeImages, selectDeleted, selectGone } from './rows.ts'

/** The images of a repository that were deleted and can be restored, for as long as the registry's setting said when they went. */
export interface DeletedImages {
  /** The last deleted first; none that was pushed again. A page of very many tags ends early. @throws Refusal `RepositoryNotFound` */
  list(
    key: RepositoryKey,
    page: { readonly limit: number; readonly after?: DeletedPosition | undefined },
  ): Promise<Page<DeletedImage, DeletedPosition>>
  /**
   * Puts an image back, with what it refers to, the referrers that went with it, and its tags where they are free. So it does for one
   * that was pushed again meanwhile.
   *
   * @throws Refusal `RepositoryNotFound`, `DeletedImageNotFound`, `Referenced…Missing`, `QuotaExceeded`
   */
  restore(key: RepositoryKey, digest: Digest, by: string): Promise<Restored>
  /**
   * For good, now; not one that was pushed again. Answers the images to which an index referred and that remain, there or in the bin.
   *
   * @throws Refusal `RepositoryNotFound`, `DeletedImageNotFound`
   */
  purge(key: RepositoryKey, digest: Digest): Promise<readonly Digest[]>
  /** All of them. Answers how many went. @throws Refusal `RepositoryNotFound` */
  purgeAll(key: RepositoryKey): Promise<number>
}

export interface DeletedPosition {
  readonly deletedAt: number
  readonly digest: string
}

const imagesAtOnce = 200

/** Rows that a list reads before other work runs: on SQLite a statement holds the process. */
const rowsAtOnce = 100

/** In one page: a page of very many tags ends early. */
const mostTags = 10_000

export function createDeletedImages({
  metadata,
  clock,
  quotas,
  announcements = {},
}: {
  metadata: Metadata
  clock: Clock
  quotas: Quotas
  announcements?: Partial<Announcements>
}): DeletedImages {
  return {
    async list(key, { limit, after }) {
      const { id } = await getRepository(metadata.reader, key)
      const now = clock()
      const images: DeletedImage[] = []
      let tags = 0
      const read = (last: DeletedRow | undefined, count: number) =>
        selectLastDeleted(metadata.reader, id, now, positionOf(last) ?? after)
          .limit(count)
          .execute()
      const step = Math.min(limit + 1, rowsAtOnce)
      for await (const rows of readInSteps(step, read)) {
        const gone = rows.filter((row) => Number(row.is_gone) === 1).map(parseDeleted)
        images.push(...gone)
        for (const image of gone) tags += image.tags.length
        if (images.length > limit) break
        const last = rows.length < step ? undefined : positionOf(rows.at(-1))
        if (last !== undefined && tags >= mostTags) return { items: images, next: last }
      }
      return pageOf(images, limit, ({ deletedAt, digest }) => ({ deletedAt, digest }))
    },

    restore: (key, digest, by) =>
      metadata.transaction(async (trx) => {
        const repository = await lockRepository(trx, key, 'exclusive')
        return restoreDeleted(trx, repository, digest, quotas, { by, at: clock() }, announcements)
      }),

    purge: (key, digest) =>
      metadata.transaction(async (trx) => {
        const { id } = await lockRepository(trx, key, 'exclusive')
        const found = await selectGone(trx, id, clock()).where('digest', '=', digest).executeTakeFirst()
        if (found === undefined) throw refuseDeleted('DeletedImageNotFound', { ...inRepository(key), digest })
        const below = await findBelow(trx, id, digest, clock())
        await purgeImages(trx, id, [digest], clock())
        return below
      }),

    async purgeAll(key) {
      for (let purged = 0; ; ) {
        const some = await metadata.transaction(async (trx) => {
          const { id } = await lockRepository(trx, key, 'exclusive')
          const rows = await selectDeleted(trx, id, clock()).limit(imagesAtOnce).execute()
          const digests = rows.map((row) => parseDigest(row.digest))
          if (digests.length === 0) return { looked: 0, gone: 0 }
          const gone = await selectGone(trx, id, clock()).where('digest', 'in', digests).execute()
          await purgeImages(trx, id, digests, clock())
          return { looked: digests.length, gone: gone.length }
        })
        purged += some.gone
        if (some.looked < imagesAtOnce) return purged
      }
    },
  }
}

type DeletedRow = Awaited<ReturnType<ReturnType<typeof selectLastDeleted>['execute']>>[number]

/** The last deleted first, and of each whether it is gone. */
function selectLastDeleted(reader: Reader, repositoryId: number, now: number, after: DeletedPosition | undefined) {
  return selectDeleted(reader, repositoryId, now)
    .select((eb) => isGone(eb).as('is_gone'))
    .$if(after !== undefined, (query) =>
      query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('deleted_at', 'digest'), '<', tuple(after?.deletedAt ?? 0, after?.digest ?? '')),
      ),
    )
    .orderBy('deleted_at', 'desc')
    .orderBy('digest', 'desc')
}

function positionOf(row: DeletedRow | undefined): DeletedPosition | undefined {
  return row && { deletedAt: row.deleted_at, digest: row.digest }
}
