import type { Reader, Transaction } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'
import { inParts } from './copying/parts.ts'
import type { Repository } from './repository.ts'

/** Which images came from other registries. A row outlives its image, so that the registry knows what it had. */
export interface Replica {
  readonly digest: Digest
  readonly source: Registry
  /** When it was pushed to the source, by the clock there. Milliseconds since the epoch. */
  readonly pushedAt: number
}

/** To be called with images that the repository has only since this transaction. Requires the exclusive lock. */
export async function recordReplicas(
  trx: Transaction,
  { id }: Repository,
  replicas: readonly Replica[],
  at: number,
): Promise<void> {
  if (replicas.length === 0) return
  await trx
    .insertInto('replica')
    .values(
      replicas.map(({ digest, source, pushedAt }) => ({
        ...{ repository_id: id, digest, source_account: source.account, source_region: source.region },
        ...{ pushed_at: pushedAt, arrived_at: at },
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'digest']).doUpdateSet(({ ref }) => ({
        ...{ source_account: ref('excluded.source_account'), source_region: ref('excluded.source_region') },
        ...{ pushed_at: ref('excluded.pushed_at'), arrived_at: ref('excluded.arrived_at') },
      })),
    )
    .execute()
}

/** To be called by transactions that store images which clients pushed: these are replicas no more. */
export async function forgetReplica(trx: Transaction, { id }: Repository, digest: Digest): Promise<void> {
  await trx.deleteFrom('replica').where('repository_id', '=', id).where('digest', '=', digest).execute()
}

export interface FoundReplica extends Replica {
  readonly arrivedAt: number
}

export async function findReplica(
  reader: Reader,
  { id }: Pick<Repository, 'id'>,
  digest: Digest,
): Promise<FoundReplica | undefined> {
  const row = await reader
    .selectFrom('replica')
    .selectAll()
    .where('repository_id', '=', id)
    .where('digest', '=', digest)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const source = { account: parseAccountId(row.source_account), region: parseRegion(row.source_region) }
  return { digest, source, pushedAt: row.pushed_at, arrivedAt: row.arrived_at }
}

/** Those of these images that came by replication. */
export async function findReplicas(
  reader: Reader,
  { id }: Pick<Repository, 'id'>,
  digests: readonly Digest[],
): Promise<ReadonlySet<Digest>> {
  const rows = await inParts(digests, (some) =>
    reader.selectFrom('replica').select('digest').where('repository_id', '=', id).where('digest', 'in', some).execute(),
  )
  return new Set(rows.map(({ digest }) => parseDigest(digest)))
}
