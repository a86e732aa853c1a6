import type { Reader } from '#metadata/metadata.ts'

/** The share of an actor in records of one kind: those that last, and those that make room first. */
export interface Share {
  readonly account: string
  readonly actor: string
  readonly lasting: number
}

/** Actors that have at least half of what the largest of their account has make room together. */
const mostActors = 50

/**
 * Which records make room first, once all of them have more than `mostBytes`: of the largest actors those that do not last. Only if none of
 * these actors has any, those that last make room: what one caller reads does not push out what another one changed.
 */
export async function findLargest(reader: Reader, mostBytes: number): Promise<readonly Share[]> {
  const sum = () => reader.selectFrom('audit_usage').select(({ fn }) => fn.sum<number | string>('bytes').as('bytes'))
  const total = await sum().executeTakeFirst()
  if (Number(total?.bytes ?? 0) <= mostBytes) return []
  const largest = await sum().select('account').groupBy('account').orderBy('bytes', 'desc').limit(1).executeTakeFirst()
  if (largest === undefined) return []
  const { account } = largest
  const rows = await reader
    .selectFrom('audit_usage')
    .select(['actor', 'lasting', 'bytes'])
    .where('account', '=', account)
    .where('records', '>', 0)
    .orderBy('lasting')
    .execute()
  const byActor = [...Map.groupBy(rows, ({ actor }) => actor)]
    .map(([actor, shares]) => ({ actor, lasting: shares[0]?.lasting ?? 1, bytes: bytesIn(shares) }))
    .sort((a, b) => b.bytes - a.bytes)
  const least = (byActor[0]?.bytes ?? 0) / 2
  const large = byActor.filter(({ bytes }) => bytes >= least).slice(0, mostActors)
  const passing = large.filter(({ lasting }) => lasting === 0)
  return (passing.length > 0 ? passing : large).map(({ actor, lasting }) => ({ account, actor, lasting }))
}

function bytesIn(shares: readonly { readonly bytes: number }[]): number {
  return shares.reduce((sum, { bytes }) => sum + bytes, 0)
}
