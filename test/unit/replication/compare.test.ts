import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDigest } from '#names/digest.ts'
import { parseTag } from '#names/tag.ts'
import type { Inspection } from '#replication/destination.ts'
import { compareImages, type KnownItem, type SourceImage, tagsToSend } from '#replication/runs/compare.ts'

const one = parseDigest(`sha256:${'1'.repeat(64)}`)
const other = parseDigest(`sha256:${'2'.repeat(64)}`)
const tag = parseTag('v1')

const complete = (completedAt: number): KnownItem => ({ state: 'COMPLETE', completedAt, failure: undefined })
const waiting: KnownItem = { state: 'WAITING', completedAt: undefined, failure: undefined }
const refused: KnownItem = { state: 'FAILED', completedAt: 5, failure: { code: 'AccessDenied', reason: 'no' } }

const source = (item?: KnownItem, movedAt = 10): SourceImage => ({ digest: one, tags: [{ tag, movedAt }], item })

type Found = Parameters<typeof inspection>[0]

function inspection({
  image,
  tag: pointsTo,
}: {
  image: 'present' | 'archived' | 'absent' | 'deleted'
  tag: string
}): Inspection {
  const found = pointsTo === 'absent' || pointsTo === 'deleted' ? pointsTo : parseDigest(pointsTo)
  return { images: new Map([[one, image]]), tags: new Map([[tag, found]]) }
}

const cases: readonly [
  claim: string,
  image: SourceImage,
  there: Found,
  expected: readonly [image: string, tag: string, sent: 'nothing' | 'image' | 'image and tag', withLost?: string],
][] = [
  ['equal on both sides', source(complete(11)), { image: 'present', tag: one }, ['present', 'same', 'nothing']],
  ['there without replication', source(), { image: 'present', tag: one }, ['present', 'same', 'nothing']],
  ['archived there', source(complete(11)), { image: 'archived', tag: one }, ['present', 'same', 'nothing']],
  ['never there', source(), { image: 'absent', tag: 'absent' }, ['missing', 'same', 'image and tag']],
  ['never there, its tag deleted', source(), { image: 'absent', tag: 'deleted' }, ['missing', 'deleted', 'image']],
  ['never there, its tag elsewhere', source(), { image: 'absent', tag: other }, ['missing', 'same', 'image and tag']],
  ['on its way', source(waiting), { image: 'absent', tag: 'absent' }, ['waiting', 'waiting', 'nothing']],
  ['there, its tag on its way', source(waiting), { image: 'present', tag: other }, ['present', 'waiting', 'nothing']],
  ['refused', source(refused), { image: 'absent', tag: 'absent' }, ['failed', 'same', 'nothing']],
  ['refused, there before', source(refused), { image: 'present', tag: other }, ['present', 'behind', 'nothing']],
  ['deleted there', source(complete(11)), { image: 'deleted', tag: 'deleted' }, ['deleted', 'deleted', 'nothing']],
  ['deleted there, unknown here', source(), { image: 'deleted', tag: 'absent' }, ['deleted', 'same', 'nothing']],
  [
    'gone without a trace',
    source(complete(11)),
    { image: 'absent', tag: 'absent' },
    ['lost', 'same', 'nothing', 'image and tag'],
  ],
  [
    'tag never there',
    source(complete(9)),
    { image: 'present', tag: 'absent' },
    ['present', 'missing', 'image and tag'],
  ],
  [
    'tag moved here since',
    source(complete(9)),
    { image: 'present', tag: other },
    ['present', 'behind', 'image and tag'],
  ],
  ['tag kept there', source(complete(10)), { image: 'present', tag: other }, ['present', 'kept', 'nothing']],
  ['tag deleted there', source(complete(9)), { image: 'present', tag: 'deleted' }, ['present', 'deleted', 'nothing']],
  [
    'tag gone there',
    source(complete(10)),
    { image: 'present', tag: 'absent' },
    ['present', 'lost', 'nothing', 'image and tag'],
  ],
]

for (const [claim, image, there, [imageState, tagState, sent, withLost = sent]] of cases) {
  test(`comparison of an image that is ${claim}`, () => {
    const [compared] = compareImages([image], inspection(there))
    assert(compared !== undefined)
    assert.equal(compared.state, imageState)
    assert.deepEqual(
      compared.tags.map(({ state }) => state),
      [tagState],
    )
    const describe = (tags: readonly unknown[] | undefined) =>
      tags === undefined ? 'nothing' : tags.length === 0 ? 'image' : 'image and tag'
    assert.equal(describe(tagsToSend(compared, { includeLost: false })), sent)
    assert.equal(describe(tagsToSend(compared, { includeLost: true })), withLost)
    assert.equal(compared.tags[0]?.there, tagState === 'kept' || tagState === 'behind' ? other : undefined)
  })
}
