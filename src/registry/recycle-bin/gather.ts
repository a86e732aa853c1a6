import type { Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { hasRoom, type Quotas } from '#registry/quotas.ts'
import { refuse } from '#registry/refusals.ts'
import { inRepository, type Repository } from '#registry/repository.ts'
import { tagsOf } from '#registry/tag-moving.ts'
import { refuseDeleted } from './refusals.ts'
import { type DeletedImage, parseDeleted, selectDeleted } from './rows.ts'

/** What of the bin comes back when one image is restored. Reads alone, for whoever holds the repository's exclusive lock. */
export interface Gathering {
  readonly images: Gathered
  /** Referrers that would have come back, and cannot. */
  readonly left: readonly Digest[]
}

type Gathered = ReadonlyMap<Digest, DeletedImage & { readonly status: string }>

/**
 * The image with all in the bin that it needs, without which it does not come back; and the referrers that went because it did, each
 * with what that needs, or not at all: a signature that is broken must not keep what it signs from coming back.
 *
 * @throws Refusal `DeletedImageNotFound`, `ReferencedManifestsMissing`, `ReferencedBlobsMissing`
 */
export async function gather(
  trx: Transaction,
  repository: Repository,
  digest: Digest,
  quotas: Quotas,
  now: number,
): Promise<Gathering> {
  const asked = await unitOf(trx, repository, digest, now)
  const place = inRepository(repository)
  if (!asked.images.has(digest)) throw refuseDeleted('DeletedImageNotFound', { ...place, digest })
  if (asked.missing.length > 0) throw refuse('ReferencedManifestsMissing', { ...place, digests: asked.missing })
  const unlinked = await findUnlinked(trx, repository, [...asked.images.keys()])
  if (unlinked.length > 0) throw refuse('ReferencedBlobsMissing', { ...place, digests: unlinked })

  const images = new Map(asked.images)
  const left: Digest[] = []
  let room: number | undefined
  for (let subjects = [...images.keys()]; subjects.length > 0; ) {
    const found: Digest[] = []
    for (const referrer of await findReferrers(trx, repository, subjects, now)) {
      if (images.has(referrer)) continue
      room ??=
        quotas.images - (await countImages(trx, repository)) - (await countAbsent(trx, repository, [...images.keys()]))
      const unit = await unitOf(trx, repository, referrer, now)
      const more = [...unit.images.keys()].filter((each) => !images.has(each))
      const added = await countAbsent(trx, repository, more)
      if (
        added > room ||
        !(await isWhole(trx, repository, unit)) ||
        !(await haveRoomForTags(trx, repository, unit, quotas))
      ) {
        left.push(referrer)
        continue
      }
      room -= added
      for (const [each, image] of unit.images) images.set(each, image)
      found.push(...more)
    }
    subjects = found
  }
  return { images, left }
}

/** An image that comes back whole or not at all. */
interface Unit {
  /** It, and what of the bin it refers to. */
  readonly images: Gathered
  /** To what it refers and what is neither there nor in the bin. */
  readonly missing: readonly Digest[]
}

async function unitOf(trx: Transaction, repository: Repository, digest: Digest, now: number): Promise<Unit> {
  const images = new Map<Digest, DeletedImage & { readonly status: string }>()
  const missing: Digest[] = []
  const waiting = [digest]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (images.has(next) || missing.includes(next)) continue
    const row = await selectDeleted(trx, repository.id, now).where('digest', '=', next).executeTakeFirst()
    if (row === undefined) {
      missing.push(next)
      continue
    }
    images.set(next, { ...parseDeleted(row), status: row.status })
    waiting.push(...(await findAbsentChildren(trx, repository, next)))
  }
  return { images, missing }
}

async function isWhole(trx: Transaction, repository: Repository, { images, missing }: Unit): Promise<boolean> {
  return missing.length === 0 && (await findUnlinked(trx, repository, [...images.keys()])).length === 0
}

/** An image that was pushed again meanwhile has other tags by now. */
async function haveRoomForTags(trx: Transaction, repository: Repository, { images }: Unit, quotas: Quotas) {
  for (const [digest, { tags }] of images) {
    if (tags.length > 0 && !(await hasRoom(quotas, 'tags', tagsOf(trx, repository, digest), tags.length))) return false
  }
  return true
}

/**
 * Those in the bin that went because these subjects did. What a person deleted by itself, before or after, stays deleted; a policy takes
 * none of them while its subject is there.
 */
async function findReferrers(
  trx: Transaction,
  { id }: Repository,
  subjects: readonly Digest[],
  now: number,
): Promise<Digest[]> {
  const rows = await selectDeleted(trx, id, now)
    .where('subject', 'in', subjects)
    .where('cause', '!=', 'delete')
    .orderBy('digest')
    .execute()
  return rows.map(({ digest }) => parseDigest(digest))
}

/** What an index refers to, of what is not there. */
async function findAbsentChildren(trx: Transaction, { id }: Repository, index: Digest): Promise<Digest[]> {
  const rows = await trx
    .selectFrom('deleted_image_reference as reference')
    .select('reference.child')
    .where('reference.repository_id', '=', id)
    .where('reference.parent', '=', index)
    .where('reference.kind', '=', 'manifest')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('manifest')
            .select('manifest.digest')
            .where('manifest.repository_id', '=', id)
            .whereRef('manifest.digest', '=', 'reference.child'),
        ),
      ),
    )
    .execute()
  return rows.map(({ child }) => parseDigest(child))
}

/**
 * Some of the blobs without which these images must not come back. The bin keeps the links of what is in it. A foreign layer may never
 * have been linked, and its image comes back without it.
 */
async function findUnlinked(trx: Transaction, { id }: Repository, parents: readonly Digest[]): Promise<Digest[]> {
  const rows = await trx
    .selectFrom('deleted_image_reference as reference')
    .select('reference.child')
    .distinct()
    .where('reference.repository_id', '=', id)
    .where('reference.parent', 'in', parents)
    .where('reference.kind', 'not in', ['manifest', 'foreign'])
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('repository_blob as link')
            .select('link.digest')
            .where('link.repository_id', '=', id)
            .whereRef('link.digest', '=', 'reference.child'),
        ),
      ),
    )
    .limit(10)
    .execute()
  return rows.map(({ child }) => parseDigest(child))
}

async function countImages(trx: Transaction, { id }: Repository): Promise<number> {
  const { count } = await trx
    .selectFrom('manifest')
    .select((of) => of.fn.countAll<number>().as('count'))
    .where('repository_id', '=', id)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Of these images those that are not there. */
async function countAbsent(trx: Transaction, { id }: Repository, digests: readonly Digest[]): Promise<number> {
  // PostgreSQL has no empty list.
  if (digests.length === 0) return 0
  const { count } = await trx
    .selectFrom('manifest')
    .select((of) => of.fn.countAll<number>().as('count'))
    .where('repository_id', '=', id)
    .where('digest', 'in', digests)
    .executeTakeFirstOrThrow()
  return digests.length - Number(count)
}
