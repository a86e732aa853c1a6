import type { BlobReader, BlobStore } from '#blobs/store.ts'
import type { Clock } from '#lib/clock.ts'
import type { Refusal } from '#lib/refusal.ts'
import type { Metadata, Parameter, Reader, Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { readAccountSetting } from './account-settings.ts'
import { closed, linkBlob } from './blob-links.ts'
import { noteBlobs, renewedAfterMs, renewLinks } from './collectable.ts'
import type { ImageStatus } from './image.ts'
import type { Puller } from './puller.ts'
import { refuse } from './refusals.ts'
import { getRepository, inRepository, lockRepository, type RepositoryKey } from './repository.ts'
import { selectServed } from './served-blobs.ts'
import { uncountLinks } from './storage-usage.ts'

/**
 * Blobs as a repository shows them: a blob is stored once, and a repository serves only those that are linked to it. One that is
 * linked but missing from the store, of another size, or in quarantine (`scrub/blobs.ts`) counts as not there wherever a client asks for
 * it, so that the next push uploads it again and heals it. (A manifest that refers to it is refused only once it is in quarantine, since
 * that is checked in SQL alone.) Reading is compiled once and flat: `bench` figure "blob GET".
 */
export interface LinkedBlobs {
  /** @throws Refusal `RepositoryNotFound`, `BlobNotFound` */
  stat(key: RepositoryKey, digest: Digest, by: Puller): Promise<{ readonly sizeBytes: number }>
  /** Open for reading, unless it was only needed by what was deleted (`blob-links.ts`); the caller closes it. @throws Refusal `RepositoryNotFound`, `BlobNotFound` */
  open(key: RepositoryKey, digest: Digest, by: Puller): Promise<BlobReader>
  /** What the repository has of these blobs; those it lacks are left out. @throws Refusal `RepositoryNotFound` */
  availability(key: RepositoryKey, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, AvailableBlob>>
  /**
   * Whether a manifest of the repository that can be pulled refers to it, which ECR asks of a layer before it hands out a URL.
   *
   * @throws Refusal `RepositoryNotFound`, `BlobNotFound`, `BlobInaccessible`
   */
  requireReferenced(key: RepositoryKey, digest: Digest, by: Puller): Promise<void>
  /**
   * Links a blob of another repository of the registry. `false` where that cannot be, by ECR's rules (user guide, "Cross-repository
   * layer sharing"): the registry's setting BLOB_MOUNTING is on, both repositories have one encryption, and an image of the other
   * refers to the blob.
   *
   * @throws Refusal `RepositoryNotFound` for the target
   */
  mount(key: RepositoryKey, digest: Digest, from: RepositoryKey): Promise<boolean>
  /**
   * As `mount` whether the setting is on or not, for an account that replicates: an image of the other repository that came from that
   * account refers to the blob.
   *
   * @throws Refusal `RepositoryNotFound` for the target
   */
  mountReplicated(key: RepositoryKey, digest: Digest, from: RepositoryKey, source: AccountId): Promise<boolean>
  /** Takes the link away; the bytes go when nothing links them. @throws Refusal `RepositoryNotFound`, `BlobNotFound`, `BlobReferenced` */
  unlink(key: RepositoryKey, digest: Digest): Promise<void>
}

export interface AvailableBlob {
  readonly sizeBytes: number
  /** Known once a manifest refers to it. */
  readonly mediaType: string | undefined
  /** Whether manifests refer to it, and all of them are archived. */
  readonly archived: boolean
}

/** What the store has of a blob of `sizeBytes` instead; `undefined` if nothing. */
export interface Damage {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly storedBytes: number | undefined
}

interface Link {
  readonly size: number
  readonly since: number | null
}

interface FoundLink {
  readonly sizeBytes: number
  /** Since when it is a candidate for collection, if it is. */
  readonly since: number | undefined
}

type ByDigest = { account: string; region: string; name: string; digest: string }

export function createLinkedBlobs({
  metadata,
  blobs,
  clock,
  gcGraceHours,
  onDamage,
}: {
  metadata: Metadata
  blobs: BlobStore
  clock: Clock
  /** For how long a link stays that no manifest needs. */
  gcGraceHours: number
  /** Hears of each request for a linked blob that the store does not have as it was stored. */
  onDamage: (damage: Damage) => void
}): LinkedBlobs {
  const findLink = metadata.prepare<ByDigest, Link>((db, p) =>
    selectLink(db, p)
      .leftJoin('link_candidate', (join) =>
        join
          .onRef('link_candidate.repository_id', '=', 'repository_blob.repository_id')
          .onRef('link_candidate.digest', '=', 'repository_blob.digest'),
      )
      .select(['blob.size', 'link_candidate.since']),
  )
  const findReadable = metadata.prepare<ByDigest, { readonly size: number }>((db, p) =>
    selectLink(db, p)
      .select('blob.size')
      .where(({ eb, exists, selectFrom }) =>
        eb('repository_blob.linked_at', '!=', closed).or(
          exists(
            selectFrom('manifest_reference')
              .select('child')
              .whereRef('manifest_reference.repository_id', '=', 'repository_blob.repository_id')
              .whereRef('manifest_reference.child', '=', 'repository_blob.digest')
              .where('manifest_reference.kind', '!=', 'manifest'),
          ),
        ),
      ),
  )

  async function findLinked(key: RepositoryKey, digest: Digest): Promise<FoundLink | undefined> {
    const { account, region } = key.registry
    const [link] = await findLink({ account, region, name: key.name, digest })
    return link && { sizeBytes: link.size, since: link.since ?? undefined }
  }

  /** Whoever is told that a blob is there does not send it, and may push the manifest only hours later. */
  async function renew(key: RepositoryKey, digests: readonly Digest[]): Promise<void> {
    await metadata.transaction(async (trx) => {
      const { id } = await lockRepository(trx, key, 'shared')
      await renewLinks(trx, id, digests, clock())
    })
  }

  function isOld(since: number | undefined): boolean {
    return since !== undefined && since < clock() - renewedAfterMs(gcGraceHours)
  }

  async function notFound(key: RepositoryKey, digest: Digest): Promise<Refusal> {
    await getRepository(metadata.reader, key)
    return refuse('BlobNotFound', { ...inRepository(key), digest })
  }

  async function isIntact(digest: Digest, sizeBytes: number): Promise<boolean> {
    const stored = await blobs.stat(digest)
    if (stored?.sizeBytes === sizeBytes) return true
    onDamage({ digest, sizeBytes, storedBytes: stored?.sizeBytes })
    return false
  }

  async function stat(key: RepositoryKey, digest: Digest): Promise<{ sizeBytes: number }> {
    let link = await findLinked(key, digest)
    if (isOld(link?.since)) {
      await renew(key, [digest])
      link = await findLinked(key, digest)
    }
    if (link === undefined || !(await isIntact(digest, link.sizeBytes))) throw await notFound(key, digest)
    return { sizeBytes: link.sizeBytes }
  }

  /** Links a blob of another repository with the same encryption, if that repository is one to mount from. */
  async function linkFrom(
    key: RepositoryKey,
    digest: Digest,
    from: RepositoryKey,
    isEligible: (trx: Transaction, repositoryId: number) => Promise<boolean>,
  ): Promise<boolean> {
    const linked = await findLinked(from, digest)
    const intact = linked !== undefined && (await isIntact(digest, linked.sizeBytes))
    return metadata.transaction(async (trx) => {
      const target = await lockRepository(trx, key, 'shared')
      if (!intact) return false
      // A transaction that unlinks holds the repository alone, so the repository's lock keeps the link. A lock on the link would be out of order.
      const source = await trx
        .selectFrom('repository')
        .innerJoin('repository_blob', 'repository_blob.repository_id', 'repository.id')
        .select('repository.id')
        .where('repository.account', '=', from.registry.account)
        .where('repository.region', '=', from.registry.region)
        .where('repository.name', '=', from.name)
        .where('repository.encryption_type', '=', target.encryption.type)
        .where(({ fn, val }) => fn.coalesce('repository.kms_key', val('')), '=', target.encryption.kmsKey ?? '')
        .where('repository_blob.digest', '=', digest)
        .forShare('repository')
        .executeTakeFirst()
      if (source === undefined || !(await isEligible(trx, source.id))) return false
      await linkBlob(trx, target, digest, clock())
      return true
    })
  }

  return {
    stat,

    async open(key, digest) {
      const { account, region } = key.registry
      const [link] = await findReadable({ account, region, name: key.name, digest })
      if (link === undefined) throw await notFound(key, digest)
      const sizeBytes = link.size
      const reader = await blobs.open(digest)
      if (reader?.sizeBytes === sizeBytes) return reader
      await reader?.close()
      onDamage({ digest, sizeBytes, storedBytes: reader?.sizeBytes })
      throw await notFound(key, digest)
    },

    async availability(key, digests) {
      const { id } = await getRepository(metadata.reader, key)
      if (digests.length === 0) return new Map()
      const noted = await metadata.reader
        .selectFrom('link_candidate')
        .select('since')
        .where('repository_id', '=', id)
        .where('digest', 'in', [...digests])
        .execute()
      if (noted.some(({ since }) => isOld(since))) await renew(key, digests)
      const rows = await selectServed(metadata.reader, id, digests).execute()
      const references = await selectParents(metadata.reader, id)
        .select(({ fn }) => [
          'manifest_reference.child',
          fn.min('manifest_reference.media_type').as('media_type'),
          // 'ACTIVE' comes before 'ARCHIVED'.
          fn.min('manifest.status').as('status'),
        ])
        .where('manifest_reference.child', 'in', [...digests])
        .groupBy('manifest_reference.child')
        .execute()
      const referred = new Map(references.map((reference) => [reference.child, reference]))
      const available = new Map<Digest, AvailableBlob>()
      for (const row of rows) {
        const digest = parseDigest(row.digest)
        if (!(await isIntact(digest, row.size))) continue
        const { media_type: mediaType, status } = referred.get(digest) ?? {}
        available.set(digest, { sizeBytes: row.size, mediaType, archived: status === 'ARCHIVED' })
      }
      return available
    },

    async requireReferenced(key, digest) {
      await stat(key, digest)
      const { id } = await getRepository(metadata.reader, key)
      const status = await findStatusOfParents(metadata.reader, id, digest)
      if (status !== 'ACTIVE')
        throw refuse('BlobInaccessible', { ...inRepository(key), digest, archived: status !== undefined })
    },

    async mount(key, digest, from) {
      if ((await readAccountSetting(metadata.reader, key.registry, 'BLOB_MOUNTING')) === 'DISABLED') return false
      return linkFrom(key, digest, from, async (trx, id) => {
        return (await selectParent(trx, id, digest).executeTakeFirst()) !== undefined
      })
    },

    mountReplicated: (key, digest, from, source) =>
      linkFrom(key, digest, from, async (trx, id) => {
        const parent = await selectParents(trx, id)
          .innerJoin('replica', (join) =>
            join
              .onRef('replica.repository_id', '=', 'manifest.repository_id')
              .onRef('replica.digest', '=', 'manifest.digest'),
          )
          .select('manifest.digest')
          .where('manifest_reference.child', '=', digest)
          .where('replica.source_account', '=', source)
          .limit(1)
          .executeTakeFirst()
        return parent !== undefined
      }),

    unlink: (key, digest) =>
      metadata.transaction(async (trx) => {
        const { id } = await lockRepository(trx, key, 'exclusive')
        // Manifests may refer to a foreign layer that is not linked.
        const link = await trx
          .selectFrom('repository_blob')
          .select('digest')
          .where('repository_id', '=', id)
          .where('digest', '=', digest)
          .executeTakeFirst()
        if (link === undefined) throw refuse('BlobNotFound', { ...inRepository(key), digest })
        for (const references of ['manifest_reference', 'deleted_image_reference'] as const) {
          const parent = await selectParent(trx, id, digest, references)
            .where('kind', '!=', 'manifest')
            .executeTakeFirst()
          if (parent === undefined) continue
          const inBin = references === 'deleted_image_reference'
          throw refuse('BlobReferenced', { ...inRepository(key), digest, manifest: parseDigest(parent.parent), inBin })
        }
        await trx.deleteFrom('repository_blob').where('repository_id', '=', id).where('digest', '=', digest).execute()
        await uncountLinks(trx, id, [digest])
        await noteBlobs(trx, [digest], clock())
      }),
  }
}

/** The link that a repository has to a blob, unless that is in quarantine. */
function selectLink(db: Reader, p: Parameter<ByDigest>) {
  return db
    .selectFrom('repository')
    .innerJoin('repository_blob', 'repository_blob.repository_id', 'repository.id')
    .innerJoin('blob', 'blob.digest', 'repository_blob.digest')
    .where('repository.account', '=', p('account'))
    .where('repository.region', '=', p('region'))
    .where('repository.name', '=', p('name'))
    .where('repository_blob.digest', '=', p('digest'))
    .where('blob.quarantined_at', 'is', null)
}

/** `ACTIVE` if one of the manifests that refer to the blob is, `undefined` if there are none. */
export async function findStatusOfParents(
  reader: Reader,
  repositoryId: number,
  digest: Digest,
): Promise<ImageStatus | undefined> {
  const parent = await selectParents(reader, repositoryId)
    .select('manifest.status')
    .where('manifest_reference.child', '=', digest)
    // 'ACTIVE' comes before 'ARCHIVED'.
    .orderBy('manifest.status')
    .limit(1)
    .executeTakeFirst()
  return parent && (parent.status as ImageStatus)
}

/** The manifests of a repository, each with what it refers to. */
function selectParents(reader: Reader, repositoryId: number) {
  return reader
    .selectFrom('manifest_reference')
    .innerJoin('manifest', (join) =>
      join
        .onRef('manifest.repository_id', '=', 'manifest_reference.repository_id')
        .onRef('manifest.digest', '=', 'manifest_reference.parent'),
    )
    .where('manifest_reference.repository_id', '=', repositoryId)
}

/** One of the manifests that refer to it, or of those in the recycle bin. */
function selectParent(
  reader: Reader,
  repositoryId: number,
  digest: Digest,
  references: 'manifest_reference' | 'deleted_image_reference' = 'manifest_reference',
) {
  return reader
    .selectFrom(references)
    .select('parent')
    .where('repository_id', '=', repositoryId)
    .where('child', '=', digest)
    .limit(1)
}
