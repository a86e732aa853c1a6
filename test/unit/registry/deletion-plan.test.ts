import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Digest, digestOf } from '#names/digest.ts'
import { parseTag } from '#names/tag.ts'
import { type HeldImages, planDeletion } from '#registry/deletion-plan.ts'
import type { ImageQuery } from '#registry/image.ts'

const digest = (place: number): Digest => digestOf('sha256', place.toString(16).padStart(64, '0'))
const [first, second] = [digest(1), digest(2)]
const [v1, v2] = [parseTag('v1'), parseTag('v2')]

/** Each image is referred to by the next one. */
function chain(length: number): HeldImages {
  return new Map(
    Array.from({ length }, (_, place) => [
      digest(place),
      { tags: [], indexes: place + 1 < length ? [digest(place + 1)] : [], inUseBy: [] },
    ]),
  )
}

const byDigest = (held: HeldImages): ImageQuery[] => [...held.keys()].map((each) => ({ digest: each }))

test('a hundred nested indexes go in one plan, in the worst order', () => {
  const held = chain(100)
  const { images, failures } = planDeletion(held, byDigest(held), 'takes image')
  assert.deepEqual([...images].reverse(), [...held.keys()])
  assert.equal(failures.size, 0)
})

test('what goes does not depend on the order, and leaves no index without a child', () => {
  const held = chain(12)
  const asked = fc.shuffledSubarray(byDigest(held))
  fc.assert(
    fc.property(asked, (queries) => {
      const { images, failures } = planDeletion(held, queries, 'takes image')
      const wanted = new Set(queries.map((query) => query.digest))
      // From the outermost index inwards, as far as every one is asked for.
      const expected: Digest[] = []
      for (let place = 11; place >= 0 && wanted.has(digest(place)); place--) expected.push(digest(place))
      assert.deepEqual(images, expected)
      assert.equal(failures.size, queries.length - expected.length)
    }),
  )
})

test('an image goes with the last of its tags, or stays without one', () => {
  const held: HeldImages = new Map([[first, { tags: [v1, v2], indexes: [], inUseBy: [] }]])
  const queries = [{ tag: v1 }, { tag: v2 }]
  const gone = [
    { digest: first, tag: v1 },
    { digest: first, tag: v2 },
  ]
  const taken = planDeletion(held, queries, 'takes image')
  assert.deepEqual(taken, { gone, images: [first], tags: [v1], failures: new Map() })
  const left = planDeletion(held, queries, 'leaves image')
  assert.deepEqual(left, { gone, images: [], tags: [v1, v2], failures: new Map() })
})

test('each query that deletes nothing says why, unless it went with another', () => {
  const held: HeldImages = new Map([
    [first, { tags: [v1], indexes: [second], inUseBy: [] }],
    [second, { tags: [v2], indexes: [], inUseBy: [] }],
  ])
  const referenced = { digest: first }
  const elsewhere = { tag: v1, digest: second }
  const unknown = { digest: digest(3) }
  const { gone, failures } = planDeletion(held, [referenced, elsewhere, unknown], 'takes image')
  assert.deepEqual(gone, [])
  assert.deepEqual(
    failures,
    new Map<ImageQuery, object>([
      [referenced, { reason: 'referenced', digest: first, indexes: [second] }],
      [elsewhere, { reason: 'tag elsewhere' }],
      [unknown, { reason: 'not found' }],
    ]),
  )
  const all = planDeletion(held, [{ tag: v1 }, { digest: second }, { tag: v2 }, { digest: first }], 'takes image')
  assert.deepEqual(all.images, [second, first])
  assert.equal(all.failures.size, 0)
})

test('an image in use goes neither by its digest nor with its last tag, and other tags of it do', () => {
  const inUseBy = [{ cluster: 'prod', until: 1 }]
  const held: HeldImages = new Map([
    [first, { tags: [v1, v2], indexes: [], inUseBy }],
    [second, { tags: [], indexes: [], inUseBy: [] }],
  ])
  const [byDigest, other, last] = [{ digest: first }, { tag: v1 }, { tag: v2 }]
  const plan = planDeletion(held, [byDigest, other, last, { digest: second }], 'takes image')
  const failure = { reason: 'in use', digest: first, inUseBy }
  assert.deepEqual(plan.images, [second])
  assert.deepEqual(plan.tags, [v1])
  assert.deepEqual(
    plan.failures,
    new Map<ImageQuery, object>([
      [byDigest, failure],
      [last, failure],
    ]),
  )
  assert.deepEqual(planDeletion(held, [other, last], 'leaves image').tags, [v1, v2])
})

test('an image that an index refers to is said to be so first, and in use once that index goes', () => {
  const inUseBy = [{ cluster: 'prod', until: 1 }]
  const held: HeldImages = new Map([
    [first, { tags: [], indexes: [second], inUseBy }],
    [second, { tags: [], indexes: [], inUseBy: [] }],
  ])
  const child = { digest: first }
  const alone = planDeletion(held, [child], 'takes image')
  assert.deepEqual(alone.failures.get(child), { reason: 'referenced', digest: first, indexes: [second] })
  const both = planDeletion(held, [child, { digest: second }], 'takes image')
  assert.deepEqual(both.failures.get(child), { reason: 'in use', digest: first, inUseBy })
})
