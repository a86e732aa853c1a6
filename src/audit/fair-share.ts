/**
 * Makes room among what waits. The owners that have most lose their oldest items, down to one level for all of them, so that an owner that
 * fills the queue loses its own items and no others. Items keep their order.
 */
export function fairShare<Item>(
  items: readonly Item[],
  most: number,
  ownerOf: (item: Item) => string,
): { readonly kept: Item[]; readonly removed: Item[] } {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(ownerOf(item), (counts.get(ownerOf(item)) ?? 0) + 1)
  const level = levelOf([...counts.values()], most)
  const kept: Item[] = []
  const removed: Item[] = []
  for (const item of items) {
    const owner = ownerOf(item)
    const left = counts.get(owner) ?? 0
    counts.set(owner, left - 1)
    if (left > level) removed.push(item)
    else kept.push(item)
  }
  return { kept, removed }
}

/** The largest number of items that each owner may keep, so that all of them keep at most `most`. */
function levelOf(counts: readonly number[], most: number): number {
  let room = most
  for (const [at, count] of counts.toSorted((a, b) => a - b).entries()) {
    const level = Math.floor(room / (counts.length - at))
    if (count > level) return level
    room -= count
  }
  return Number.POSITIVE_INFINITY
}
