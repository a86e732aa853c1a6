import { setImmediate } from 'node:timers/promises'

/** Splits items into slices. The weights of a slice sum up to at most `limit`, but that each slice has at least one item. */
export function slicesWithin<Item>(
  items: readonly Item[],
  limit: number,
  weightOf: (item: Item) => number,
): readonly Item[][] {
  const slices: Item[][] = []
  let slice: Item[] = []
  let sum = 0
  for (const item of items) {
    const weight = weightOf(item)
    if (slice.length > 0 && sum + weight > limit) {
      slices.push(slice)
      slice = []
      sum = 0
    }
    slice.push(item)
    sum += weight
  }
  if (slice.length > 0) slices.push(slice)
  return slices
}

/** Rows by key, each step from the last row of the step before. Other work of the process runs between two steps. */
export async function* readInSteps<Row>(
  rowsAtOnce: number,
  read: (after: Row | undefined, limit: number) => Promise<readonly Row[]>,
): AsyncGenerator<readonly Row[], void> {
  for (let after: Row | undefined; ; ) {
    const rows = await read(after, rowsAtOnce)
    yield rows
    after = rows.at(-1)
    if (after === undefined || rows.length < rowsAtOnce) return
    await setImmediate()
  }
}
