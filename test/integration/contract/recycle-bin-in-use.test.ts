/** What was deleted and is reported as in use after that stays in the recycle bin past its time, over HTTP. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type * as wire from '#admin/model.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { amd64, arm64, artifact, type Image, image, index } from '#test/support/images/build.ts'
import { openRetentionStage } from '#test/support/retention-stage.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const ttlSeconds = 30 * 86_400

eachDatabase(({ dialect, url }) =>
  describe(`the recycle bin and what is in use, on ${dialect}`, () => {
    async function stage(t: TestContext) {
      const opened = await openRetentionStage(t, await url())
      const { move, done } = opened
      return {
        ...opened,
        /** What is due of the bin is done by then. */
        async pass(ms: number) {
          move(ms)
          await done('empty-recycle-bin')
        },
      }
    }
    const digestsOf = (...images: Image[]) => new Set<string>(images.map(({ digest }) => digest))
    const idsOf = (...images: Image[]) => images.map(({ digest }) => ({ imageDigest: digest }))

    test('an image that is reported meanwhile can be restored for as long as it is, and goes after that', async (t) => {
      const { repository, push, report, delete: remove, pass, bin, ask, ecr } = await stage(t)
      const [here, heedless] = [await repository(), await repository('DISABLED')]
      const [running, restored, idle] = ['running', 'restored', 'idle'].map((seed) => image({ seed }))
      assert.ok(running && restored && idle)
      for (const each of [running, idle, restored]) await push(here, each, 'v1')
      await push(heedless, running)
      await remove(here, ...idsOf(running, restored, idle))
      await remove(heedless, ...idsOf(running))
      await report(
        'prod',
        [
          [here, running],
          [here, restored],
          [heedless, running],
        ],
        { ttlSeconds },
      )

      for (const ms of [7 * dayMs - hourMs, hourMs, hourMs, dayMs]) {
        await pass(ms)
        const all = ms === 7 * dayMs - hourMs
        assert.deepEqual(await bin(here), digestsOf(running, restored, ...(all ? [idle] : [])), `after ${ms}`)
        assert.deepEqual(await bin(heedless), digestsOf(...(all ? [running] : [])))
      }
      const { imageDigests } = await ask<wire.RestoreDeletedImageResponse>('RestoreDeletedImage', {
        ...{ repositoryName: here, imageDigest: restored.digest },
      })
      assert.deepEqual(imageDigests, [restored.digest])
      const { imageDetails = [] } = await ecr().describeImages({ repositoryName: here })
      assert.deepEqual(imageDetails[0]?.imageTags, ['v1'])

      await report('prod', [[here, restored]], { ttlSeconds })
      await pass(3 * hourMs)
      assert.deepEqual(await bin(here), new Set())
    })

    test('with an image stays what belongs to it, as in the repository', async (t) => {
      const { repository, push, report, delete: remove, pass, bin } = await stage(t)
      const repositoryName = await repository()
      const children = [amd64, arm64].map((platform) => image({ platform }))
      const [running, other] = children
      assert.ok(running && other)
      const both = index({ children })
      const signature = artifact({ artifactType: 'application/x.signature', subject: both })
      const bystander = index({ children: [other], annotations: { for: 'arm' } })
      for (const each of [both, bystander, signature]) await push(repositoryName, each)
      await remove(repositoryName, ...idsOf(bystander, both, signature, running, other))
      assert.equal((await bin(repositoryName)).size, 5)
      await report('prod', [[repositoryName, running]], { ttlSeconds })
      await pass(8 * dayMs)
      assert.deepEqual(await bin(repositoryName), digestsOf(both, running, other, signature))
    })

    test('what was pushed again is there, and its place in the bin goes in its time', async (t) => {
      const { repository, push, report, delete: remove, pass, bin } = await stage(t)
      const repositoryName = await repository()
      const running = image()
      await push(repositoryName, running)
      await remove(repositoryName, ...idsOf(running))
      await push(repositoryName, running)
      await report('prod', [[repositoryName, running]], { ttlSeconds })
      await pass(8 * dayMs)
      assert.deepEqual(await bin(repositoryName), new Set())
    })

    test('a deleted repository stays for what it held or its bin did, unless one of its name has that', async (t) => {
      const { repository, push, report, delete: remove, pass, ask, ecr } = await stage(t)
      const deleted = async () => {
        const { repositories } = await ask<wire.ListDeletedRepositoriesResponse>('ListDeletedRepositories', {})
        return new Set(repositories.map((each) => each.repositoryName))
      }
      const names = await Promise.all(['held', 'in bin', 'again', 'idle'].map(() => repository()))
      const [held = '', inBin = '', again = '', idle = ''] = names
      const [running, other] = [image({ seed: 'running' }), image({ seed: 'other' })]
      for (const name of names) for (const each of [running, other]) await push(name, each)
      await remove(inBin, ...idsOf(running))
      for (const repositoryName of names) await ecr().deleteRepository({ repositoryName, force: true })
      await ecr().createRepository({ repositoryName: again })
      await push(again, running)
      await report(
        'prod',
        [held, inBin, again].map((name) => [name, running] as const),
        { ttlSeconds },
      )
      await pass(7 * dayMs - hourMs)
      assert.deepEqual(await deleted(), new Set(names))
      await pass(dayMs)
      assert.deepEqual(await deleted(), new Set([held, inBin]), `not ${again}, not ${idle}`)
      await ask('RestoreDeletedRepository', { repositoryName: held })
      assert.equal((await ecr().describeImages({ repositoryName: held })).imageDetails?.length, 2)

      await ask('DeleteInUseReport', { cluster: 'prod' })
      await pass(3 * hourMs)
      assert.deepEqual(await deleted(), new Set())
    })
  }),
)
