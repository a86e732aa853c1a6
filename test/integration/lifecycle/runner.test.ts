/** A run does what the evaluation says, and nothing with an image that is not as it was evaluated. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { eachDatabase } from '#test/support/databases.ts'
import { type Image, index } from '#test/support/images/build.ts'
import { dayMs } from '#test/unit/lifecycle/cases.ts'
import { key, openRunStage } from './run-stage.ts'

eachDatabase((databases) =>
  describe(`a lifecycle run on ${databases.dialect}`, () => {
    const stage = (t: TestContext, rules: readonly object[]) => openRunStage(t, databases, rules)

    const keepTwo = {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 2 },
      action: { type: 'expire' },
    }
    const old = {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 10 },
      action: { type: 'expire' },
    }
    const digests = (...images: Image[]) => new Set<string>(images.map(({ digest }) => digest))

    test('expires what its rules take, into the recycle bin, and says when', async (t) => {
      const { push, run, left, metadata, lastEvaluatedAt, now } = await stage(t, [keepTwo])
      const images = many(5)
      for (const [at, image] of images.entries()) await push(image, `v${at}`)
      assert.equal(await run(), 'done')
      assert.deepEqual(await left(), digests(...images.slice(3)))
      assert.equal(await lastEvaluatedAt(), now())
      const deleted = await metadata.reader.selectFrom('deleted_image').select(['digest', 'cause', 'tags']).execute()
      assert.deepEqual(
        new Set(deleted.map(({ digest, cause, tags }) => `${digest} ${cause} ${tags}`)),
        new Set(images.slice(0, 3).map(({ digest }, at) => `${digest} lifecycle ["v${at}"]`)),
      )
      const moves = await metadata.reader
        .selectFrom('tag_move')
        .select('tag')
        .where('cause', '=', 'lifecycle')
        .execute()
      assert.deepEqual(new Set(moves.map(({ tag }) => tag)), new Set(['v0', 'v1', 'v2']))
      assert.equal(await run(), 'done')
      assert.deepEqual(await left(), digests(...images.slice(3)), 'a second run finds nothing to do')
    })

    test('evaluates anew where somebody deleted what a count rests on', async (t) => {
      const { push, run, left, delete: remove } = await stage(t, [keepTwo])
      const images = many(4)
      for (const image of images) await push(image)
      const [, second, third, youngest] = images
      assert.ok(second && third && youngest)
      await run(() => remove(youngest))
      assert.deepEqual(await left(), digests(second, third))
    })

    test('evaluates anew where a tag that a count rests on moved, or was deleted', async (t) => {
      const selection = { ...keepTwo.selection, tagStatus: 'tagged', tagPrefixList: ['v'] }
      const { push, run, left, deleteTag } = await stage(t, [{ ...keepTwo, selection }])
      const images = many(5)
      for (const [at, image] of images.entries()) await push(image, `v${at}`)
      const [, , second, third, youngest] = images
      assert.ok(second && third && youngest)
      await push(youngest, 'other')
      await run(() => push(third, 'v4'))
      assert.deepEqual(await left(), digests(second, third, youngest))
      await push(youngest, 'v5')
      await run(() => deleteTag('v5'))
      assert.deepEqual(await left(), digests(second, third, youngest))
    })

    test('evaluates anew where one without a tag got its first, and so is counted among those without one no more', async (t) => {
      const untagged = { ...keepTwo, selection: { ...keepTwo.selection, tagStatus: 'untagged' } }
      const { push, run, left } = await stage(t, [untagged])
      const images = many(3)
      for (const image of images) await push(image)
      const [, , youngest] = images
      assert.ok(youngest)
      await run(() => push(youngest, 'release'))
      assert.deepEqual(await left(), digests(...images))
    })

    test('evaluates anew where a subject came, or came back, and what refers to it is counted no more', async (t) => {
      const selection = { ...keepTwo.selection, tagStatus: 'tagged', tagPatternList: ['v*'] }
      const { push, run, left, delete: remove, restore } = await stage(t, [{ ...keepTwo, selection }])
      const [subject, a, b] = many(3)
      assert.ok(subject && a && b)
      const signature = index({ children: [], subject })
      await push(a, 'v1')
      await push(b, 'v2')
      await push(signature, 'v-signature')
      await run(() => push(subject, 'main'))
      assert.deepEqual(await left(), digests(subject, a, b, signature))
      await remove(subject)
      await run(() => restore(subject))
      assert.deepEqual(await left(), digests(subject, a, b, signature))
    })

    test('goes on where images are pushed with a tag, or get another one', async (t) => {
      const { push, run, left } = await stage(t, [keepTwo])
      const images = many(5)
      for (const image of images) await push(image, 'latest')
      const [, , , first, second, ...pushed] = [...images, ...many(8).slice(5)]
      assert.ok(first && second)
      await run(async () => {
        await push(second, 'other')
        for (const [at, image] of pushed.entries()) await push(image, `new${at}`)
      })
      // By the images as they are now, these would go too: in the next run.
      assert.deepEqual(await left(), digests(first, second, ...pushed))
    })

    test('leaves a policy that was put meanwhile to its own run, a minute later', async (t) => {
      const { push, run, put, left, lastEvaluatedAt, metadata, now } = await stage(t, [keepTwo])
      const keep = (countNumber: number) => [{ ...keepTwo, selection: { ...keepTwo.selection, countNumber } }]
      const images = many(4)
      for (const image of images) await push(image)
      await run(() => put(keep(1)))
      assert.deepEqual(await left(), digests(...images))
      assert.equal(await lastEvaluatedAt(), null)
      const jobs = await metadata.reader.selectFrom('job').select(['state', 'run_at']).execute()
      assert.deepEqual(jobs, [{ state: 'waiting', run_at: now() + 60_000 }])
      await run()
      assert.deepEqual(await left(), digests(...images.slice(3)))
      assert.equal(await lastEvaluatedAt(), now())
    })

    test('leaves what was reported as in use since', async (t) => {
      const { push, run, left, keepInUse, move } = await stage(t, [old])
      const images = many(3)
      for (const image of images) await push(image)
      const [first] = images
      assert.ok(first)
      move(11 * dayMs)
      await run(() => keepInUse(first))
      assert.deepEqual(await left(), digests(first))
    })

    test('knows of pulls that are in memory still', async (t) => {
      const selection = { ...old.selection, countType: 'sinceImagePulled' }
      const archive = { ...old, selection, action: { type: 'transition', targetStorageClass: 'archive' } }
      const { push, run, pullInMemory, move, active } = await stage(t, [archive])
      const [pulled, other] = many(2)
      assert.ok(pulled && other)
      for (const image of [pulled, other]) await push(image)
      move(11 * dayMs)
      pullInMemory(pulled)
      await run()
      assert.deepEqual(await active(), digests(pulled))
    })

    test('leaves the signature of what it does not archive, since it was pulled meanwhile', async (t) => {
      const selection = { ...old.selection, countType: 'sinceImagePulled' }
      const archive = { ...old, selection, action: { type: 'transition', targetStorageClass: 'archive' } }
      const { push, run, pull, move, active } = await stage(t, [archive])
      const [pulled, other] = many(2)
      assert.ok(pulled && other)
      const [signature, late] = [pulled, other].map((subject) => index({ children: [], subject }))
      assert.ok(signature && late)
      for (const image of [pulled, other, signature, late]) await push(image)
      move(11 * dayMs)
      await run(() => pull(pulled))
      assert.deepEqual(await active(), digests(pulled, signature))
    })

    test('takes in one run what needs several batches, be an index in one and its child in the next', async (t) => {
      const { push, run, left, move, told } = await stage(t, [old])
      const singles = many(100)
      const children = singles.slice(-2)
      for (const image of [...singles, index({ children })]) await push(image)
      move(11 * dayMs)
      assert.equal(await run(), 'done')
      assert.deepEqual(await left(), digests())
      assert.deepEqual(
        told.map(({ actions }) => actions.length),
        [100, 1],
      )
    })

    test('leaves an image that was tagged since to the next run, and takes the others', async (t) => {
      const { push, run, left, move } = await stage(t, [
        { ...old, selection: { ...old.selection, tagStatus: 'untagged' } },
      ])
      const images = many(3)
      for (const image of images) await push(image)
      const [first] = images
      assert.ok(first)
      move(11 * dayMs)
      await run(() => push(first, 'keep-me'))
      assert.deepEqual(await left(), digests(first))
    })

    test('expires an index with its children, and leaves children whose index was pushed meanwhile', async (t) => {
      const { push, run, left, move } = await stage(t, [old])
      const [a, b, c] = many(3)
      assert.ok(a && b && c)
      const [whole, late] = [index({ children: [a, b] }), index({ children: [c] })]
      for (const image of [a, b, c]) await push(image)
      await push(whole, 'whole')
      move(11 * dayMs)
      await run(() => push(late, 'late'))
      assert.deepEqual(await left(), digests(c, late))
    })

    test('a referrer goes with its subject, be it older or an index that refers to that subject itself', async (t) => {
      const { push, run, left, told, move } = await stage(t, [old])
      const [subject, child] = many(2)
      assert.ok(subject && child)
      const [signature, both] = [index({ children: [], subject }), index({ children: [child], subject: child })]
      for (const image of [signature, subject, child, both]) await push(image)
      move(11 * dayMs)
      await run()
      assert.deepEqual(await left(), digests())
      const gone = told.flatMap(({ actions }) => actions.map(({ image }) => image.digest))
      assert.ok(gone.indexOf(subject.digest) < gone.indexOf(signature.digest))
    })

    test('two runs at once take each image once', async (t) => {
      const { push, run, left, told } = await stage(t, [keepTwo])
      const images = many(8)
      for (const image of images) await push(image)
      await run(run)
      assert.deepEqual(await left(), digests(...images.slice(6)))
      const gone = told.flatMap(({ actions }) => actions.map(({ image }) => image.digest))
      assert.equal(gone.length, 6)
      assert.deepEqual(new Set<string>(gone), digests(...images.slice(0, 6)))
    })

    test('archives with the index what it refers to', async (t) => {
      const archive = { ...old, action: { type: 'transition', targetStorageClass: 'archive' } }
      const { push, run, move, metadata } = await stage(t, [archive])
      const [a, b] = many(2)
      assert.ok(a && b)
      for (const image of [a, b]) await push(image)
      await push(index({ children: [a, b] }), 'both')
      move(11 * dayMs)
      await run()
      const statuses = await metadata.reader.selectFrom('manifest').select('status').execute()
      assert.deepEqual(
        statuses.map(({ status }) => status),
        ['ARCHIVED', 'ARCHIVED', 'ARCHIVED'],
      )
    })

    test('tells what it did and what it could not take, with the rule', async (t) => {
      const untagged = { ...old, selection: { ...old.selection, tagStatus: 'untagged' } }
      const { push, run, told, move } = await stage(t, [untagged])
      const [going, child, gone] = many(3)
      assert.ok(going && child && gone)
      for (const image of [going, child, gone]) await push(image)
      const whole = index({ children: [child] })
      await push(whole, 'whole')
      move(11 * dayMs)
      // What was tagged meanwhile stays, and is not told.
      await run(() => push(gone, 'kept'))
      assert.deepEqual(
        told.map(({ repository, actions, failures, policy }) => ({
          name: repository.name,
          rules: policy.rules.length,
          actions: actions.map(({ image, rule }) => [image.digest, rule.priority]),
          failures: failures.map(({ image, indexes, rule }) => [image.digest, indexes, rule.priority]),
        })),
        [
          { name: key.name, rules: 1, actions: [[going.digest, 1]], failures: [] },
          { name: key.name, rules: 1, actions: [], failures: [[child.digest, [whole.digest], 1]] },
        ],
      )
    })

    test('a policy asks for its run a minute after it was last put', async (t) => {
      const { metadata, now, put, move } = await stage(t, [keepTwo])
      move(59_000)
      await put([old])
      const jobs = await metadata.reader.selectFrom('job').select(['kind', 'run_at']).execute()
      assert.deepEqual(
        jobs.map(({ kind, run_at }) => [kind, run_at]),
        [['lifecycle-run', now() + 60_000]],
      )
    })
  }),
)

function many(count: number): Image[] {
  return Array.from({ length: count }, (_, at) => index({ children: [], annotations: { at: String(at) } }))
}
