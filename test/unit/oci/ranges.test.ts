/** `Range`, `Content-Range` and the range of an upload, against a slow and obvious reading of the same grammar. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseContentRange, parseRange, printUploadRange } from '#oci/ranges.ts'

/** RFC 9110 section 14, byte by byte: the bytes of the content that the one range selects. */
function selectedBytes(from: string, to: string, sizeBytes: number): number[] {
  const all = Array.from({ length: sizeBytes }, (_, at) => at)
  if (from === '') return to === '0' ? [] : all.slice(-Number(to))
  return all.filter((at) => at >= Number(from) && (to === '' || at <= Number(to)))
}

const position = fc.oneof(fc.constant(''), fc.nat(40).map(String))

describe('the range of a blob', () => {
  test('it selects the bytes that RFC 9110 says, and is unsatisfiable where there are none', () => {
    fc.assert(
      fc.property(position, position, fc.nat(30), (from, to, sizeBytes) => {
        fc.pre(from !== '' || to !== '')
        const range = parseRange(`bytes=${from}-${to}`, sizeBytes)
        if (from !== '' && to !== '' && Number(to) < Number(from)) {
          assert.equal(range, undefined)
          return
        }
        const bytes = selectedBytes(from, to, sizeBytes)
        if (bytes.length === 0) {
          assert.equal(range, 'unsatisfiable')
          return
        }
        assert.deepEqual(range, { start: bytes[0], end: (bytes.at(-1) ?? 0) + 1 })
      }),
      { numRuns: 1_000 },
    )
  })

  test('the unit is read in any case, and space around the range does no harm', () => {
    for (const header of ['bytes=2-3', 'Bytes=2-3', 'bytes= 2-3 ', ' bytes=2-3']) {
      assert.deepEqual(parseRange(header, 10), { start: 2, end: 4 })
    }
  })

  test('numbers past any size are no failure', () => {
    const huge = '9'.repeat(400)
    assert.deepEqual(parseRange(`bytes=0-${huge}`, 10), { start: 0, end: 10 })
    assert.deepEqual(parseRange(`bytes=-${huge}`, 10), { start: 0, end: 10 })
    assert.equal(parseRange(`bytes=${huge}-`, 10), 'unsatisfiable')
  })

  test('no header, another unit, several ranges and what is not in the grammar mean the whole', () => {
    const others = [
      '',
      'bytes',
      'bytes=',
      'bytes=-',
      'bytes=a-b',
      'bytes=1',
      'bytes=0-1,3-4',
      'lines=0-1',
      'bytes=1-2-3',
    ]
    for (const header of [undefined, ...others, 'bytes=1 0-20', 'bytes=-1-2', 'bytes=0x1-2', '0-1', 'bytes=1--2']) {
      assert.equal(parseRange(header, 10), undefined, String(header))
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (!/^\s*bytes=\s*\d*-\d*\s*$/i.test(text)) assert.equal(parseRange(text, 10), undefined)
      }),
    )
  })
})

describe('the place of a chunk', () => {
  const numbers = fc.tuple(fc.nat(2 ** 31), fc.nat(2 ** 31))

  test('both ends are included, and the end is not before the start', () => {
    fc.assert(
      fc.property(numbers, ([first, last]) => {
        const expected = last < first ? undefined : { first, length: last - first + 1 }
        assert.deepEqual(parseContentRange(`${first}-${last}`), expected)
      }),
    )
  })

  test('the form of RFC 9110 means the same', () => {
    for (const header of [
      '5-9',
      ' 5-9 ',
      'bytes 5-9',
      'Bytes 5-9/20',
      'bytes=5-9',
      'bytes 5-9/20',
      'bytes 5-9/*',
      '5-9/20',
    ]) {
      assert.deepEqual(parseContentRange(header), { first: 5, length: 5 }, header)
    }
  })

  test('anything else is no place', () => {
    for (const header of ['', '-', '5', '5-', '-9', 'a-b', '5-9-', 'bytes */20', '5 - 9', '0x5-9', '-5-9', '1.0-2']) {
      assert.equal(parseContentRange(header), undefined, header)
    }
  })
})

describe('the range of an upload', () => {
  test('it ends with the last byte received', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), (offset) => {
        assert.deepEqual(parseContentRange(printUploadRange(offset)), { first: 0, length: offset })
      }),
    )
  })

  test('of an empty upload it is 0-0', () => {
    assert.equal(printUploadRange(0), '0-0')
  })
})
