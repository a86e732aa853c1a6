/** ECR's paging: a token brings back the key that it was made of, to the listing that gave it and to no other. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { openPage, refusePaging } from '#ecr/paging.ts'
import { printPageToken } from '#lib/page.ts'
import { Refusal } from '#lib/refusal.ts'

const scope = ['ListImages', 'team/app', 'ANY']
const lowerCase = (text: string) => /^[a-z]+$/.test(text)
const anything = () => true
const badToken = { member: 'NextToken', constraint: 'Invalid next token provided' }

function isRefused(facts: object) {
  return (error: unknown) => {
    assert.ok(error instanceof Refusal)
    assert.deepEqual([error.code, error.facts], ['ParameterInvalid', facts])
    return true
  }
}

describe('paging', () => {
  test('a hundred lines, from the beginning, unless the request says otherwise', () => {
    const { limit, after, nextToken } = openPage({}, scope, [anything])
    assert.deepEqual([limit, after, nextToken(undefined)], [100, undefined, undefined])
    assert.equal(openPage({ maxResults: 7 }, scope, [anything]).limit, 7)
  })

  test('a token brings back the key that its page ended with, whatever texts it is made of', () => {
    // But for NUL, which no key holds.
    const text = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '0'))
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), (key) => {
        const grammars = key.map(() => anything)
        const nextToken = openPage({}, scope, grammars).nextToken(key)
        assert.deepEqual(openPage({ nextToken }, scope, grammars).after, key)
      }),
    )
  })

  test('a token of another listing, of another length or of another grammar is none', () => {
    const nextToken = printPageToken(scope, ['abc'])
    assert.deepEqual(openPage({ nextToken }, scope, [lowerCase]).after, ['abc'])
    assert.throws(
      () => openPage({ nextToken }, ['DescribeImages', 'team/app', 'ANY'], [lowerCase]),
      isRefused(badToken),
    )
    assert.throws(() => openPage({ nextToken }, scope, [lowerCase, lowerCase]), isRefused(badToken))
    const forged = printPageToken(scope, ['\0'])
    assert.throws(() => openPage({ nextToken: forged }, scope, [lowerCase]), isRefused(badToken))
  })

  test('any other text is no token', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.throws(() => openPage({ nextToken: text }, scope, [anything]), isRefused(badToken))
      }),
    )
  })

  test('what is asked for by name is not paged', () => {
    refusePaging({}, 'imageIds')
    const constraint = 'must not be given together with imageIds'
    assert.throws(() => refusePaging({ maxResults: 1 }, 'imageIds'), isRefused({ member: 'maxResults', constraint }))
    assert.throws(() => refusePaging({ nextToken: '' }, 'imageIds'), isRefused({ member: 'nextToken', constraint }))
  })
})
