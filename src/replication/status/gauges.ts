import { sql } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import type { Reader } from '#metadata/metadata.ts'

const labelNames = ['account', 'region', 'destination'] as const

/** How replication of all registries goes, for metrics. */
export function replicationGauges({ clock }: { readonly clock: Clock }) {
  return [
    {
      name: 'lading_replication_lag_seconds',
      help: 'Age of the oldest push that a destination does not have: 0 where it has all of them.',
      labelNames,
      read: async (reader: Reader) => {
        const oldest = await readOldest(reader)
        return (await readRoutes(reader)).map((route) => {
          const at = oldest.get(keyOf(route))
          return { labels: labelsOf(route), value: at === undefined ? 0 : Math.max(0, clock() - at) / 1_000 }
        })
      },
    },
    {
      name: 'lading_replication_images',
      help: 'Images that a destination does not have, by state: waiting or failed.',
      labelNames: [...labelNames, 'state'],
      read: async (reader: Reader) => {
        const counts = await countItems(reader)
        return (await readRoutes(reader)).flatMap((route) =>
          (['waiting', 'failed'] as const).map((state) => ({
            labels: { ...labelsOf(route), state },
            value: counts.get(`${keyOf(route)} ${state.toUpperCase()}`) ?? 0,
          })),
        )
      },
    },
    {
      name: 'lading_replication_unreachable',
      help: 'Whether the last attempt did not reach a destination: 1, or else 0.',
      labelNames,
      read: (reader: Reader) => readValues(reader, ({ unreachable_since }) => (unreachable_since === null ? 0 : 1)),
    },
    {
      name: 'lading_replication_sent_images',
      help: 'Images that a destination has received since the first one.',
      labelNames,
      read: (reader: Reader) => readValues(reader, ({ images }) => images),
    },
    {
      name: 'lading_replication_sent_bytes',
      help: 'Bytes of blobs that a destination has received since the first one.',
      labelNames,
      read: (reader: Reader) => readValues(reader, ({ bytes }) => bytes),
    },
    {
      name: 'lading_replication_refused_images',
      help: 'Images that a destination has refused since the first one.',
      labelNames,
      read: (reader: Reader) => readValues(reader, ({ refused }) => refused),
    },
  ]
}

type RouteRow = Awaited<ReturnType<typeof readRoutes>>[number]

type RouteColumns = Pick<RouteRow, 'source_account' | 'source_region' | 'account' | 'region'>

function readRoutes(reader: Reader) {
  return reader.selectFrom('replication_destination').selectAll().execute()
}

async function readValues(reader: Reader, read: (row: RouteRow) => number) {
  return (await readRoutes(reader)).map((row) => ({ labels: labelsOf(row), value: read(row) }))
}

async function readOldest(reader: Reader): Promise<ReadonlyMap<string, number>> {
  const rows = await selectNotThere(reader)
    .select(({ fn }) => fn.min('pushed_at').as('at'))
    .where('priority', '=', 0)
    .execute()
  return new Map(rows.map((row) => [keyOf(row), Number(row.at)]))
}

async function countItems(reader: Reader): Promise<ReadonlyMap<string, number>> {
  const rows = await selectNotThere(reader)
    .select(({ fn }) => ['state', fn.countAll<number>().as('images')])
    .groupBy('state')
    .execute()
  return new Map(rows.map((row) => [`${keyOf(row)} ${row.state}`, Number(row.images)]))
}

function selectNotThere(reader: Reader) {
  return reader
    .selectFrom('replication_item')
    .select(['source_account', 'source_region', 'account', 'region'])
    .where('state', '<>', sql.lit('COMPLETE'))
    .groupBy(['source_account', 'source_region', 'account', 'region'])
}

function keyOf({ source_account, source_region, account, region }: RouteColumns): string {
  return `${source_account} ${source_region} ${account} ${region}`
}

function labelsOf({ source_account, source_region, account, region }: RouteColumns) {
  return { account: source_account, region: source_region, destination: `${account}/${region}` }
}
