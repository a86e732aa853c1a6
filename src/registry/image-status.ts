import type { Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { type Announcements, announce, type ImagesArchived } from './announcements.ts'
import { countRemoval } from './image-removals.ts'
import { findKeptInUse } from './kept-in-use.ts'
import type { Repository } from './repository.ts'

/**
 * Moving images to the archive and back, for whoever holds the repository's exclusive lock. An archived image keeps its tags and
 * its content, and cannot be pulled. No storage here takes time to give content back, so that a restored image is active at once.
 *
 * Invariant: what an active index refers to is active. So an image that one refers to stays, and a restored index takes along
 * what it refers to. Referrers follow their subject both ways (ECR user guide, "Lifecycle policies").
 */

/**
 * Answers what was archived: of these and of their referrers, those that were active, that are not kept in use and that no active index
 * refers to, be it that the index is archived along with them.
 */
export async function archiveImages(
  trx: Transaction,
  repository: Repository,
  digests: readonly Digest[],
  act: Pick<ImagesArchived, 'by' | 'at' | 'cause'>,
  { imagesArchived = [] }: Partial<Pick<Announcements, 'imagesArchived'>> = {},
): Promise<Digest[]> {
  const archived = new Set<Digest>()
  for (let left = digests; left.length > 0; left = left.filter((digest) => !archived.has(digest))) {
    const some = await archiveSome(trx, repository, left, act.at)
    if (some.length === 0) break
    for (const digest of some) archived.add(digest)
  }
  if (archived.size === 0) return []
  await countRemoval(trx, repository)
  await announce(imagesArchived, trx, { repository, digests: [...archived], ...act })
  return [...archived]
}

function archiveSome(
  trx: Transaction,
  repository: Repository,
  digests: readonly Digest[],
  now: number,
): Promise<Digest[]> {
  const { id } = repository
  return spread(digests, {
    change: async (some) => {
      const kept = await findKeptInUse(trx, repository, some, now)
      const free = some.filter((digest) => !kept.has(digest))
      // PostgreSQL has no empty list.
      if (free.length === 0) return []
      return trx
        .updateTable('manifest')
        .set({ status: 'ARCHIVED', archived_at: now })
        .where('repository_id', '=', id)
        .where('digest', 'in', free)
        .where('status', '=', 'ACTIVE')
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('manifest_reference')
                .innerJoin('manifest as index', (join) =>
                  join
                    .onRef('index.repository_id', '=', 'manifest_reference.repository_id')
                    .onRef('index.digest', '=', 'manifest_reference.parent'),
                )
                .select('index.digest')
                .where('manifest_reference.repository_id', '=', id)
                .whereRef('manifest_reference.child', '=', 'manifest.digest')
                .where('manifest_reference.kind', '=', 'manifest')
                .where('index.status', '=', 'ACTIVE'),
            ),
          ),
        )
        .returning('digest')
        .execute()
    },
    follow: (some) => selectReferrers(trx, id, some).execute(),
  })
}

/** Answers what was restored: of these, of what they refer to and of the referrers of all, those that were archived. */
export async function restoreImages(
  trx: Transaction,
  { id }: Repository,
  digests: readonly Digest[],
  now: number,
): Promise<Digest[]> {
  const changed = await spread(digests, {
    change: (some) =>
      trx
        .updateTable('manifest')
        .set({ status: 'ACTIVE', activated_at: now })
        .where('repository_id', '=', id)
        .where('digest', 'in', some)
        .where('status', '!=', 'ACTIVE')
        .returning('digest')
        .execute(),
    follow: async (some) => {
      const children = trx
        .selectFrom('manifest_reference')
        .select('child as digest')
        .where('repository_id', '=', id)
        .where('parent', 'in', some)
        .where('kind', '=', 'manifest')
      return children.union(selectReferrers(trx, id, some)).execute()
    },
  })
  if (changed.length > 0) await countRemoval(trx, { id })
  return changed
}

function selectReferrers(trx: Transaction, repositoryId: number, subjects: readonly Digest[]) {
  return trx
    .selectFrom('manifest')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('subject', 'in', subjects)
}

/** Far below the number of values that either database takes in one statement. */
const atOnce = 1_000

type Rows = Promise<readonly { readonly digest: string }[]>

/** Changes these images, then what follows those that changed, and so on. Ends, because no image changes twice. */
async function spread(
  digests: readonly Digest[],
  { change, follow }: { change: (some: readonly Digest[]) => Rows; follow: (some: readonly Digest[]) => Rows },
): Promise<Digest[]> {
  const changed: Digest[] = []
  let next = digests
  while (next.length > 0) {
    const now = await inParts(next, change)
    changed.push(...now)
    next = await inParts(now, follow)
  }
  return changed
}

async function inParts(digests: readonly Digest[], query: (some: readonly Digest[]) => Rows): Promise<Digest[]> {
  const found = new Set<Digest>()
  for (let first = 0; first < digests.length; first += atOnce) {
    for (const { digest } of await query(digests.slice(first, first + atOnce))) found.add(parseDigest(digest))
  }
  return [...found]
}
