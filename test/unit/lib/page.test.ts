/** Pages by key: joined they are the whole, under changes too, and a token is good for its own listing alone. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { pageOf, parsePageToken, printPageToken } from '#lib/page.ts'

/** What a query with `limit + 1` answers of a table with these keys. */
function rowsAfter(keys: ReadonlySet<number>, after: number | undefined, limit: number): number[] {
  return [...keys]
    .sort((a, b) => a - b)
    .filter((key) => after === undefined || key > after)
    .slice(0, limit + 1)
}

describe('pages', () => {
  test('pages joined are the whole, and none but the last is short', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(100)), fc.integer({ min: 1, max: 10 }), (list, limit) => {
        const keys = new Set(list)
        const seen: number[] = []
        let after: number | undefined
        do {
          const page = pageOf(rowsAfter(keys, after, limit), limit, (key) => key)
          if (page.next !== undefined) assert.equal(page.items.length, limit)
          seen.push(...page.items)
          after = page.next
        } while (after !== undefined)
        assert.deepEqual(
          seen,
          [...keys].sort((a, b) => a - b),
        )
      }),
    )
  })

  test('rows that come and go between pages repeat nothing and hide nothing that stayed', () => {
    const changes = fc.array(fc.record({ add: fc.boolean(), key: fc.nat(100) }))
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(100)), fc.integer({ min: 1, max: 5 }), changes, (list, limit, planned) => {
        const keys = new Set(list)
        const stayed = new Set(list)
        const seen: number[] = []
        const queue = [...planned]
        let after: number | undefined
        do {
          const page = pageOf(rowsAfter(keys, after, limit), limit, (key) => key)
          seen.push(...page.items)
          after = page.next
          const change = queue.shift()
          if (change?.add) keys.add(change.key)
          else if (change !== undefined) {
            keys.delete(change.key)
            stayed.delete(change.key)
          }
        } while (after !== undefined)
        assert.equal(new Set(seen).size, seen.length)
        for (const key of stayed) assert.ok(seen.includes(key))
      }),
    )
  })

  test('a page of nothing is empty and has no next one', () => {
    assert.deepEqual(
      pageOf([1], 0, (key) => key),
      { items: [] },
    )
    assert.deepEqual(
      pageOf([], 10, (key) => key),
      { items: [] },
    )
  })
})

describe('page tokens', () => {
  const scope = fc.array(fc.oneof(fc.string(), fc.constant(null), fc.array(fc.string())))
  const part = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))
  const key = fc.array(part, { minLength: 1, maxLength: 3 })

  test('a token gives back its key', () => {
    fc.assert(
      fc.property(scope, key, (scope, key) => {
        const token = printPageToken(scope, key)
        assert.match(token, /^[A-Za-z0-9_-]+$/)
        assert.deepEqual(parsePageToken(scope, token, key.length), key)
      }),
    )
  })

  test('a token of another listing, or of a key of another length, is none', () => {
    fc.assert(
      fc.property(scope, scope, key, (scope, other, key) => {
        fc.pre(JSON.stringify(scope) !== JSON.stringify(other))
        const token = printPageToken(scope, key)
        assert.equal(parsePageToken(other, token, key.length), undefined)
        const forged = printPageToken(scope, [...key.slice(1), 'a\0b'])
        assert.equal(parsePageToken(scope, forged, Math.max(key.length, 1)), undefined)
        assert.equal(parsePageToken(scope, token, key.length + 1), undefined)
      }),
    )
  })

  test('any other text is none, and no failure', () => {
    const encoded = fc.json().map((text) => Buffer.from(text).toString('base64url'))
    fc.assert(
      fc.property(fc.oneof(fc.string(), encoded), (token) => {
        assert.equal(parsePageToken(['ListImages'], token, 1), undefined)
      }),
    )
  })
})
