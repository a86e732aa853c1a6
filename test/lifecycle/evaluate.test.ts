/** Properties of lifecycle evaluation, on generated policies and repositories. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { evaluate } from '#lifecycle/evaluate.ts'
import type { LifecyclePolicy } from '#lifecycle/policy.ts'
import { parseLifecyclePolicy } from '#lifecycle/policy.ts'
import type { LifecycleImage } from '#registry/lifecycle-images.ts'
import { decide, now, outcomeOf, readImages, type WrittenImage } from './cases.ts'
import { naiveOutcome } from './naive.ts'

const names = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']
const age = fc.integer({ min: 1, max: 6 }).map((days) => days * 100)

/** What an image refers to comes earlier in the alphabet, as a digest must be known to be referred to. */
function imageOf(name: string): fc.Arbitrary<WrittenImage> {
  const earlier = names.slice(0, names.indexOf(name))
  const some =
    earlier.length === 0 ? fc.constant(undefined) : fc.option(fc.constantFrom(...earlier), { nil: undefined })
  return fc
    .record({
      tags: fc.uniqueArray(fc.constantFrom('a', 'ab', 'b', 'abc'), { maxLength: 2 }),
      pushed: age,
      pulled: fc.option(age, { nil: undefined }),
      past: fc.constantFrom('none', 'none', 'archived', 'restored'),
      at: age,
      subject: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: some }),
      children: fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.subarray(earlier, { maxLength: Math.min(3, earlier.length) }) },
      ),
      inUseBy: fc.oneof(
        { weight: 5, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.constantFrom(['blue'], ['blue', 'green']) },
      ),
    })
    .map(({ past, at, ...image }) => {
      // Nothing happens to an image before it is pushed.
      const then = Math.min(at, image.pushed)
      return {
        ...image,
        pulled: image.pulled && Math.min(image.pulled, image.pushed),
        ...(past === 'archived' && { archived: then }),
        ...(past === 'restored' && { restored: then }),
      }
    })
}

const repositories: fc.Arbitrary<LifecycleImage[]> = fc
  .tuple(...names.map(imageOf))
  .map((written) => readImages(Object.fromEntries(names.map((name, index) => [name, written[index] as WrittenImage]))))

const selections = fc.constantFrom<object>(
  { tagStatus: 'tagged', tagPrefixList: ['a'] },
  { tagStatus: 'tagged', tagPrefixList: ['a', 'b'] },
  { tagStatus: 'tagged', tagPatternList: ['*b*'] },
  { tagStatus: 'untagged' },
  { tagStatus: 'any' },
)
const expire = { type: 'expire' }
const transition = { type: 'transition', targetStorageClass: 'archive' }
const days = (countType: string, countNumber: number) => ({ countType, countUnit: 'days', countNumber })
const counts = fc.oneof(
  fc.record({
    count: fc.oneof(
      fc.integer({ min: 1, max: 3 }).map((countNumber) => ({ countType: 'imageCountMoreThan', countNumber })),
      age.map((number) => days('sinceImagePushed', number)),
    ),
    action: fc.constantFrom<object>(expire, transition),
  }),
  age.map((number) => ({ count: days('sinceImagePulled', number), action: transition })),
  age.map((number) => ({
    count: { ...days('sinceImageTransitioned', number), storageClass: 'archive' },
    action: expire,
  })),
)

/** Those rules of a generated list that a policy may have together, in whichever order it has them. */
const policies: fc.Arbitrary<LifecyclePolicy> = fc
  .array(fc.record({ selection: selections, how: counts }), { minLength: 1, maxLength: 6 })
  .map((written) => {
    let policy: LifecyclePolicy = { rules: [] }
    const rules: object[] = []
    for (const { selection, how } of written) {
      const rule = { rulePriority: rules.length + 1, selection: { ...selection, ...how.count }, action: how.action }
      try {
        policy = parseLifecyclePolicy(JSON.stringify({ rules: [...rules, rule] }))
        rules.push(rule)
      } catch {
        // Does not go with the others.
      }
    }
    return policy
  })

const byName = (entries: readonly (readonly [string, number])[]) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1))

describe('lifecycle evaluation', () => {
  test('agrees with a naive one', () => {
    fc.assert(
      fc.property(policies, repositories, (policy, images) => {
        const { acted, blocked } = outcomeOf(policy, images)
        const naive = naiveOutcome(policy, images)
        assert.deepEqual(byName(acted), byName(naive.acted))
        assert.deepEqual(byName(blocked), byName(naive.blocked))
      }),
      { numRuns: 3_000 },
    )
  })

  test('the order of the images changes nothing, and each image is decided on once', () => {
    const shuffled = repositories.chain((images) =>
      fc.tuple(fc.constant(images), fc.shuffledSubarray(images, { minLength: images.length })),
    )
    fc.assert(
      fc.property(policies, shuffled, (policy, [images, others]) => {
        const { acted, blocked, kept } = outcomeOf(policy, images)
        const again = outcomeOf(policy, others)
        assert.deepEqual(again.acted, acted, 'in the same order')
        assert.deepEqual(byName(again.blocked), byName(blocked))
        const decided = [...acted, ...blocked].map(([name]) => name).concat(kept)
        assert.deepEqual(
          decided.sort((a, b) => (a < b ? -1 : 1)),
          names,
        )
      }),
    )
  })

  test('nothing that stays refers to what goes, at any moment of the run', () => {
    fc.assert(
      fc.property(policies, repositories, (policy, images) => {
        const there = new Map(images.map((image) => [image.digest, image.status]))
        const indexes = new Set(images.flatMap((image) => image.indexes))
        // One may refer to the very image that is its subject, so that neither can be first.
        const mayWaitForItself = images.some(({ digest, subject }) => subject !== undefined && indexes.has(digest))
        for (const decision of decide(policy, images)) {
          if (decision.verdict !== 'act') continue
          const { image, rule, subject } = decision
          const states = image.indexes.map((index) => there.get(index))
          if (rule.action === 'expire') {
            assert.ok(states.every((state) => state === undefined))
            assert.ok(subject === undefined || !there.has(subject) || mayWaitForItself)
            there.delete(image.digest)
          } else {
            assert.ok(states.every((state) => state === undefined || state === 'ARCHIVED'))
            there.set(image.digest, 'ARCHIVED')
          }
        }
      }),
    )
  })

  test('reports of use save images and doom none, and whoever is kept for them is kept for all of them', () => {
    fc.assert(
      fc.property(policies, repositories, (policy, images) => {
        const without = outcomeOf(
          policy,
          images.map((image) => ({ ...image, inUseBy: [] })),
        )
        const { acted } = outcomeOf(policy, images)
        const doomed = new Set(without.acted.map(([name]) => name))
        assert.ok(acted.every(([name]) => doomed.has(name)))
        const uses = new Map(images.map(({ digest, inUseBy }) => [digest, inUseBy.map(({ cluster }) => cluster)]))
        for (const decision of decide(policy, images)) {
          const clusters = uses.get(decision.image.digest) ?? []
          if (decision.verdict === 'act') assert.deepEqual(clusters, [])
          else if (decision.verdict === 'blocked') {
            const named = decision.inUseBy.map(({ cluster }) => cluster)
            assert.ok(named.length + decision.indexes.length > 0)
            assert.ok(clusters.every((cluster) => named.includes(cluster)))
            assert.deepEqual(
              named,
              [...new Set(named)].sort((a, b) => (a < b ? -1 : 1)),
            )
          }
        }
      }),
    )
  })

  test('a decision says which rule decided and by what, or which image it stays with', () => {
    const policy = parseLifecyclePolicy(
      JSON.stringify({
        rules: [
          {
            rulePriority: 7,
            description: 'one is enough',
            selection: { tagStatus: 'tagged', tagPrefixList: ['a'], countType: 'imageCountMoreThan', countNumber: 1 },
            action: expire,
          },
          {
            rulePriority: 8,
            selection: { tagStatus: 'untagged', ...days('sinceImagePushed', 5) },
            action: expire,
          },
        ],
      }),
    )
    const images = readImages({
      A: { tags: ['a'], pushed: 1 },
      B: { tags: ['b'], pushed: 1 },
      C: { tags: [], pushed: 1, subject: 'A' },
      D: { tags: ['a-2'], pushed: 2 },
      E: { tags: [], pushed: 9, subject: 'D' },
      F: { tags: [], pushed: 3 },
    })
    const [byCount, byAge] = policy.rules
    const [a, b, c, d, e, f] = images
    assert.equal(byCount?.description, 'one is enough')
    assert.deepEqual(decide(policy, images), [
      { image: d, verdict: 'act', rule: byCount, measured: 2, subject: undefined },
      { image: e, verdict: 'act', rule: byCount, measured: 2, subject: d?.digest },
      { image: b, verdict: 'keep', why: { reason: 'no rule' } },
      { image: a, verdict: 'keep', why: { reason: 'rule', rule: byCount, measured: 1 } },
      { image: f, verdict: 'keep', why: { reason: 'rule', rule: byAge, measured: f?.pushedAt } },
      { image: c, verdict: 'keep', why: { reason: 'subject', subject: a?.digest } },
    ])
  })

  test('hundreds of patterns on thousands of tags leave others their turn', () => {
    const entries = Array.from({ length: 200 }, (_, index) => `*${index}*`)
    const policy: LifecyclePolicy = {
      rules: [
        {
          priority: 1,
          tags: { status: 'tagged', by: 'pattern', entries },
          storageClass: 'standard',
          countType: 'sinceImagePushed',
          countNumber: 1,
          action: 'expire',
        },
      ],
    }
    const tags = Array.from({ length: 200 }, (_, index) => `tag-${index}`)
    const images = readImages(
      Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`image-${index}`, { tags, pushed: 2 }])),
    )
    const steps = evaluate(policy, images, now)
    let pauses = 0
    while (!steps.next().done) pauses++
    // 20 images, 200 patterns, 200 tags: 800,000 comparisons.
    assert.ok(pauses >= 8, `${pauses}`)
  })
})
