import type { Reader } from '#metadata/metadata.ts'

/** How large the trail is, and which actors have how much of it, for metrics and for operators. */

export const auditGauges = [
  {
    name: 'lading_audit_records',
    help: 'Records in the audit trail.',
    read: async (reader: Reader) => (await readUsage(reader)).records,
  },
  {
    name: 'lading_audit_bytes',
    help: 'Bytes that the audit trail has on disk, about.',
    read: async (reader: Reader) => (await readUsage(reader)).bytes,
  },
] as const

export interface AuditUsage {
  readonly records: number
  readonly bytes: number
  /** Records that were never written. */
  readonly dropped: number
  /** Records that made room for others before they were old. */
  readonly evicted: number
}

export interface ActorUsage extends AuditUsage {
  readonly account: string
  /** The unique id of a user or role, the account's number for its root; empty for callers that proved nothing. */
  readonly actor: string
}

const sums = ['records', 'bytes', 'dropped', 'evicted'] as const

function selectUsage(reader: Reader) {
  return reader
    .selectFrom('audit_usage')
    .select(({ fn }) => sums.map((column) => fn.sum<number | string | null>(column).as(column)))
}

export async function readUsage(reader: Reader): Promise<AuditUsage> {
  return parseUsage(await selectUsage(reader).executeTakeFirst())
}

/** The actors that have most of it first. */
export async function listUsage(reader: Reader, limit: number): Promise<readonly ActorUsage[]> {
  const rows = await selectUsage(reader)
    .select(['account', 'actor'])
    .groupBy(['account', 'actor'])
    .orderBy('bytes', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ account: row.account, actor: row.actor, ...parseUsage(row) }))
}

/** PostgreSQL sums into a type that the driver gives as text. */
function parseUsage(row: Readonly<Partial<Record<(typeof sums)[number], number | string | null>>> | undefined) {
  return {
    records: Number(row?.records ?? 0),
    bytes: Number(row?.bytes ?? 0),
    dropped: Number(row?.dropped ?? 0),
    evicted: Number(row?.evicted ?? 0),
  }
}
