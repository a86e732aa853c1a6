import { type SelectQueryBuilder, sql } from 'kysely'
import type { Transaction } from '#metadata/metadata.ts'
import type { Schema } from '#metadata/schema.ts'
import type { Registry } from '#names/registry.ts'
import { refuse, type StorageQuota } from './refusals.ts'
import type { Repository } from './repository.ts'
import { readStorageUsage } from './storage-usage.ts'

/**
 * How many uploads a registry may have open, and how many bytes it and its account may store. What counts is the bytes of linked blobs, of
 * manifests and of open uploads. Bytes are reserved before they are written, so that any number of uploads at once keeps within a quota.
 *
 * Blob push is a hot path: without a quota of bytes nothing here is read or locked but the count of open uploads.
 */
export interface StorageQuotas {
  /**
   * After an upload to the repository was added, in the same transaction. One repository has no more open uploads than it leaves for others
   * of its registry: a client that may push to one repository does not keep the others from pushing.
   *
   * @throws Refusal `StorageQuotaExceeded`
   */
  requireUploads(trx: Transaction, repository: Repository): Promise<void>
  /**
   * Reserves room for an upload up to `bytes` in all, for what it holds already and what comes. Locks the account, as the last lock of the
   * transaction but for the upload's row.
   *
   * @throws Refusal `StorageQuotaExceeded` also if there is no room for `expected` bytes in all
   */
  reserve(trx: Transaction, registry: Registry, upload: string, room: Room): Promise<void>
  /** After bytes were stored, in the same transaction: the quotas of bytes hold. Locks as `reserve`. @throws Refusal `StorageQuotaExceeded` */
  requireStored(trx: Transaction, registry: Registry): Promise<void>
  /** Whether there is a quota of bytes, so that room must be reserved. */
  readonly countsBytes: boolean
}

interface Room {
  readonly bytes: number
  readonly expected: number
}

/** Infinity sets none. */
export type StorageLimits = Readonly<Record<StorageQuota, number>>

/** So many transactions at once may add an upload without seeing one another: near the quota they take a lock. */
const margin = 256

export function createStorageQuotas(limits: StorageLimits): StorageQuotas {
  const { openUploads, openUploadBytes, bytesPerRegistry, bytesPerAccount } = limits
  const countsBytes = Math.min(openUploadBytes, bytesPerRegistry, bytesPerAccount) !== Number.POSITIVE_INFINITY

  function exceeded(registry: Registry, quota: StorageQuota) {
    return refuse('StorageQuotaExceeded', { registry, quota, limit: limits[quota] })
  }

  function selectUploads(trx: Transaction, { account, region }: Registry) {
    return trx.selectFrom('upload').where('account', '=', account).where('region', '=', region)
  }

  async function requireRoom(trx: Transaction, registry: Registry, more: number) {
    const usage = await readStorageUsage(trx, registry.account)
    const here = usage.find(({ region }) => region === registry.region)
    const { storedBytes = 0, uploadBytes = 0 } = here ?? {}
    const inAccount = usage.reduce((sum, of) => sum + of.storedBytes + of.uploadBytes, 0)
    if (storedBytes + uploadBytes + more > bytesPerRegistry) throw exceeded(registry, 'bytesPerRegistry')
    if (inAccount + more > bytesPerAccount) throw exceeded(registry, 'bytesPerAccount')
    return { uploadBytes }
  }

  return {
    countsBytes,

    async requireUploads(trx, { id, name, registry }) {
      const few = Math.max(0, Math.floor(openUploads / 2) - margin)
      const { account, region } = registry
      const { rows: beyond } = await sql`
        select id from upload where account = ${account} and region = ${region} limit 1 offset ${few}`.execute(trx)
      if (beyond.length === 0) return
      await lockAccount(trx, registry)
      const all = await countOf(selectUploads(trx, registry))
      if (all > openUploads) throw exceeded(registry, 'openUploads')
      const own = await countOf(trx.selectFrom('upload').where('repository_id', '=', id))
      const left = openUploads - all + 1
      if (own <= left) return
      throw refuse('StorageQuotaExceeded', { registry, repository: name, quota: 'openUploads', limit: left })
    },

    async reserve(trx, registry, upload, { bytes, expected }) {
      await lockAccount(trx, registry)
      const own = await trx.selectFrom('upload').select('held').where('id', '=', upload).executeTakeFirst()
      const held = own?.held ?? 0
      const more = expected - held
      if (more <= 0) return
      const { uploadBytes } = await requireRoom(trx, registry, more)
      if (uploadBytes + more > openUploadBytes) throw exceeded(registry, 'openUploadBytes')
      if (bytes <= held) return
      await trx.updateTable('upload').set({ held: bytes }).where('id', '=', upload).execute()
    },

    async requireStored(trx, registry) {
      if (!countsBytes) return
      await lockAccount(trx, registry)
      await requireRoom(trx, registry, 0)
    },
  }
}

async function countOf(query: SelectQueryBuilder<Schema, 'upload', object>): Promise<number> {
  const row = await query.select(({ fn }) => fn.countAll<number | string>().as('count')).executeTakeFirst()
  return Number(row?.count ?? 0)
}

/** Of transactions that reserve in one account, each sees what those before it reserved. */
async function lockAccount(trx: Transaction, { account }: Registry): Promise<void> {
  await trx
    .insertInto('registry_usage')
    .values({ account, region: '', shard: 0, bytes: 0 })
    .onConflict((conflict) => conflict.columns(['account', 'region', 'shard']).doNothing())
    .execute()
  await trx
    .selectFrom('registry_usage')
    .select('bytes')
    .where('account', '=', account)
    .where('region', '=', '')
    .forUpdate()
    .execute()
}
