/** What `JSON.parse` leaves open. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { findRepeatedName, withoutSpace } from '#lib/json.ts'

describe('JSON', () => {
  test('a name is repeated within its own object only, however it is escaped', () => {
    assert.equal(findRepeatedName('{"a":{"a":["a","a"]},"b":[{"a":1},{"a":1}]}'), undefined)
    assert.equal(findRepeatedName('{"b":{"a":1,"\\u0061":2}}'), 'a')
  })

  test('without space a document means the same and is as short as it can be, its texts as they were', () => {
    assert.equal(withoutSpace('{ "a b" : "c \\" d" ,\n\t"e":[ 1 , 2 ] }'), '{"a b":"c \\" d","e":[1,2]}')
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 4 }), (value, spaces) => {
        assert.equal(withoutSpace(JSON.stringify(value, undefined, spaces)), JSON.stringify(value))
      }),
    )
  })
})
