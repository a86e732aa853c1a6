/**
 * A preview says exactly what the run then does: over HTTP, on generated repositories whose images are pushed, pulled, archived and
 * restored over some hundred days of a clock that the test moves.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, test } from 'node:test'
import type { ECR } from '@aws-sdk/client-ecr'
import fc from 'fast-check'
import type { PreviewLifecycleResponse } from '#admin/model.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { type Image, index } from '#test/support/images/build.ts'
import { openRetentionStage } from '#test/support/retention-stage.ts'
import { until } from '#test/support/until.ts'
import { dayMs, type WrittenImage, type WrittenImages } from '#test/unit/lifecycle/cases.ts'
import { policyTexts, written } from '#test/unit/lifecycle/generated.ts'

const repositories = 8
const ages = [600, 500, 400, 300, 200, 100]
const minuteMs = 60_000

eachDatabaseInCi((databases) =>
  describe(`previews and runs (${databases.dialect})`, { timeout: 120_000 }, () => {
    test('take the same images, and a second run takes no more', async (t) => {
      const stage = await openRetentionStage(t, await databases.url())
      const { ask, move, report, metadata, bin } = stage
      const ecr = stage.ecr()
      const seed = randomInt(2 ** 31)
      t.diagnostic(`seed ${seed}`)
      const generated = fc.sample(fc.record({ images: written, policy: policyTexts }), { numRuns: repositories, seed })
      const cases = await Promise.all(
        generated.map(async ({ images, policy }) => {
          const repositoryName = await stage.repository()
          // ECR takes none that is shorter.
          return { repositoryName, images, policy: policy.padEnd(100), built: build(images) }
        }),
      )
      for (const age of ages) {
        for (const { repositoryName, images, built } of cases) await live(ecr, repositoryName, images, built, age)
        move(100 * dayMs)
      }
      // Nothing is just as old as a rule says.
      move(dayMs / 2)
      for (const cluster of ['blue', 'green']) {
        const used = cases.flatMap(({ repositoryName, images, built }) =>
          Object.entries(images).flatMap(([name, { inUseBy = [] }]) =>
            inUseBy.includes(cluster) ? [[repositoryName, builtOf(built, name)] as const] : [],
          ),
        )
        await report(cluster, used)
      }

      const previews = await Promise.all(
        cases.map(async ({ repositoryName, policy: lifecyclePolicyText }) => {
          await ecr.startLifecyclePolicyPreview({ repositoryName, lifecyclePolicyText })
          const get = () => ecr.getLifecyclePolicyPreview({ repositoryName })
          await until(async () => (await get()).status !== 'IN_PROGRESS')
          const { status, previewResults = [] } = await get()
          assert.equal(status, 'COMPLETE')
          const verdicts = ['EXPIRE', 'ARCHIVE'] as const
          const input = { repositoryName, lifecyclePolicyText, verdicts }
          const whatIf = await ask<PreviewLifecycleResponse>('PreviewLifecycle', input)
          const taken = (type: string) =>
            previewResults.flatMap(({ imageDigest = '', action }) => (action?.type === type ? [imageDigest] : []))
          const told = (verdict: string) =>
            whatIf.images.flatMap((each) => (each.verdict === verdict ? [each.imageDigest] : []))
          assert.deepEqual([told('EXPIRE'), told('ARCHIVE')], [taken('EXPIRE'), taken('TRANSITION')])
          return { expired: new Set(taken('EXPIRE')), archived: new Set(taken('TRANSITION')) }
        }),
      )
      const before = await Promise.all(cases.map(({ repositoryName }) => statuses(repositoryName)))
      await runAll()
      let gone = 0
      for (const [at, { expired, archived }] of previews.entries()) {
        const { repositoryName, policy } = cases[at] ?? assert.fail()
        const expected = [...(before[at] ?? [])].flatMap(([digest, status]) =>
          expired.has(digest) ? [] : [[digest, archived.has(digest) ? 'ARCHIVED' : status] as const],
        )
        assert.deepEqual(await statuses(repositoryName), new Map(expected), `${policy} in ${repositoryName}`)
        assert.deepEqual(await bin(repositoryName), expired)
        gone += expired.size
      }
      // Few draws take none at all; `runner.test.ts` sees to it that something goes.
      t.diagnostic(`${gone} images went`)

      const settled = await Promise.all(
        cases.map(async ({ repositoryName }, at) => {
          const subjects = await outlived(repositoryName, previews[at]?.expired ?? new Set())
          return subjects ? undefined : ([repositoryName, await statuses(repositoryName)] as const)
        }),
      )
      await runAll()
      for (const [repositoryName, left] of settled.filter((each) => each !== undefined)) {
        assert.deepEqual(await statuses(repositoryName), left, repositoryName)
      }

      async function runAll(): Promise<void> {
        for (const { repositoryName, policy: lifecyclePolicyText } of cases) {
          await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText })
        }
        move(minuteMs)
        const unevaluated = metadata.reader.selectFrom('lifecycle_policy').select('repository_id')
        await until(async () => (await unevaluated.where('last_evaluated_at', 'is', null).execute()).length === 0)
      }

      function imagesOf(repositoryName: string) {
        return metadata.reader
          .selectFrom('manifest')
          .innerJoin('repository', 'repository.id', 'manifest.repository_id')
          .select(['digest', 'status', 'subject'])
          .where('repository.name', '=', repositoryName)
          .execute()
      }

      async function statuses(repositoryName: string): Promise<Map<string, string>> {
        const rows = await imagesOf(repositoryName)
        return new Map(rows.map(({ digest, status }) => [digest, status]))
      }

      async function outlived(repositoryName: string, went: ReadonlySet<string>): Promise<boolean> {
        const rows = await imagesOf(repositoryName)
        return rows.some(({ subject }) => subject !== null && went.has(subject))
      }
    })
  }),
)

/** By their names. */
function build(images: WrittenImages): ReadonlyMap<string, Image> {
  const built = new Map<string, Image>()
  for (const [name, { children = [], subject }] of Object.entries(images)) {
    const about = subject === undefined ? undefined : built.get(subject)
    const listed = children.map((child) => builtOf(built, child))
    built.set(name, index({ children: listed, annotations: { name }, ...(about && { subject: about }) }))
  }
  return built
}

function builtOf(built: ReadonlyMap<string, Image>, name: string): Image {
  return built.get(name) ?? assert.fail(`what ${name} is comes before what refers to it`)
}

/** What is done with the images on the day when they are of that age. */
async function live(
  ecr: ECR,
  repositoryName: string,
  images: WrittenImages,
  built: ReadonlyMap<string, Image>,
  age: number,
): Promise<void> {
  for (const [name, image] of Object.entries(images)) {
    const { digest: imageDigest, bytes } = builtOf(built, name)
    const imageManifest = bytes.toString()
    const pushed = pushedAt(images, image)
    const then = (at: number | undefined) => at !== undefined && Math.min(at, pushed) === age
    const become = (targetStorageClass: 'ARCHIVE' | 'STANDARD') =>
      ecr.updateImageStorageClass({ repositoryName, imageId: { imageDigest }, targetStorageClass })
    if (pushed === age) {
      const tags = image.tags.length > 0 ? image.tags : [undefined]
      for (const imageTag of tags) await ecr.putImage({ repositoryName, imageManifest, imageTag })
    }
    if (then(image.pulled)) await ecr.batchGetImage({ repositoryName, imageIds: [{ imageDigest }] })
    if (then(image.archived ?? image.restored)) {
      try {
        await become('ARCHIVE')
        if (image.restored !== undefined) await become('STANDARD')
      } catch (error) {
        // An active index refers to it.
        if (!(error instanceof Error && error.name === 'ImageStorageClassUpdateNotSupportedException')) throw error
      }
    }
  }
}

/** An index comes no earlier than what it refers to, a referrer at any time. */
function pushedAt(images: WrittenImages, { pushed, children = [] }: WrittenImage): number {
  const found = children.flatMap((name) => images[name] ?? [])
  return Math.min(pushed, ...found.map((child) => pushedAt(images, child)))
}
