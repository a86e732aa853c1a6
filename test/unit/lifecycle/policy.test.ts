/** The grammar of lifecycle policies: what is taken, and each constraint by the problem that it is refused for. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '#lib/refusal.ts'
import { parseLifecyclePolicy } from '#lifecycle/policy.ts'

const selection = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 }
const rule = { rulePriority: 1, selection, action: { type: 'expire' } }
const archive = { type: 'transition', targetStorageClass: 'archive' }
const tagged = (lists: object) => ({ ...selection, tagStatus: 'tagged', ...lists })
const since = (countType: string, more: object = {}) => ({ ...selection, countType, countUnit: 'days', ...more })
const transitioned = since('sinceImageTransitioned', { storageClass: 'archive', countNumber: 90 })

/** A rule with that selection and, if need be, that action. */
const selecting = (given: object, action: object = rule.action) => ({ ...rule, selection: given, action })
const numbered = (...rules: object[]) => rules.map((each, index) => ({ ...each, rulePriority: index + 1 }))

function problemOf(document: unknown): unknown {
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  try {
    parseLifecyclePolicy(text, 50)
    return undefined
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    assert.equal(error.code, 'LifecyclePolicyInvalid')
    return error.facts
  }
}

function assertProblems(cases: readonly (readonly [rules: readonly unknown[], problem: unknown])[]): void {
  for (const [rules, problem] of cases) assert.deepEqual(problemOf({ rules }), problem, JSON.stringify(rules))
}

describe('the grammar of lifecycle policies', () => {
  test('rules come by priority, with what they leave out', () => {
    const second = {
      rulePriority: 20,
      description: 'release images',
      selection: { ...since('sinceImagePushed'), tagStatus: 'tagged', tagPatternList: ['b*', 'a*', 'b*'] },
      action: archive,
    }
    const first = { ...rule, rulePriority: 3, selection: { ...selection, tagStatus: 'untagged' } }
    assert.deepEqual(parseLifecyclePolicy(JSON.stringify({ rules: [second, first] })).rules, [
      {
        priority: 3,
        tags: { status: 'untagged' },
        storageClass: 'standard',
        countType: 'imageCountMoreThan',
        countNumber: 1,
        action: 'expire',
      },
      {
        priority: 20,
        description: 'release images',
        tags: { status: 'tagged', by: 'pattern', entries: ['a*', 'b*'] },
        storageClass: 'standard',
        countType: 'sinceImagePushed',
        countNumber: 1,
        action: 'transition',
      },
    ])
  })

  test('every way to count has the actions and the storage class that it goes with', () => {
    assertProblems([
      [[selecting(selection, archive)], undefined],
      [[selecting(since('sinceImagePushed'))], undefined],
      [[selecting(since('sinceImagePushed', { storageClass: 'standard' }), archive)], undefined],
      [[selecting(since('sinceImagePulled'), archive)], undefined],
      [[selecting(transitioned)], undefined],
      [
        [selecting(since('sinceImagePulled'))],
        { problem: 'action', countType: 'sinceImagePulled', wanted: 'transition' },
      ],
      [
        [selecting(transitioned, archive)],
        { problem: 'action', countType: 'sinceImageTransitioned', wanted: 'expire' },
      ],
      [
        [selecting({ ...transitioned, storageClass: 'standard' })],
        { problem: 'storage class', countType: 'sinceImageTransitioned', wanted: 'archive' },
      ],
      [[selecting({ ...transitioned, countNumber: 89 })], { problem: 'number too small', least: 90, found: 89 }],
      ...['imageCountMoreThan', 'sinceImagePushed', 'sinceImagePulled'].map((countType) => {
        const given = countType === 'imageCountMoreThan' ? selection : since(countType)
        const problem = { problem: 'storage class', countType, wanted: 'standard' }
        return [[selecting({ ...given, storageClass: 'archive' }, archive)], problem] as const
      }),
    ])
  })

  test('what is no object of the right members is refused', () => {
    const cases: readonly (readonly [unknown, unknown])[] = [
      ['', { problem: 'syntax' }],
      ['{"rules":', { problem: 'syntax' }],
      [`{"rules":[],"\ud800":1}`, { problem: 'syntax' }],
      ['{"rules":[],"rules":[]}', { problem: 'member repeated', name: 'rules' }],
      [[], { problem: 'type', found: 'array', wanted: 'object' }],
      ['null', { problem: 'type', found: 'null', wanted: 'object' }],
      [{}, { problem: 'members missing', names: ['rules'] }],
      [
        { rules: [rule], version: '1' },
        { problem: 'members unknown', names: ['version'] },
      ],
      ['{"rules":[],"__proto__":1}', { problem: 'members unknown', names: ['__proto__'] }],
      [{ rules: rule }, { problem: 'type', found: 'object', wanted: 'array' }],
    ]
    for (const [document, problem] of cases) assert.deepEqual(problemOf(document), problem)
    assertProblems([
      [[], { problem: 'list too short', least: 1, found: 0 }],
      [new Array(51).fill(rule), { problem: 'list too long', most: 50, found: 51 }],
      [['text'], { problem: 'type', found: 'string', wanted: 'object' }],
      [[{ selection }], { problem: 'members missing', names: ['action', 'rulePriority'] }],
      [[{ ...rule, name: 'x', id: 1 }], { problem: 'members unknown', names: ['name', 'id'] }],
      [[{ ...rule, rulePriority: '1' }], { problem: 'type', found: 'string', wanted: 'integer' }],
      [[{ ...rule, rulePriority: 1.5 }], { problem: 'type', found: 'number', wanted: 'integer' }],
      [[{ ...rule, rulePriority: 0 }], { problem: 'number too small', least: 1, found: 0 }],
      [[{ ...rule, rulePriority: 2 ** 31 }], { problem: 'number too large', most: 2 ** 31 - 1, found: 2 ** 31 }],
      [[{ ...rule, description: null }], { problem: 'type', found: 'null', wanted: 'string' }],
      [[selecting({})], { problem: 'members missing', names: ['countNumber', 'countType', 'tagStatus'] }],
      [[selecting({ ...selection, tags: [] })], { problem: 'members unknown', names: ['tags'] }],
      [
        [selecting({ ...selection, tagStatus: 'Any' })],
        { problem: 'value', value: 'Any', allowed: ['any', 'tagged', 'untagged'] },
      ],
      [
        [selecting({ ...selection, storageClass: 'glacier' })],
        { problem: 'value', value: 'glacier', allowed: ['archive', 'standard'] },
      ],
      [[selecting({ ...selection, countNumber: 0 })], { problem: 'number too small', least: 1, found: 0 }],
      [[selecting(tagged({ tagPrefixList: 'a' }))], { problem: 'type', found: 'string', wanted: 'array' }],
      [[selecting(tagged({ tagPrefixList: [1] }))], { problem: 'type', found: 'integer', wanted: 'string' }],
      [[selecting(tagged({ tagPrefixList: [''] }))], { problem: 'text empty' }],
      [[selecting(selection, {})], { problem: 'members missing', names: ['type'] }],
      [
        [selecting(selection, { type: 'delete' })],
        { problem: 'value', value: 'delete', allowed: ['expire', 'transition'] },
      ],
      [[selecting(selection, { type: 'transition' })], { problem: 'members missing', names: ['targetStorageClass'] }],
      [
        [selecting(selection, { ...archive, targetStorageClass: 'standard' })],
        { problem: 'value', value: 'standard', allowed: ['archive'] },
      ],
      [
        [selecting(selection, { ...archive, type: 'expire' })],
        { problem: 'members unknown', names: ['targetStorageClass'] },
      ],
    ])
  })

  test('a count of another type, without its unit, with a unit too many or with a null is none', () => {
    for (const given of [
      { ...selection, countType: 'sinceForever' },
      { ...selection, countType: 'sinceImagePushed' },
      { ...selection, countUnit: 'days' },
      since('sinceImagePushed', { countUnit: 'hours' }),
      { ...selection, countUnit: null },
      tagged({ tagPrefixList: ['a'], tagPatternList: null }),
    ]) {
      assert.deepEqual(problemOf({ rules: [selecting(given)] }), { problem: 'count' }, JSON.stringify(given))
    }
  })

  test('tagged images are selected by one list, and others by none', () => {
    assertProblems([
      [[selecting(tagged({ tagPrefixList: ['a'] }))], undefined],
      [[selecting(tagged({ tagPrefixList: ['a'], tagPatternList: [] }))], undefined],
      [[selecting(tagged({}))], { problem: 'tags missing' }],
      [[selecting(tagged({ tagPatternList: [] }))], { problem: 'tags missing' }],
      [[selecting(tagged({ tagPrefixList: ['a'], tagPatternList: ['a'] }))], { problem: 'tags ambiguous' }],
      [[selecting({ ...selection, tagPrefixList: ['a'] })], { problem: 'tags unexpected' }],
      [[selecting({ ...selection, tagStatus: 'untagged', tagPatternList: ['a'] })], { problem: 'tags unexpected' }],
      [[selecting(tagged({ tagPatternList: ['*a*b*c*'] }))], undefined],
      [
        [selecting(tagged({ tagPatternList: ['a', '*a*b*c*d*'] }))],
        { problem: 'wildcards', pattern: '*a*b*c*d*', most: 4 },
      ],
    ])
  })

  test('rules of one policy do not stand in one another’s way', () => {
    const untagged = selecting({ ...selection, tagStatus: 'untagged' })
    const ab = selecting(tagged({ tagPrefixList: ['a', 'b'] }))
    const ba = selecting(tagged({ tagPrefixList: ['b', 'a', 'a'] }))
    assertProblems([
      [[rule, { ...untagged, rulePriority: 1 }], { problem: 'priority repeated', priority: 1 }],
      [numbered(untagged, untagged), { problem: 'untagged repeated' }],
      [numbered(rule, untagged), { problem: 'any not last' }],
      [numbered(rule, rule), { problem: 'any not last' }],
      [numbered(ab, untagged, ba), { problem: 'tags repeated', priorities: [1, 3] }],
      [numbered(ab, selecting(tagged({ tagPatternList: ['a', 'b'] }))), undefined],
      [numbered(ab, selecting(tagged({ tagPrefixList: ['a'] })), untagged, rule), undefined],
      // Each storage class for itself.
      [numbered(rule, selecting(transitioned)), undefined],
      [numbered(untagged, rule, selecting({ ...transitioned, tagStatus: 'untagged' })), undefined],
      [numbered(selecting(transitioned), selecting(transitioned)), { problem: 'any not last' }],
    ])
  })

  test('whatever the text, it is taken or refused', () => {
    const json = fc.oneof(
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify({ rules: [{ ...rule, selection: value }] })),
    )
    fc.assert(fc.property(fc.oneof(fc.string(), json), (text) => void problemOf(text)))
  })
})
