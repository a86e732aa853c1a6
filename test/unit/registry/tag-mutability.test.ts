/** Which tags may move: the four modes and their exclusions. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Refusal } from '#lib/refusal.ts'
import { parseTag } from '#names/tag.ts'
import { isImmutable, parseTagMutability } from '#registry/tag-mutability.ts'

const refuses = (work: () => unknown, code: string, facts: object) =>
  assert.throws(work, (error: Refusal) => {
    assert.deepEqual([error.code, error.facts], [code, facts])
    return true
  })

const filter = fc.stringMatching(/^[a-c]{0,3}(\*[a-c]{0,2}){0,2}$/).filter((text) => text !== '')
const tag = fc.stringMatching(/^[a-c]{1,5}$/).map(parseTag)

describe('tag mutability', () => {
  test('without exclusions the mode decides alone', () => {
    fc.assert(
      fc.property(tag, (tag) => {
        assert.equal(isImmutable(parseTagMutability('MUTABLE', undefined), tag), false)
        assert.equal(isImmutable(parseTagMutability('IMMUTABLE', []), tag), true)
      }),
    )
  })

  test('a tag that any filter matches is the exception, in both modes', () => {
    fc.assert(
      fc.property(fc.array(filter, { minLength: 1, maxLength: 5 }), tag, (filters, tag) => {
        const excluded = filters.some((text) => new RegExp(`^${text.replaceAll('*', '.*')}$`).test(tag))
        assert.equal(isImmutable(parseTagMutability('IMMUTABLE_WITH_EXCLUSION', filters), tag), !excluded)
        assert.equal(isImmutable(parseTagMutability('MUTABLE_WITH_EXCLUSION', filters), tag), excluded)
      }),
    )
  })

  test('filters are given where the mode takes them, and nowhere else', () => {
    for (const mode of ['MUTABLE', 'IMMUTABLE'] as const) {
      refuses(() => parseTagMutability(mode, ['dev*']), 'TagMutabilityFiltersMismatch', { mode, given: true })
      for (const none of [undefined, []]) {
        assert.deepEqual(parseTagMutability(mode, none), { mode, exclusions: [] })
        const excluding = `${mode}_WITH_EXCLUSION` as const
        const facts = { mode: excluding, given: false }
        refuses(() => parseTagMutability(excluding, none), 'TagMutabilityFiltersMismatch', facts)
      }
    }
  })

  test('a filter holds at most two wildcards', () => {
    const mode = 'IMMUTABLE_WITH_EXCLUSION'
    assert.deepEqual(parseTagMutability(mode, ['*dev*']), { mode, exclusions: ['*dev*'] })
    refuses(() => parseTagMutability(mode, ['ok*', 'a*b*c*']), 'TagMutabilityFilterInvalid', { filter: 'a*b*c*' })
  })
})
