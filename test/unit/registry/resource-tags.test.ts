/** Resource tags: what may be added to what, and that adding and removing do what they say, whatever the keys are. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Refusal } from '#lib/refusal.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { withoutResourceTags, withResourceTags } from '#registry/resource-tags.ts'

const where = {
  registry: { account: parseAccountId('000000000000'), region: parseRegion('us-east-1') },
  repository: parseRepositoryName('app'),
}

const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'Owner', 'größe', 'a b', 'x:y/z=+-@_.'),
  fc.stringMatching(/^[a-z]{1,3}$/),
)
const value = fc.constantFrom('', 'x', 'two words', 'größe')
const tags = fc.uniqueArray(fc.record({ key, value }), { maxLength: 10, selector: (tag) => tag.key })
const record = tags.map((list) => Object.fromEntries(list.map((tag) => [tag.key, tag.value])))

const refuses = (work: () => unknown, code: string, facts: object) =>
  assert.throws(work, (error: Refusal) => {
    assert.deepEqual([error.code, error.facts], [code, facts])
    return true
  })

describe('resource tags', () => {
  test('what is added is there afterwards, what was there stays unless it was overwritten', () => {
    fc.assert(
      fc.property(record, tags, (present, added) => {
        const after = withResourceTags(present, added, where)
        const expected = new Map([...Object.entries(present), ...added.map((tag) => [tag.key, tag.value] as const)])
        assert.deepEqual(new Map(Object.entries(after)), expected)
      }),
    )
  })

  test('what is removed is gone, and nothing else', () => {
    fc.assert(
      fc.property(record, fc.array(key), (present, keys) => {
        const left = withoutResourceTags(present, keys)
        const expected = new Map(Object.entries(present).filter(([key]) => !keys.includes(key)))
        assert.deepEqual(new Map(Object.entries(left)), expected)
      }),
    )
  })

  test('a key in the name space of AWS, in any case, is refused', () => {
    for (const key of ['aws:x', 'AWS:x', 'Aws:cloudformation:stack-name']) {
      refuses(() => withResourceTags({}, [{ key, value: '' }], where), 'ResourceTagInvalid', {
        key,
        problem: 'reserved',
      })
    }
    assert.deepEqual(withResourceTags({}, [{ key: 'awsome', value: '' }], where), { awsome: '' })
  })

  test('characters beyond letters, digits, spaces and _.:/=+-@ are refused in keys and in values', () => {
    for (const bad of ['a*b', 'a\nb', 'a\0', 'a"b', 'a,b', 'a?b', '🙂']) {
      const facts = (key: string) => ({ key, problem: 'characters' })
      refuses(() => withResourceTags({}, [{ key: bad, value: '' }], where), 'ResourceTagInvalid', facts(bad))
      refuses(() => withResourceTags({}, [{ key: 'a', value: bad }], where), 'ResourceTagInvalid', facts('a'))
    }
  })

  test('a key given twice in one request is refused', () => {
    const twice = [
      { key: 'a', value: '1' },
      { key: 'a', value: '2' },
    ]
    refuses(() => withResourceTags({}, twice, where), 'ResourceTagInvalid', { key: 'a', problem: 'repeated' })
  })

  test('a repository has at most fifty, and overwriting one of fifty is no fifty-first', () => {
    const fifty = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`k${at}`, '']))
    assert.equal(withResourceTags(fifty, [{ key: 'k7', value: 'new' }], where).k7, 'new')
    refuses(() => withResourceTags(fifty, [{ key: 'k50', value: '' }], where), 'TooManyResourceTags', where)
  })
})
