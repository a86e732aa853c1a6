/** What many readers may hold together, however slow they are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BufferPool } from '#blobs/file-reader.ts'

const mib = 1024 * 1024
const bytesOf = (buffers: readonly Buffer[]) => buffers.reduce((sum, { length }) => sum + length, 0)

test('a thousand readers at once hold a bounded amount, and the first few read by large pieces', () => {
  const pool = new BufferPool(8)
  const taken = Array.from({ length: 1_000 }, () => pool.take(300 * mib))
  assert.equal(taken[0]?.[0]?.length, mib)
  assert.ok(taken.reduce((sum, buffers) => sum + bytesOf(buffers), 0) < 256 * mib)
  for (const buffers of taken) pool.give(buffers, { atRest: false })
  assert.equal(pool.take(300 * mib)[0]?.length, mib, 'who comes afterwards has large ones again')
})

test('buffers that are at rest are used again, and others are not', () => {
  const pool = new BufferPool(8)
  const first = pool.take(10 * mib)
  pool.give(first, { atRest: true })
  assert.equal(pool.take(10 * mib)[0], first[0])
  pool.give(first, { atRest: false })
  assert.notEqual(pool.take(10 * mib)[0], first[0])
})
