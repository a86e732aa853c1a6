import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseMediaType } from '#names/media-type.ts'
import type { StoredManifest } from '#registry/image.ts'
import type { Manifest } from '#registry/manifest.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import type { CacheRule } from './cache-rules.ts'

/**
 * Manifests of upstreams that refer to content which is still on its way. A manifest becomes an image once all that it refers to is here
 * (ARCHITECTURE.md, invariants); until then its bytes are served from these rows.
 */
export interface PendingManifest extends StoredManifest {
  /** The path of the repository upstream. */
  readonly upstreamName: string
  /** The ARN of the principal that pulled it first. */
  readonly by: string
  /** Whether its content failed to come, and is not on its way. */
  readonly isFailing: boolean
}

/** A manifest as an upstream sent it. */
export interface ArrivedManifest {
  readonly digest: Digest
  readonly manifest: Manifest
  readonly body: Uint8Array
  /** The rule by which it came. */
  readonly rule: CacheRule
  readonly upstreamName: string
  readonly by: string
}

/** Content that a pending manifest refers to. */
export interface PendingReference {
  readonly digest: Digest
  readonly kind: 'config' | 'layer' | 'foreign' | 'manifest'
  readonly sizeBytes: number | undefined
}

export interface PendingManifests {
  find(key: RepositoryKey, digest: Digest): Promise<PendingManifest | undefined>
  /** A blob that pending manifests of the repository refer to. A foreign layer is none: its publisher hands it out. */
  findBlob(key: RepositoryKey, digest: Digest): Promise<{ readonly sizeBytes: number | undefined } | undefined>
  /** Whether pending indexes of the repository refer to a manifest. */
  isChild(key: RepositoryKey, digest: Digest): Promise<boolean>
}

type ByDigest = { account: string; region: string; name: string; digest: string }

export function createPendingManifests({ metadata }: { readonly metadata: Metadata }): PendingManifests {
  const findByDigest = metadata.prepare<ByDigest, PendingRow>((db, p) =>
    db
      .selectFrom('repository')
      .innerJoin('pending_manifest', 'pending_manifest.repository_id', 'repository.id')
      .select(pendingColumns)
      .where('repository.account', '=', p('account'))
      .where('repository.region', '=', p('region'))
      .where('repository.name', '=', p('name'))
      .where('pending_manifest.digest', '=', p('digest')),
  )

  function selectReference({ registry: { account, region }, name }: RepositoryKey, child: Digest) {
    return metadata.reader
      .selectFrom('repository')
      .innerJoin('pending_reference', 'pending_reference.repository_id', 'repository.id')
      .select('pending_reference.size')
      .where('repository.account', '=', account)
      .where('repository.region', '=', region)
      .where('repository.name', '=', name)
      .where('pending_reference.child', '=', child)
  }

  return {
    async find({ registry: { account, region }, name }, digest) {
      const [row] = await findByDigest({ account, region, name, digest })
      return row && pendingOf(row)
    },

    async findBlob(key, digest) {
      const row = await selectReference(key, digest)
        .where('pending_reference.kind', 'in', ['config', 'layer'])
        .executeTakeFirst()
      return row && { sizeBytes: row.size ?? undefined }
    },

    async isChild(key, digest) {
      const child = selectReference(key, digest).where('pending_reference.kind', '=', 'manifest')
      return (await child.executeTakeFirst()) !== undefined
    },
  }
}

const pendingColumns = [
  'pending_manifest.digest',
  'pending_manifest.media_type',
  'pending_manifest.body',
  'pending_manifest.upstream_name',
  'pending_manifest.requested_by',
  'pending_manifest.failed_at',
] as const

interface PendingRow {
  readonly digest: string
  readonly media_type: string
  readonly body: Uint8Array
  readonly upstream_name: string
  readonly requested_by: string
  readonly failed_at: number | null
}

function pendingOf(row: PendingRow): PendingManifest {
  return {
    digest: parseDigest(row.digest),
    mediaType: parseMediaType(row.media_type),
    body: row.body,
    upstreamName: row.upstream_name,
    by: row.requested_by,
    isFailing: row.failed_at !== null,
  }
}

/** Of the repository with that number. */
export async function readPending(
  reader: Reader,
  repositoryId: number,
  digest: Digest,
): Promise<PendingManifest | undefined> {
  const row = await reader
    .selectFrom('pending_manifest')
    .select(pendingColumns)
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst()
  return row && pendingOf(row)
}

export async function readReferences(
  reader: Reader,
  repositoryId: number,
  parent: Digest,
): Promise<PendingReference[]> {
  const rows = await reader
    .selectFrom('pending_reference')
    .select(['child', 'kind', 'size'])
    .where('repository_id', '=', repositoryId)
    .where('parent', '=', parent)
    .execute()
  return rows.map(({ child, kind, size }) => ({
    digest: parseDigest(child),
    // Written by this file alone.
    kind: kind as PendingReference['kind'],
    sizeBytes: size ?? undefined,
  }))
}

/** Keeps a manifest until its content is here. One that is kept already stays, and counts as failing no more. */
export async function keepPending(
  trx: Transaction,
  repositoryId: number,
  { digest, manifest, body, rule, upstreamName, by }: ArrivedManifest,
  now: number,
): Promise<void> {
  await trx
    .insertInto('pending_manifest')
    .values({
      ...{ repository_id: repositoryId, digest, media_type: manifest.mediaType, body },
      ...{ upstream_url: rule.upstreamUrl, upstream_name: upstreamName, requested_by: by },
      ...{ fetched_at: now, failed_at: null, failure: null, referrers_checked_at: null },
    })
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'digest']).doUpdateSet({ failed_at: null, failure: null }),
    )
    .execute()
  const children = [
    ...manifest.blobs.map(({ digest, kind, size }) => ({ child: digest, kind, size: size ?? null })),
    ...manifest.manifests.map(({ digest, size }) => ({ child: digest, kind: 'manifest', size: size ?? null })),
  ]
  for (let at = 0; at < children.length; at += rowsAtOnce) {
    await trx
      .insertInto('pending_reference')
      .values(
        children.slice(at, at + rowsAtOnce).map((child) => ({ repository_id: repositoryId, parent: digest, ...child })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
}

const rowsAtOnce = 500

export async function dropPending(trx: Transaction, repositoryId: number, digest: Digest): Promise<void> {
  await trx
    .deleteFrom('pending_manifest')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .execute()
}

/** Says why a manifest's content cannot be had now. Answers whether it was not failing before. */
export async function markFailing(
  trx: Transaction,
  repositoryId: number,
  digest: Digest,
  { failure, now }: { readonly failure: string; readonly now: number },
): Promise<boolean> {
  const row = trx
    .updateTable('pending_manifest')
    .set({ failed_at: now, failure })
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
  const { numUpdatedRows } = await row.where('failed_at', 'is', null).executeTakeFirst()
  if (numUpdatedRows > 0n) return true
  await row.execute()
  return false
}

/** As `markArriving`, of one that failed before a time. */
export async function retryFailed(
  trx: Transaction,
  repositoryId: number,
  digest: Digest,
  before: number,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('pending_manifest')
    .set({ failed_at: null, failure: null })
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .where('failed_at', '<', before)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Its content is tried again. False where the manifest does not wait for any. */
export async function markArriving(trx: Transaction, repositoryId: number, digest: Digest): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('pending_manifest')
    .set({ failed_at: null, failure: null })
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}
