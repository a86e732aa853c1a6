import { Refusal } from '#lib/refusal.ts'

/** How much is reserved at once. More would keep others from bytes that a slow client may never send. */
const stepBytes = 64 * 1024 * 1024

/**
 * Reserves room for an upload up to `bytes` in all.
 *
 * @throws Refusal `StorageQuotaExceeded` if there is no room for those, or for `expected` bytes in all
 */
export type Reserve = (bytes: number, expected: number) => Promise<void>

/**
 * The chunks of `source`, each once there is room for it in the quotas. Room is reserved in steps as bytes come, and near a quota for each
 * chunk. A body of known length is refused before its first byte if there is no room for all of it. `from` bytes came before.
 */
export async function* reserving(
  source: AsyncIterable<Uint8Array>,
  from: number,
  length: number | undefined,
  reserve: Reserve,
): AsyncGenerator<Uint8Array> {
  // More than its length is refused by its length.
  const end = length === undefined ? Number.POSITIVE_INFINITY : from + length
  let at = from
  let reserved = from
  if (length !== undefined) {
    reserved = Math.min(from + stepBytes, end)
    await reserve(reserved, end)
  }
  for await (const chunk of source) {
    at += chunk.byteLength
    if (at > reserved && reserved < end) reserved = await reserveMore(at, Math.min(at + stepBytes, end), reserve)
    yield chunk
  }
}

async function reserveMore(least: number, step: number, reserve: Reserve): Promise<number> {
  try {
    await reserve(step, step)
    return step
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    await reserve(least, least)
    return least
  }
}
