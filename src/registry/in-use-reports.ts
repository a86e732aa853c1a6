import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import { parseRepositoryName, type RepositoryName } from '#names/repository-name.ts'
import { refuse } from './refusals.ts'
import { lockRegistry } from './settings.ts'

/**
 * The inventory of what is in use: for each cluster what it said last, until that expires. Whether an image is kept for it is decided
 * where it would go (`kept-in-use.ts`). A report that has expired is told to nobody, and is removed later (`in-use-expiry.ts`).
 */
export interface InUseReports {
  /**
   * What the cluster runs now, all of it: it replaces what the cluster said before, as one change. An image may be told more than once,
   * and need not be in the registry.
   *
   * @throws Refusal `TooManyInUseReports`
   */
  report(registry: Registry, report: NewReport): Promise<TakenReport>
  /** By the clusters' names. `after` is the key of an earlier page. */
  list(registry: Registry, page: { limit: number; after?: string | undefined }): Promise<Page<InUseReport, string>>
  /** One entry for each cluster that reported an image, by repository, digest and cluster. */
  listImages(
    registry: Registry,
    filter: { readonly cluster?: string | undefined; readonly repository?: RepositoryName | undefined },
    page: { limit: number; after?: ImageInUseKey | undefined },
  ): Promise<Page<ImageInUse, ImageInUseKey>>
  /** From then on nothing is kept for the cluster. @throws Refusal `InUseReportNotFound` */
  delete(registry: Registry, cluster: string): Promise<void>
}

/** An image by its name, wherever it is. */
export interface NamedImage {
  readonly repository: RepositoryName
  readonly digest: Digest
}

export interface NewReport {
  readonly cluster: string
  readonly images: readonly NamedImage[]
  /** For how long it counts, in milliseconds. */
  readonly ttlMs: number
  /** The ARN of the principal. */
  readonly by: string
}

/** Times are milliseconds since the epoch. */
export interface InUseReport {
  readonly cluster: string
  readonly reportedAt: number
  /** The ARN of the principal. */
  readonly reportedBy: string
  readonly expiresAt: number
  /** Different images. */
  readonly images: number
}

export interface TakenReport extends InUseReport {
  /** Of its images, those that the registry does not hold. */
  readonly unknownImages: number
}

export interface ImageInUse extends NamedImage {
  readonly cluster: string
  readonly expiresAt: number
}

export type ImageInUseKey = readonly [repository: string, digest: string, cluster: string]

/** Far more than anybody has; without a bound whoever may report could fill the database. */
const mostClusters = 1_000

export function createInUseReports({ metadata, clock }: { metadata: Metadata; clock: Clock }): InUseReports {
  const { reader } = metadata
  return {
    report: (registry, { cluster, images, ttlMs, by }) =>
      metadata.transaction(async (trx) => {
        const reportedAt = clock()
        const expiresAt = reportedAt + ttlMs
        await putReport(trx, registry, cluster, { reported_at: reportedAt, reported_by: by, expires_at: expiresAt })
        const count = await replaceImages(trx, registry, cluster, images)
        const unknownImages = await countUnknown(trx, registry, cluster)
        return { cluster, reportedAt, reportedBy: by, expiresAt, images: count, unknownImages }
      }),

    async list(registry, { limit, after }) {
      const rows = await selectLive(reader, registry, clock())
        .selectAll('report')
        .select((eb) =>
          eb
            .selectFrom('in_use_image as image')
            .select((of) => of.fn.countAll<number>().as('count'))
            .whereRef('image.account', '=', 'report.account')
            .whereRef('image.region', '=', 'report.region')
            .whereRef('image.cluster', '=', 'report.cluster')
            .as('images'),
        )
        .$if(after !== undefined, (query) => query.where('report.cluster', '>', after ?? ''))
        .orderBy('report.cluster')
        .limit(limit + 1)
        .execute()
      const reports = rows.map((row) => ({
        ...{ cluster: row.cluster, reportedAt: row.reported_at, reportedBy: row.reported_by },
        ...{ expiresAt: row.expires_at, images: Number(row.images) },
      }))
      return pageOf(reports, limit, ({ cluster }) => cluster)
    },

    async listImages(registry, { cluster, repository }, { limit, after }) {
      const rows = await selectLive(reader, registry, clock())
        .innerJoin('in_use_image as image', (join) =>
          join
            .onRef('image.account', '=', 'report.account')
            .onRef('image.region', '=', 'report.region')
            .onRef('image.cluster', '=', 'report.cluster'),
        )
        .select(['image.repository', 'image.digest', 'image.cluster', 'report.expires_at'])
        .where('image.account', '=', registry.account)
        .where('image.region', '=', registry.region)
        .$if(cluster !== undefined, (query) => query.where('image.cluster', '=', cluster ?? ''))
        .$if(repository !== undefined, (query) => query.where('image.repository', '=', repository ?? ''))
        .$if(after !== undefined, (query) =>
          query.where(({ eb, refTuple, tuple }) => {
            const [lastRepository = '', digest = '', last = ''] = after ?? []
            const key = refTuple('image.repository', 'image.digest', 'image.cluster')
            return eb(key, '>', tuple(lastRepository, digest, last))
          }),
        )
        .orderBy('image.repository')
        .orderBy('image.digest')
        .orderBy('image.cluster')
        .limit(limit + 1)
        .execute()
      const images = rows.map((row) => ({
        ...{ repository: parseRepositoryName(row.repository), digest: parseDigest(row.digest) },
        ...{ cluster: row.cluster, expiresAt: row.expires_at },
      }))
      return pageOf(images, limit, (image) => [image.repository, image.digest, image.cluster] as const)
    },

    delete: (registry, cluster) =>
      metadata.transaction(async (trx) => {
        const row = await selectLive(trx, registry, clock())
          .select('report.cluster')
          .where('report.cluster', '=', cluster)
          .forUpdate()
          .executeTakeFirst()
        if (row === undefined) throw refuse('InUseReportNotFound', { registry, cluster })
        await deleteReport(trx, registry, cluster)
      }),
  }
}

/** For whoever holds the report's row. */
export async function deleteReport(trx: Transaction, { account, region }: Registry, cluster: string): Promise<void> {
  for (const table of ['in_use_image', 'in_use_report'] as const) {
    await trx
      .deleteFrom(table)
      .where('account', '=', account)
      .where('region', '=', region)
      .where('cluster', '=', cluster)
      .execute()
  }
}

function selectLive(reader: Reader, { account, region }: Registry, now: number) {
  return reader
    .selectFrom('in_use_report as report')
    .where('report.account', '=', account)
    .where('report.region', '=', region)
    .where('report.expires_at', '>', now)
}

interface ReportValues {
  readonly reported_at: number
  readonly reported_by: string
  readonly expires_at: number
}

/** Holds the report's row, so that of two reports of one cluster the later replaces the earlier whole. */
async function putReport(trx: Transaction, registry: Registry, cluster: string, values: ReportValues): Promise<void> {
  const { account, region } = registry
  const own = () => trx.selectFrom('in_use_report').where('account', '=', account).where('region', '=', region)
  const known = await own().select('cluster').where('cluster', '=', cluster).executeTakeFirst()
  if (known === undefined) {
    await lockRegistry(trx, registry)
    const { count } = await own()
      .select((of) => of.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    if (Number(count) >= mostClusters && !(await makeRoom(trx, registry, values.reported_at))) {
      throw refuse('TooManyInUseReports', { registry, limit: mostClusters })
    }
  }
  await trx
    .insertInto('in_use_report')
    .values({ account, region, cluster, ...values })
    .onConflict((conflict) => conflict.columns(['account', 'region', 'cluster']).doUpdateSet(values))
    .execute()
}

/** A report that has expired counts for nobody, and goes sooner than its job would take it. False where there is none. */
async function makeRoom(trx: Transaction, registry: Registry, now: number): Promise<boolean> {
  const expired = await trx
    .selectFrom('in_use_report')
    .select('cluster')
    .where('account', '=', registry.account)
    .where('region', '=', registry.region)
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(1)
    .forUpdate()
    .executeTakeFirst()
  if (expired === undefined) return false
  await deleteReport(trx, registry, expired.cluster)
  return true
}

/** Rows in one statement: some milliseconds on SQLite, where it holds the process. */
const rowsAtOnce = 1_000

/** Writes what is new and deletes what is gone, since most of a report is what the last one said. Answers how many images there are. */
async function replaceImages(
  trx: Transaction,
  { account, region }: Registry,
  cluster: string,
  images: readonly NamedImage[],
): Promise<number> {
  const held = await trx
    .selectFrom('in_use_image')
    .select(['repository', 'digest'])
    .where('account', '=', account)
    .where('region', '=', region)
    .where('cluster', '=', cluster)
    .execute()
  const keyOf = ({ repository, digest }: { repository: string; digest: string }) => `${repository}@${digest}`
  const wanted = new Map(
    images.map(({ repository, digest }) => [keyOf({ repository, digest }), { repository, digest }]),
  )
  const known = new Set(held.map(keyOf))
  const added = [...wanted].flatMap(([key, image]) => (known.has(key) ? [] : [image]))
  const gone = held.filter((row) => !wanted.has(keyOf(row)))
  for (let at = 0; at < added.length; at += rowsAtOnce) {
    const rows = added.slice(at, at + rowsAtOnce).map((image) => ({ account, region, cluster, ...image }))
    await trx.insertInto('in_use_image').values(rows).execute()
    await setImmediate()
  }
  for (const [repository, those] of Map.groupBy(gone, (row) => row.repository)) {
    for (let at = 0; at < those.length; at += rowsAtOnce) {
      const digests = those.slice(at, at + rowsAtOnce).map(({ digest }) => digest)
      await trx
        .deleteFrom('in_use_image')
        .where('account', '=', account)
        .where('region', '=', region)
        .where('cluster', '=', cluster)
        .where('repository', '=', repository)
        .where('digest', 'in', digests)
        .execute()
      await setImmediate()
    }
  }
  return wanted.size
}

async function countUnknown(trx: Transaction, { account, region }: Registry, cluster: string): Promise<number> {
  const { count } = await trx
    .selectFrom('in_use_image as image')
    .select((of) => of.fn.countAll<number>().as('count'))
    .where('image.account', '=', account)
    .where('image.region', '=', region)
    .where('image.cluster', '=', cluster)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('repository')
            .innerJoin('manifest', 'manifest.repository_id', 'repository.id')
            .select(sql.lit(1).as('one'))
            .whereRef('repository.account', '=', 'image.account')
            .whereRef('repository.region', '=', 'image.region')
            .whereRef('repository.name', '=', 'image.repository')
            .whereRef('manifest.digest', '=', 'image.digest'),
        ),
      ),
    )
    .executeTakeFirstOrThrow()
  return Number(count)
}
