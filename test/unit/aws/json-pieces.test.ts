/** Pieces of JSON join to what JSON.stringify writes, and large answers come in several. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { writeJsonPieces } from '#aws/json-pieces.ts'

test('pieces join to the text of JSON.stringify', async () => {
  const members = fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())))
  await fc.assert(
    fc.asyncProperty(members, async (value) => {
      assert.equal(Buffer.concat(await writeJsonPieces(value)).toString(), JSON.stringify(value))
    }),
  )
})

test('a small answer is one piece, and other work runs between the pieces of a large one', async () => {
  assert.equal((await writeJsonPieces({ items: ['a', 'b'], next: 'c' })).length, 1)
  const value = { items: Array.from({ length: 4 }, (_, at) => String(at).repeat(1024 * 1024)), next: '"\u{1f642}' }
  let turns = 0
  const counting = setInterval(() => {}, 1)
  setImmediate(function turn() {
    if (++turns < 4) setImmediate(turn)
  })
  const pieces = await writeJsonPieces(value)
  clearInterval(counting)
  assert.equal(turns, 4)
  assert.equal(pieces.length, 5)
  assert.equal(Buffer.concat(pieces).toString(), JSON.stringify(value))
})
