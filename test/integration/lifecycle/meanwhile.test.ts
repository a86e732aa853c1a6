/**
 * Whatever others do between evaluation and action: a run takes nothing that stays by the images as they are when it acts. Repositories,
 * policies and changes are generated.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { evaluate } from '#lifecycle/evaluate.ts'
import { parseLifecyclePolicy } from '#lifecycle/policy.ts'
import { readLifecycleImages } from '#registry/lifecycle-images.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { type Image, index } from '#test/support/images/build.ts'
import { dayMs } from '#test/unit/lifecycle/cases.ts'
import { names, policyTexts } from '#test/unit/lifecycle/generated.ts'
import { openRunStageIn } from './run-stage.ts'

const letters = fc.constantFrom(...names)
const tag = fc.constantFrom('a', 'ab', 'b', 'abc')
const change = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('push'), name: letters, tag: fc.option(tag) }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constantFrom('delete', 'restore', 'pull', 'use'), name: letters, tag }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('archive', 'activate', 'untag'), name: letters, tag }) },
)
type Change = typeof change extends fc.Arbitrary<infer Each> ? Each : never

const nothing = fc.constant<string[]>([])
/** Each after what it refers to in the alphabet. A subject need not be there. */
const built = fc
  .tuple(
    ...names.map((name, at) =>
      fc.record({
        children: fc.oneof(nothing, nothing, fc.subarray(names.slice(0, at))),
        subject: at === 0 ? fc.constant(null) : fc.option(fc.constantFrom(...names.slice(0, at))),
        name: fc.constant(name),
      }),
    ),
  )
  .map((written) => {
    const images = new Map<string, Image>()
    for (const { name, children, subject } of written) {
      const about = subject === null ? undefined : images.get(subject)
      const listed = children.flatMap((child) => images.get(child) ?? [])
      images.set(name, index({ children: listed, annotations: { name }, ...(about && { subject: about }) }))
    }
    return images
  })

eachDatabase((databases) =>
  describe(`a lifecycle run in the midst of changes on ${databases.dialect}`, { timeout: 120_000 }, () => {
    test('takes nothing that stays by then', async (t) => {
      const metadata = await databases.open(t)
      let repositories = 0
      let taken = 0
      const property = fc.asyncProperty(
        built,
        policyTexts,
        fc.array(change, { minLength: 6, maxLength: 16 }),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        async (images, text, before, meanwhile) => {
          const policy = parseLifecyclePolicy(text)
          const { rules } = JSON.parse(text)
          const stage = await openRunStageIn(t, metadata, `team/app${repositories++}`, rules)
          const statuses = () => metadata.snapshot((reader) => readLifecycleImages(reader, stage.id, stage.now()))

          async function make({ does, name, tag }: Change): Promise<void> {
            const image = images.get(name) ?? assert.fail()
            try {
              if (does === 'push') await stage.push(image, tag ?? undefined)
              else if (does === 'delete') await stage.delete(image)
              else if (does === 'restore') await stage.restore(image)
              else if (does === 'pull') await stage.pull(image)
              else if (does === 'use') await stage.keepInUse(image)
              else if (does === 'untag') await stage.deleteTag(tag ?? '')
              else await stage.become(image, does === 'archive' ? 'ARCHIVE' : 'STANDARD')
            } catch (error) {
              // What is not there, or is referred to, cannot be changed like that.
              if (!(error instanceof Error && error.name === 'Refusal')) throw error
            }
          }

          for (const [at, each] of before.entries()) {
            await make(each)
            stage.move((at % 3) * 60 * dayMs)
          }
          let then: Awaited<ReturnType<typeof statuses>> = []
          await stage.run(async () => {
            for (const each of meanwhile) await make(each)
            then = await statuses()
          })
          const steps = evaluate(policy, then, stage.now())
          let step = steps.next()
          while (!step.done) step = steps.next()
          const may = new Set(step.value.flatMap(({ verdict, image }) => (verdict === 'act' ? [image.digest] : [])))
          const after = new Map((await statuses()).map(({ digest, status }) => [digest, status]))
          const changed = then.filter(({ digest, status }) => after.get(digest) !== status)
          taken += changed.length
          for (const { digest } of changed) assert.ok(may.has(digest), `${digest} stays`)
        },
      )
      await fc.assert(property, { numRuns: 30 })
      assert.ok(taken > 0)
    })
  }),
)
