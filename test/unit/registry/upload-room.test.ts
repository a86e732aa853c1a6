/** In which steps room is reserved for the bytes of an upload. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { refuse } from '#registry/refusals.ts'
import { reserving } from '#registry/upload-room.ts'

const mib = 1024 * 1024
const registry = { account: parseAccountId('111111111111'), region: parseRegion('us-east-1') }

/** What was reserved, in MiB, before each chunk of `chunkMib` passed. */
async function reservedBy({
  chunks,
  chunkMib,
  length,
  limit = Number.POSITIVE_INFINITY,
}: {
  readonly chunks: number
  readonly chunkMib: number
  readonly length?: number
  readonly limit?: number
}) {
  const chunk = new Uint8Array(chunkMib * mib)
  async function* source() {
    for (let count = 0; count < chunks; count++) yield chunk
  }
  const before: number[] = []
  let reserved = 0
  const reserve = async (bytes: number, expected: number) => {
    if (expected > limit * mib) throw refuse('StorageQuotaExceeded', { registry, quota: 'bytesPerRegistry', limit })
    reserved = bytes / mib
  }
  try {
    for await (const _chunk of reserving(source(), 0, length && length * mib, reserve)) before.push(reserved)
  } catch (error) {
    assert(error instanceof Refusal)
    return [...before, 'refused']
  }
  return before
}

test('a body that announces many bytes reserves them as they come, so that others have room until then', async () => {
  assert.deepEqual(await reservedBy({ chunks: 5, chunkMib: 30, length: 150 }), [64, 64, 150, 150, 150])
  assert.deepEqual(await reservedBy({ chunks: 1, chunkMib: 1, length: 500_000 }), [64])
  assert.deepEqual(await reservedBy({ chunks: 2, chunkMib: 1, length: 2 }), [2, 2])
})

test('a body that announces more than there is room for is refused before its first byte', async () => {
  assert.deepEqual(await reservedBy({ chunks: 1, chunkMib: 1, length: 200, limit: 100 }), ['refused'])
})

test('a body of unknown length is refused once there is no room for its next bytes', async () => {
  assert.deepEqual(await reservedBy({ chunks: 5, chunkMib: 30, limit: 100 }), [94, 94, 94, 'refused'])
  assert.deepEqual(await reservedBy({ chunks: 5, chunkMib: 30, limit: 80 }), [30, 60, 'refused'])
})
