import type { AnyRow } from '#metadata/snapshot.ts'
import { parseDigest } from '#names/digest.ts'
import type { WantedBlob } from './places.ts'
import { refuse } from './refusals.ts'

/** A row as a line of JSON; bytes are `{"base64": "…"}`, which no text or number of a row looks like. */
export function printRow(row: AnyRow): string {
  const entries = Object.entries(row).map(([column, value]) => [
    column,
    value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value,
  ])
  return `${JSON.stringify(Object.fromEntries(entries))}\n`
}

/** The rows of the file of that name. @throws Refusal `BackupDamaged` */
export function parseRows(lines: Uint8Array, name: string): AnyRow[] {
  const texts = Buffer.from(lines).toString().split('\n')
  try {
    return texts.filter((line) => line !== '').map(parseRow)
  } catch (cause) {
    if (cause instanceof SyntaxError) throw refuse('BackupDamaged', { what: name })
    throw cause
  }
}

function parseRow(line: string): AnyRow {
  const parsed: Record<string, string | number | null | { base64: string }> | null = JSON.parse(line)
  if (parsed === null || typeof parsed !== 'object') throw new SyntaxError('A row is an object')
  return Object.fromEntries(
    Object.entries(parsed).map(([column, value]) => [
      column,
      typeof value === 'object' && value !== null ? Buffer.from(value.base64, 'base64') : value,
    ]),
  )
}

/** What rows of the table `blob` say. */
export function blobsOf(rows: readonly AnyRow[]): WantedBlob[] {
  return rows.map(({ digest, size }) => ({ digest: parseDigest(String(digest)), sizeBytes: Number(size) }))
}
