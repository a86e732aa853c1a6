import { Refusal } from '#lib/refusal.ts'

/** How much is reserved at once for a body of unknown length. */
const stepBytes = 64 * 1024 * 1024

/**
 * The chunks of `source`, each once there is room for it in the quotas. A body of known length has its room before its first byte; of another,
 * room is reserved in steps, and near a quota for each chunk. `from` bytes came before.
 */
export async function* reserving(
  source: AsyncIterable<Uint8Array>,
  from: number,
  length: number | undefined,
  reserve: (bytes: number) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let at = from
  let reserved = from
  if (length !== undefined) {
    await reserve(from + length)
    // More than that is refused by its length.
    reserved = Number.POSITIVE_INFINITY
  }
  for await (const chunk of source) {
    at += chunk.byteLength
    if (at > reserved) reserved = await reserveMore(at, reserve)
    yield chunk
  }
}

async function reserveMore(least: number, reserve: (bytes: number) => Promise<void>): Promise<number> {
  try {
    await reserve(least + stepBytes)
    return least + stepBytes
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    await reserve(least)
    return least
  }
}
