import assert from 'node:assert/strict'
import type { BlobReader, BlobStore } from '#blobs/store.ts'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { refuse } from './refusals.ts'
import { getRepository, inRepository, lockRepository, type Repository, type RepositoryKey } from './repository.ts'

/**
 * Blobs as a repository shows them: a blob is stored once, and a repository serves only those that are linked to it. Reading is
 * compiled once and flat: `bench` figure "blob GET".
 */
export interface LinkedBlobs {
  /** @throws Refusal `RepositoryNotFound`, `BlobNotFound` */
  stat(key: RepositoryKey, digest: Digest): Promise<{ readonly sizeBytes: number }>
  /** Open for reading; the caller closes it. @throws Refusal `RepositoryNotFound`, `BlobNotFound` */
  open(key: RepositoryKey, digest: Digest): Promise<BlobReader>
  /** What the repository has of these blobs; those it lacks are left out. @throws Refusal `RepositoryNotFound` */
  availability(key: RepositoryKey, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, AvailableBlob>>
  /**
   * Whether a manifest of the repository refers to it, which ECR asks of a layer before it hands out a URL.
   *
   * @throws Refusal `RepositoryNotFound`, `BlobNotFound`, `BlobInaccessible`
   */
  requireReferenced(key: RepositoryKey, digest: Digest): Promise<void>
  /**
   * Links a blob of another repository of the registry. `false` where that repository does not have it.
   *
   * @throws Refusal `RepositoryNotFound` for the target
   */
  mount(key: RepositoryKey, digest: Digest, from: RepositoryKey): Promise<boolean>
  /** Takes the link away; the bytes go when nothing links them. @throws Refusal `RepositoryNotFound`, `BlobNotFound`, `BlobReferenced` */
  unlink(key: RepositoryKey, digest: Digest): Promise<void>
}

export interface AvailableBlob {
  readonly sizeBytes: number
  /** Known once a manifest refers to it. */
  readonly mediaType: string | undefined
}

type ByDigest = { account: string; region: string; name: string; digest: string }

export function createLinkedBlobs({
  metadata,
  blobs,
  clock,
}: {
  metadata: Metadata
  blobs: BlobStore
  clock: Clock
}): LinkedBlobs {
  const findLink = metadata.prepare<ByDigest, { size: number }>((db, p) =>
    db
      .selectFrom('repository')
      .innerJoin('repository_blob', 'repository_blob.repository_id', 'repository.id')
      .innerJoin('blob', 'blob.digest', 'repository_blob.digest')
      .select('blob.size')
      .where('repository.account', '=', p('account'))
      .where('repository.region', '=', p('region'))
      .where('repository.name', '=', p('name'))
      .where('repository_blob.digest', '=', p('digest')),
  )

  async function stat(key: RepositoryKey, digest: Digest): Promise<{ sizeBytes: number }> {
    const { account, region } = key.registry
    const [link] = await findLink({ account, region, name: key.name, digest })
    if (link !== undefined) return { sizeBytes: link.size }
    await getRepository(metadata.reader, key)
    throw refuse('BlobNotFound', { ...inRepository(key), digest })
  }

  return {
    stat,

    async open(key, digest) {
      const { sizeBytes } = await stat(key, digest)
      const reader = await blobs.open(digest)
      assert(reader !== undefined, `${digest} is linked but not stored`)
      if (reader.sizeBytes === sizeBytes) return reader
      await reader.close()
      assert.fail(`${digest} is stored with ${reader.sizeBytes} bytes instead of ${sizeBytes}`)
    },

    async availability(key, digests) {
      const { id } = await getRepository(metadata.reader, key)
      if (digests.length === 0) return new Map()
      const rows = await metadata.reader
        .selectFrom('repository_blob')
        .innerJoin('blob', 'blob.digest', 'repository_blob.digest')
        .select(['blob.digest', 'blob.size'])
        .where('repository_blob.repository_id', '=', id)
        .where('repository_blob.digest', 'in', [...digests])
        .execute()
      const types = await metadata.reader
        .selectFrom('manifest_reference')
        .select(({ fn }) => ['child', fn.min('media_type').as('media_type')])
        .where('repository_id', '=', id)
        .where('child', 'in', [...digests])
        .groupBy('child')
        .execute()
      const mediaTypes = new Map(types.map(({ child, media_type }) => [child, media_type]))
      return new Map(
        rows.map(({ digest, size }) => [parseDigest(digest), { sizeBytes: size, mediaType: mediaTypes.get(digest) }]),
      )
    },

    async requireReferenced(key, digest) {
      await stat(key, digest)
      const { id } = await getRepository(metadata.reader, key)
      const parent = await metadata.reader
        .selectFrom('manifest_reference')
        .select('parent')
        .where('repository_id', '=', id)
        .where('child', '=', digest)
        .limit(1)
        .executeTakeFirst()
      if (parent === undefined) throw refuse('BlobInaccessible', { ...inRepository(key), digest })
    },

    mount: (key, digest, from) =>
      metadata.transaction(async (trx) => {
        const target = await lockRepository(trx, key, 'shared')
        const source = await trx
          .selectFrom('repository')
          .innerJoin('repository_blob', 'repository_blob.repository_id', 'repository.id')
          .select('repository.id')
          .where('repository.account', '=', from.registry.account)
          .where('repository.region', '=', from.registry.region)
          .where('repository.name', '=', from.name)
          .where('repository_blob.digest', '=', digest)
          .forShare()
          .executeTakeFirst()
        if (source === undefined) return false
        await linkBlob(trx, target, digest, clock())
        return true
      }),

    unlink: (key, digest) =>
      metadata.transaction(async (trx) => {
        const { id } = await lockRepository(trx, key, 'exclusive')
        const parent = await trx
          .selectFrom('manifest_reference')
          .select('parent')
          .where('repository_id', '=', id)
          .where('child', '=', digest)
          .where('kind', '!=', 'manifest')
          .limit(1)
          .executeTakeFirst()
        if (parent !== undefined) {
          throw refuse('BlobReferenced', { ...inRepository(key), digest, manifest: parseDigest(parent.parent) })
        }
        const { numDeletedRows } = await trx
          .deleteFrom('repository_blob')
          .where('repository_id', '=', id)
          .where('digest', '=', digest)
          .executeTakeFirst()
        if (numDeletedRows === 0n) throw refuse('BlobNotFound', { ...inRepository(key), digest })
      }),
  }
}

/** Makes a stored blob visible in a repository whose lock the transaction holds. False if it was so before. */
export async function linkBlob(trx: Transaction, { id }: Repository, digest: Digest, now: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('repository_blob')
    .values({ repository_id: id, digest, linked_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}
