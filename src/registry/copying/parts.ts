/** PostgreSQL has no empty list, and takes 65,535 values in one statement. */
const atOnce = 10_000

/** The rows of a query about a list, asked for one part of the list after the other. */
export async function inParts<Value, Row>(
  values: readonly Value[],
  query: (some: readonly Value[]) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  if (values.length > 0 && values.length <= atOnce) return query(values)
  const rows: Row[] = []
  for (let first = 0; first < values.length; first += atOnce) {
    for (const row of await query(values.slice(first, first + atOnce))) rows.push(row)
  }
  return rows
}
