/** How Linux, SQLite and PostgreSQL say that there is no room: `ENOSPC`, `EDQUOT`; result code 13; SQLSTATE 53100. */
export function isStorageFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  return code === 'ENOSPC' || code === 'EDQUOT' || code === '53100' || errcode === 13
}
