import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Digest, parseDigest } from '#names/digest.ts'
import { mediaTypes } from '#names/manifest-types.ts'
import type { BlobReference } from '#registry/manifest.ts'
import { planSends, type SourceGraph } from '#replication/remote/plan.ts'

const digest = (number: number): Digest => parseDigest(`sha256:${number.toString(16).padStart(64, '0')}`)
const mediaType = mediaTypes.ociImage

function blob(number: number, kind: BlobReference['kind'] = 'layer'): BlobReference {
  return { digest: digest(number), mediaType, size: 1, kind }
}

interface Node {
  readonly children?: readonly number[]
  readonly subject?: number
  readonly blobs?: readonly BlobReference[]
}

function graphOf(nodes: Readonly<Record<number, Node>>): SourceGraph {
  return new Map(
    Object.entries(nodes).map(([number, { children = [], subject, blobs = [] }]) => [
      digest(Number(number)),
      {
        blobs,
        manifests: children.map((child) => ({ digest: digest(child), mediaType, size: 1 })),
        subject: subject === undefined ? undefined : digest(subject),
      },
    ]),
  )
}

test('children go before their index, and the subject before what refers to it', () => {
  const graph = graphOf({
    1: { children: [2, 3], subject: 4 },
    2: {},
    3: { children: [2] },
    4: { children: [5] },
    5: {},
  })
  assert.deepEqual(planSends(digest(1), graph, new Set()).manifests, [5, 4, 2, 3, 1].map(digest))
})

test('what the destination has is left out with all below it', () => {
  const graph = graphOf({ 1: { children: [2, 3] }, 2: { blobs: [blob(10)] }, 3: { blobs: [blob(11)] } })
  const plan = planSends(digest(1), graph, new Set([digest(2)]))
  assert.deepEqual(plan, { manifests: [3, 1].map(digest), blobs: [digest(11)] })
  assert.deepEqual(planSends(digest(1), graph, new Set([digest(1)])), { manifests: [], blobs: [] })
})

test('a blob that several manifests need goes once, and a foreign layer not at all', () => {
  const graph = graphOf({
    1: { children: [2, 3] },
    2: { blobs: [blob(10, 'config'), blob(11), blob(12, 'foreign')] },
    3: { blobs: [blob(10, 'config'), blob(13)] },
  })
  assert.deepEqual(planSends(digest(1), graph, new Set()).blobs, [10, 11, 13].map(digest))
})

test('a subject that the source does not have is not waited for', () => {
  assert.deepEqual(planSends(digest(1), graphOf({ 1: { subject: 9 } }), new Set()).manifests, [digest(1)])
})

test('in each plan a manifest comes after all that it needs', () => {
  const node = fc.record({
    children: fc.array(fc.nat({ max: 11 }), { maxLength: 4 }),
    subject: fc.option(fc.nat({ max: 11 }), { nil: undefined }),
  })
  fc.assert(
    fc.property(
      fc.array(node, { minLength: 12, maxLength: 12 }),
      fc.uniqueArray(fc.nat({ max: 11 })),
      (nodes, here) => {
        // A digest is made of what it refers to, so references go to what was before.
        const graph = graphOf(
          Object.fromEntries(
            nodes.map(({ children, subject }, at) => [
              at,
              {
                children: children.filter((child) => child < at),
                ...(subject !== undefined && subject < at && { subject }),
                blobs: [blob(100 + at)],
              },
            ]),
          ),
        )
        const present = new Set(here.map(digest))
        const { manifests, blobs } = planSends(digest(11), graph, present)
        for (const [at, sent] of manifests.entries()) {
          const { manifests: children = [], subject } = graph.get(sent) ?? {}
          const needed = [...children.map((child) => child.digest), ...(subject === undefined ? [] : [subject])]
          for (const need of needed) assert.ok(present.has(need) || manifests.slice(0, at).includes(need))
        }
        assert.equal(new Set(manifests).size, manifests.length)
        assert.equal(blobs.length, manifests.length)
      },
    ),
  )
})
