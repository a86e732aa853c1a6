/** Properties of lifecycle evaluation, on generated policies and repositories. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { evaluate } from '#lifecycle/evaluate.ts'
import { type LifecyclePolicy, parseLifecyclePolicy } from '#lifecycle/policy.ts'
import type { Digest } from '#names/digest.ts'
import type { LifecycleImage } from '#registry/lifecycle-images.ts'
import { decide, now, outcomeOf, readImages } from './cases.ts'
import { days, expire, names, policies, repositories } from './generated.ts'
import { naiveOutcome } from './naive.ts'

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

  /**
   * What goes makes room in each count that it was part of, and makes nothing older, so that nothing that stays is beyond a rule for it.
   * But an image that outlives its subject, since it is in use or an index needs it, is under the rules from then on: it may be taken,
   * where the other rule allows that, or take another's place in a count.
   */
  test('a second run at once takes nothing more, unless something outlived its subject', () => {
    let runs = 0
    fc.assert(
      fc.property(policies, repositories, (policy, images) => {
        const left = leftBy(policy, images)
        const present = new Set(left.map(({ digest }) => digest))
        const went = new Set(images.map(({ digest }) => digest).filter((digest) => !present.has(digest)))
        if (left.some(({ subject }) => subject !== undefined && went.has(subject))) return
        if (outcomeOf(policy, images).acted.length > 0) runs++
        assert.deepEqual(outcomeOf(policy, left).acted, [])
      }),
      { numRuns: 1_000 },
    )
    assert.ok(runs > 250, `${runs}`)
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

  test('acts by priority, and of one rule on the older first', () => {
    const [rule] = parseLifecyclePolicy(
      JSON.stringify({
        rules: [
          {
            rulePriority: 1,
            selection: { tagStatus: 'tagged', tagPrefixList: ['a'], ...days('sinceImagePushed', 1) },
            action: expire,
          },
        ],
      }),
    ).rules
    assert.ok(rule)
    const second = { ...rule, priority: 2, tags: { status: 'untagged' } as const }
    const images = readImages({
      A: { tags: ['a'], pushed: 2 },
      B: { tags: [], pushed: 9 },
      C: { tags: ['a'], pushed: 3 },
      D: { tags: [], pushed: 8 },
    })
    assert.deepEqual(outcomeOf({ rules: [rule, second] }, images).acted, [
      ['C', 1],
      ['A', 1],
      ['B', 2],
      ['D', 2],
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

/** The repository as the policy leaves it. */
function leftBy(policy: LifecyclePolicy, images: readonly LifecycleImage[]): LifecycleImage[] {
  const actions = new Map<Digest, string>()
  for (const decision of decide(policy, images)) {
    if (decision.verdict === 'act') actions.set(decision.image.digest, decision.rule.action)
  }
  const stays = (digest: Digest) => actions.get(digest) !== 'expire'
  return images
    .filter(({ digest }) => stays(digest))
    .map((image) => ({
      ...image,
      ...(actions.get(image.digest) === 'transition' && { status: 'ARCHIVED', archivedAt: now }),
      indexes: image.indexes.filter(stays),
    }))
}
