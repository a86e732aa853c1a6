import { randomInt } from 'node:crypto'
import { sql } from 'kysely'
import { slicesWithin } from '#lib/slices.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import type { AccountId } from '#names/account.ts'
import type { Digest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'

/**
 * How many bytes a registry stores: its blobs and its manifests. Each blob counts once, however many repositories of the registry link it, and
 * as long as one does. A manifest counts in each repository that has it. What the recycle bin has counts too. The transaction that makes or
 * removes a link or a manifest counts it.
 *
 * `registry_blob` counts the links of each blob. `registry_usage` has the sum of the bytes, in several rows that are added up: transactions
 * that link at once would wait for one another at a single row.
 */
const shards = 16

/** After a new link to a stored blob. As text, which costs a third of a built query (benchmark: small blob push). */
export async function countLink(trx: Transaction, { account, region }: Registry, digest: Digest): Promise<void> {
  const { rows } = await sql<{ links: number; size: number }>`
    insert into registry_blob (account, region, digest, links, size)
    select ${account}, ${region}, digest, 1, size from blob where digest = ${digest}
    on conflict (account, region, digest) do update set links = registry_blob.links + 1
    returning links, size`.execute(trx)
  const [counted] = rows
  if (counted?.links === 1) await addBytes(trx, { account, region }, counted.size)
}

/** After many new links to stored blobs, and after manifests came. In order of digest, as `uncountLinks` locks them too. */
export async function countStored(
  trx: Transaction,
  { account, region }: Registry,
  { linked, manifestBytes }: { readonly linked: readonly Digest[]; readonly manifestBytes: number },
): Promise<void> {
  let bytes = manifestBytes
  for (const some of slicesWithin(linked.toSorted(), linksAtOnce, () => 1)) {
    const counted = await trx
      .insertInto('registry_blob')
      .columns(['account', 'region', 'digest', 'links', 'size'])
      .expression((eb) =>
        eb
          .selectFrom('blob')
          .select([eb.val<string>(account).as('account'), eb.val<string>(region).as('region'), 'digest'])
          .select([sql<number>`cast(1 as bigint)`.as('links'), 'size'])
          .where('digest', 'in', some)
          .orderBy('digest'),
      )
      .onConflict((conflict) =>
        conflict.columns(['account', 'region', 'digest']).doUpdateSet({ links: sql<number>`registry_blob.links + 1` }),
      )
      .returning(['links', 'size'])
      .execute()
    for (const { links, size } of counted) if (links === 1) bytes += size
  }
  if (bytes !== 0) await addBytes(trx, { account, region }, bytes)
}

/** PostgreSQL takes 65,535 values in one statement. */
const linksAtOnce = 10_000

/** After links of a repository were removed, under its exclusive lock. */
export async function uncountLinks(trx: Transaction, repositoryId: number, digests: readonly string[]): Promise<void> {
  if (digests.length === 0) return
  const registry = await findRegistry(trx, repositoryId)
  const of = { account: registry?.account ?? '', region: registry?.region ?? '' }
  // All at once and in one order, so that of two transactions that lock several neither waits for the other in a circle.
  const rows = await trx
    .selectFrom('registry_blob')
    .select(['digest', 'links', 'size'])
    .where('account', '=', of.account)
    .where('region', '=', of.region)
    .where('digest', 'in', digests)
    .orderBy('digest')
    .forUpdate()
    .execute()
  const gone = rows.filter(({ links }) => links <= 1)
  const left = rows.filter(({ links }) => links > 1)
  if (left.length > 0) {
    await trx
      .updateTable('registry_blob')
      .set({ links: sql<number>`links - 1` })
      .where('account', '=', of.account)
      .where('region', '=', of.region)
      .where('digest', 'in', digestsOf(left))
      .execute()
  }
  if (gone.length === 0) return
  await trx
    .deleteFrom('registry_blob')
    .where('account', '=', of.account)
    .where('region', '=', of.region)
    .where('digest', 'in', digestsOf(gone))
    .execute()
  await addBytes(trx, of, -gone.reduce((sum, { size }) => sum + size, 0))
}

function digestsOf(rows: readonly { readonly digest: string }[]): string[] {
  return rows.map(({ digest }) => digest)
}

/** After manifests of a repository came or went, under its exclusive lock. Fewer bytes are a negative number. */
export async function countManifests(trx: Transaction, repositoryId: number, bytes: number): Promise<void> {
  if (bytes === 0) return
  const registry = await findRegistry(trx, repositoryId)
  if (registry !== undefined) await addBytes(trx, registry, bytes)
}

/** The registry of a repository; of a deleted one, the registry that it was in. */
async function findRegistry(trx: Transaction, repositoryId: number) {
  return trx
    .selectFrom('repository as live')
    .leftJoin('deleted_repository as deleted', 'deleted.repository_id', 'live.id')
    .select(({ fn }) => [
      fn.coalesce('deleted.account', 'live.account').as('account'),
      fn.coalesce('deleted.region', 'live.region').as('region'),
    ])
    .where('live.id', '=', repositoryId)
    .executeTakeFirst()
}

type Place = { readonly account: string; readonly region: string }

async function addBytes(trx: Transaction, { account, region }: Place, bytes: number): Promise<void> {
  await sql`
    insert into registry_usage (account, region, shard, bytes) values (${account}, ${region}, ${randomInt(shards)}, ${bytes})
    on conflict (account, region, shard) do update set bytes = registry_usage.bytes + excluded.bytes`.execute(trx)
}

export interface StorageUsage extends Registry {
  /** Of blobs that repositories link, and of manifests. */
  readonly storedBytes: number
  readonly openUploads: number
  /** Of uploads that are open. */
  readonly uploadBytes: number
}

/** Of every registry of an account, or of all accounts, as it stood at one time. */
export async function readStorageUsage(reader: Reader, account?: AccountId): Promise<readonly StorageUsage[]> {
  const rows = await reader
    .selectFrom((eb) =>
      eb
        .selectFrom('registry_usage')
        .select(['account', 'region', 'bytes as stored_bytes'])
        .select([sql<number>`0`.as('uploads'), sql<number>`0`.as('upload_bytes')])
        .$if(account !== undefined, (query) => query.where('account', '=', account ?? ''))
        .unionAll(
          eb
            .selectFrom('upload')
            .select(['account', 'region', sql<number>`0`.as('stored_bytes')])
            .select([sql<number>`1`.as('uploads'), 'held as upload_bytes'])
            .$if(account !== undefined, (query) => query.where('account', '=', account ?? '')),
        )
        .as('part'),
    )
    .select(['account', 'region'])
    .select(({ fn }) => [
      fn.sum<number | string>('stored_bytes').as('stored_bytes'),
      fn.sum<number | string>('uploads').as('uploads'),
      fn.sum<number | string>('upload_bytes').as('upload_bytes'),
    ])
    .where('region', '!=', '')
    .groupBy(['account', 'region'])
    .orderBy('account')
    .orderBy('region')
    .execute()
  return rows.map((row) => ({
    // Columns hold what was parsed when it was written.
    account: row.account as AccountId,
    region: parseRegion(row.region),
    storedBytes: Number(row.stored_bytes),
    openUploads: Number(row.uploads),
    uploadBytes: Number(row.upload_bytes),
  }))
}
