/** Prefixes of repositories: which of them cover a name, and which of several is the closest. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRepositoryName } from '#names/repository-name.ts'
import { findMostSpecific, parseRepositoryPrefix, prefixesCovering, rootPrefix } from '#names/repository-prefix.ts'

const segment = fc.stringMatching(/^[ab]{1,2}$/)
const name = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join('/'))
  .filter((text) => text.length >= 2)
  .map(parseRepositoryName)
const prefix = fc
  .oneof(
    fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/')),
    fc.constant('ROOT'),
  )
  .map(parseRepositoryPrefix)

test('a prefix covers what stands below it, neither its own name nor one that only begins like it', () => {
  const names = ['prod/x', 'prod/x/y', 'prod', 'production', 'production/x', 'a/prod/x'].map(parseRepositoryName)
  const covered = names.filter((each) => prefixesCovering(each).includes(parseRepositoryPrefix('prod')))
  assert.deepEqual(covered, ['prod/x', 'prod/x/y'])
})

test('a slash at the end of a prefix says nothing, and ROOT is one', () => {
  assert.equal(parseRepositoryPrefix('prod/'), parseRepositoryPrefix('prod'))
  assert.equal(parseRepositoryPrefix('p'), 'p')
  assert.equal(parseRepositoryPrefix('ROOT'), rootPrefix)
  for (const bad of ['', '/', 'prod//', '/prod', 'Prod', 'prod/_', 'ROOT/x', 'a b']) {
    assert.throws(() => parseRepositoryPrefix(bad), { code: 'NameInvalid' }, bad)
  }
})

test('what covers a name is what the name begins with before a slash, the longest first and ROOT last', () => {
  fc.assert(
    fc.property(name, (name) => {
      const covering = prefixesCovering(name)
      assert.equal(covering.at(-1), rootPrefix)
      for (const [at, each] of covering.slice(0, -1).entries()) {
        assert.ok(name.startsWith(`${each}/`))
        const next = covering[at + 1] ?? rootPrefix
        assert.ok(next === rootPrefix || next.length < each.length)
        assert.equal(parseRepositoryPrefix(each), each)
      }
      assert.equal(covering.length, name.split('/').length)
    }),
  )
})

test('the closest of several is the longest that covers, whatever their order, and ROOT where no other does', () => {
  fc.assert(
    fc.property(name, fc.uniqueArray(prefix, { maxLength: 8 }), (name, prefixes) => {
      const covering = prefixes.filter((each) => each !== rootPrefix && name.startsWith(`${each}/`))
      const [longest] = covering.sort((a, b) => b.length - a.length)
      const expected = longest ?? prefixes.find((each) => each === rootPrefix)
      const entries = prefixes.map((prefix) => ({ prefix }))
      assert.equal(findMostSpecific(entries, name)?.prefix, expected)
      assert.equal(findMostSpecific(entries.reverse(), name)?.prefix, expected)
    }),
  )
})
