/** What `JSON.parse` leaves open. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { findJsonFlaw, findRepeatedName, type JsonLimits, readJson, withoutSpace } from '#lib/json.ts'

describe('JSON', () => {
  test('a name is repeated within its own object only, however it is escaped', () => {
    assert.equal(findRepeatedName('{"a":{"a":["a","a"]},"b":[{"a":1},{"a":1}]}'), undefined)
    assert.equal(findRepeatedName('{"b":{"a":1,"\\u0061":2}}'), 'a')
  })

  test('an escaped name is read as what it spells, although an earlier document had its spelling as a name', () => {
    readJson('{"Effect":"Deny","\\\\u0041":1}')
    assert.deepEqual(readJson('{"Effect":"Deny","\\u0041ction":["a"]}'), { Effect: 'Deny', Action: ['a'] })
    readJson('[{"\\\\u006c":1}]')
    assert.deepEqual(readJson('[{"\\u006cayers" : {"\\"":"\\u0041:"}}]'), [{ layers: { '"': 'A:' } }])
  })

  test('any JSON text has the value that JSON.parse finds in a first reading', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.deepEqual(readJson(text), JSON.parse(text))
      }),
    )
  })

  test('names that are escaped in any way have the value of the plain text', () => {
    const escaped = (name: string) =>
      `"${Array.from({ length: name.length }, (_, at) => `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (value) => {
        const members = Object.entries(value).map(([name, text]) => `${escaped(name)}\n : ${JSON.stringify(text)}`)
        assert.deepEqual(readJson(`{${members.join()}}`), JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('a text of five million escapes is read', () => {
    const text = '"'.repeat(5_000_000)
    assert.deepEqual(readJson(JSON.stringify({ text })), { text })
  })

  test('a name is found again among many, and texts that look like members are none', () => {
    const many = Array.from({ length: 100 }, (_, at) => `"a${at}": "\\"a${at}\\":{,"`).join()
    assert.equal(findRepeatedName(`{${many}}`), undefined)
    assert.equal(findRepeatedName(`{${many},"a5":0}`), 'a5')
    assert.equal(findRepeatedName('{"a\\\\":1,"a\\"":2,"":3,"\\\\":4}'), undefined)
  })

  test('a document has at most so many entries, members of one object and levels, to the one', () => {
    const limits: JsonLimits = { entries: 6, members: 3, depth: 2 }
    const flawOf = (value: unknown) => findJsonFlaw(JSON.stringify(value), limits)
    assert.equal(flawOf([1, 2, 3, 4, 5, 6]), undefined)
    assert.deepEqual(flawOf([1, 2, 3, 4, 5, 6, 7]), { flaw: 'entries', limit: 6 })
    assert.deepEqual(flawOf([{ a: 1, b: 2 }, { c: 3 }, [], 4]), { flaw: 'entries', limit: 6 })
    assert.equal(flawOf({ a: 1, b: 2, c: ',[{:' }), undefined)
    assert.deepEqual(flawOf({ a: 1, b: 2, c: 3, d: 4 }), { flaw: 'members', limit: 3 })
    assert.equal(flawOf([[1]]), undefined)
    assert.deepEqual(flawOf([[[1]]]), { flaw: 'depth', limit: 2 })
  })

  test('text that is no JSON is read to its end at most, without an error', () => {
    const limits: JsonLimits = { entries: 20, members: 20, depth: 20 }
    for (const text of ['', '"', '"\\', '{"a', ':', '}:', '{"\\x":1,"\\x":2}', '{::::}', ']'.repeat(99)]) {
      assert.doesNotThrow(() => findJsonFlaw(text, limits), text)
    }
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]:,"\\a') }), (text) => {
        findJsonFlaw(text, limits)
      }),
    )
  })

  // Otherwise each `{:}` would read the text before it again: sixty thousand after a text of 4 MiB took two seconds.
  test('reading ends at a member without a name, however many follow', () => {
    const limits: JsonLimits = { entries: 20, members: 20, depth: 20 }
    for (const start of ['{"a":1:', '["a",{:}', '["a",[:]', '[{"a":1}:', '{"a":"b",:', '[:']) {
      assert.equal(findJsonFlaw(`${start},{"b":1,"b":2}`, limits), undefined, start)
    }
    assert.equal(findRepeatedName('{"a":1,"b":{"a":2},"c":[],"c":3}'), 'c')
  })

  test('a name of the given set must be written as it is', () => {
    const limits: JsonLimits = { entries: 20, members: 20, depth: 20 }
    const plain = new Set(['layers'])
    assert.deepEqual(findJsonFlaw('{"a":{"\\u006cayers":[]}}', limits, plain), { flaw: 'escaped', name: 'layers' })
    assert.equal(findJsonFlaw('{"layers":"\\u006cayers","\\u0061":1}', limits, plain), undefined)
  })

  // Without the name `\\`: V8 14.6 reads `\\u0061` as it once it has seen such an object.
  test('a repeated name is found where JSON.parse has fewer members than were written', () => {
    const value = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, fc.constantFrom('1', '"a"', '"\\"{"', 'null'), tie('list'), tie('object')),
      list: fc.array(tie('value') as fc.Arbitrary<string>, { maxLength: 3 }).map((items) => `[${items.join()}]`),
      object: fc
        .array(fc.tuple(fc.constantFrom('a', 'b', '\\u0061', ''), tie('value') as fc.Arbitrary<string>), {
          maxLength: 4,
        })
        .map((members) => `{${members.map(([name, of]) => `"${name}" :${of}`).join()}}`),
    })).value as fc.Arbitrary<string>
    fc.assert(
      fc.property(value, (text) => {
        assert.equal(findRepeatedName(text) !== undefined, countColons(text) !== countMembers(JSON.parse(text)), text)
      }),
    )
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

/** Of members as they are written: none of the texts of that test holds a colon. */
function countColons(text: string): number {
  return text.split(':').length - 1
}

/** Of members that are left once `JSON.parse` has dropped the repeated ones. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const own = Array.isArray(value) ? 0 : Object.keys(value).length
  return Object.values(value).reduce<number>((sum, item) => sum + countMembers(item), own)
}
