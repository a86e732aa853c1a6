/** What a policy would do, asked of a running server: images with reasons, the bytes that are freed, and drafts against what is in force. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ECR } from '@aws-sdk/client-ecr'
import type { PreviewLifecycleRequest, PreviewLifecycleResponse } from '#admin/model.ts'
import { createWhatIfRemoval } from '#lifecycle/what-if-removal.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { startWorld, type World } from '#test/integration/access/world.ts'
import { callAdmin } from '#test/support/admin.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { image, layer } from '#test/support/images/build.ts'
import type { Credentials } from '#test/support/server.ts'

function expiring(selection: object, more: object = {}): string {
  return JSON.stringify({ rules: [{ rulePriority: 1, ...more, selection, action: { type: 'expire' } }] })
}

const keeping = (countNumber: number, prefix = 'v') =>
  expiring(
    { tagStatus: 'tagged', tagPatternList: [`${prefix}*`], countType: 'imageCountMoreThan', countNumber },
    { description: 'few releases are enough' },
  )

type Failure = { readonly __type: string; readonly message: string }

const layerOf = (text: string) => layer({ file: text.repeat(500) })

eachDatabase(({ dialect, url }) => {
  describe(`what a lifecycle policy would do (${dialect})`, () => {
    let world: World
    let metadata: Metadata
    before(async () => {
      const database = await url()
      world = await startWorld({ database })
      metadata = await openMetadata(database, () => {})
    })
    after(async () => {
      await metadata.close()
      await world[Symbol.asyncDispose]()
    })

    const ask = async <Answer = PreviewLifecycleResponse>(input: object, credentials?: Credentials) => {
      const { server } = world
      return await callAdmin<Answer>(server, credentials ?? server.credentials, 'PreviewLifecycle', input)
    }

    async function preview(
      input: { repositoryName: string } & Omit<Partial<PreviewLifecycleRequest>, 'repositoryName'>,
    ) {
      const { status, body } = await ask(input)
      assert.equal(status, 200, JSON.stringify(body))
      return body
    }

    /** Images v1, v2 and so on that share one layer and have one of their own. */
    async function fill(ecr: ECR, repositoryName: string, count: number): Promise<void> {
      await ecr.createRepository({ repositoryName })
      for (let number = 1; number <= count; number++) {
        const layers = [layerOf('shared'), layerOf(`${repositoryName} ${number}`)]
        await pushImageTo(ecr, repositoryName, image({ layers }), `v${number}`)
      }
    }

    /** The bytes of all blobs that some image needs. */
    async function neededBytes(): Promise<number> {
      const { reader } = metadata
      const rows = await reader
        .selectFrom('blob')
        .select('size')
        .where(({ exists, selectFrom }) =>
          exists(selectFrom('manifest_reference').select('child').whereRef('child', '=', 'blob.digest')),
        )
        .execute()
      return rows.reduce((sum, { size }) => sum + size, 0)
    }

    test('each image that goes has its rule, its reason and its place, and so has each that stays', async () => {
      const repositoryName = 'what-if/reasons'
      await fill(world.root, repositoryName, 3)
      await pushImageTo(world.root, repositoryName, image({ layers: [layerOf('other')] }), 'other')
      const { summary, images } = await preview({ repositoryName, lifecyclePolicyText: keeping(1) })
      assert.deepEqual(
        images.map(({ imageTags, verdict, rulePriority, reason }) => [imageTags[0], verdict, rulePriority, reason]),
        [
          ['v1', 'EXPIRE', 1, "3rd youngest of 'v*', rule keeps 1"],
          ['v2', 'EXPIRE', 1, "2nd youngest of 'v*', rule keeps 1"],
          ...images
            .slice(2)
            .map(({ imageTags: [tag] }) =>
              tag === 'v3'
                ? ['v3', 'KEEP', 1, "the youngest of 'v*', rule keeps 1"]
                : ['other', 'KEEP', undefined, 'no rule selects it'],
            ),
        ],
      )
      assert.equal(images[0]?.ruleDescription, 'few releases are enough')
      const { expireCount, archiveCount, blockedCount, keepCount, imageCount } = summary
      assert.deepEqual([expireCount, archiveCount, blockedCount, keepCount, imageCount], [2, 0, 0, 2, 4])
      const { images: kept } = await preview({ repositoryName, lifecyclePolicyText: keeping(1), verdicts: ['KEEP'] })
      assert.deepEqual(kept.map(({ imageTags: [tag] }) => tag).sort(), ['other', 'v3'])
    })

    test('the bytes that it says are freed are those that nothing needs once the images have been deleted', async () => {
      const repositoryName = 'what-if/freed'
      await fill(world.root, repositoryName, 4)
      // The bin has these too, which is no other need.
      for (const number of [1, 4]) {
        await world.root.batchDeleteImage({ repositoryName, imageIds: [{ imageTag: `v${number}` }] })
        const again = image({ layers: [layerOf('shared'), layerOf(`${repositoryName} ${number}`)] })
        await pushImageTo(world.root, repositoryName, again, `v${number}`)
      }
      const shared = image({ layers: [layerOf('shared'), layerOf(`${repositoryName} 2`)] })
      await world.root.createRepository({ repositoryName: 'what-if/other' })
      await pushImageTo(world.root, 'what-if/other', shared, 'v2')
      const { summary, images } = await preview({ repositoryName, lifecyclePolicyText: keeping(1) })
      assert.equal(summary.expireCount, 3)
      const before = await neededBytes()
      const going = images.filter(({ verdict }) => verdict === 'EXPIRE')
      await world.root.batchDeleteImage({
        repositoryName,
        imageIds: going.map(({ imageDigest }) => ({ imageDigest })),
      })
      assert.equal(before - (await neededBytes()), summary.freedSizeInBytes)
      assert.ok(summary.freedSizeInBytes > 0 && summary.freedSizeInBytes < summary.expiringSizeInBytes)
    })

    test('a draft is held against the policy in force, and nothing changes', async () => {
      const repositoryName = 'what-if/draft'
      await fill(world.root, repositoryName, 4)
      const inForce = keeping(2)
      await world.root.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: inForce })
      const { summary: own } = await preview({ repositoryName })
      assert.deepEqual([own.draft, own.expireCount, own.difference], [false, 2, undefined])
      const stricter = await preview({ repositoryName, lifecyclePolicyText: keeping(1) })
      assert.deepEqual(stricter.summary.difference, { draftCount: 1, inForceCount: 0, bothCount: 2 })
      const laxer = await preview({ repositoryName, lifecyclePolicyText: keeping(3) })
      assert.deepEqual(laxer.summary.difference, { draftCount: 0, inForceCount: 1, bothCount: 1 })
      // What only the policy in force takes comes first of all that stay.
      assert.deepEqual(
        laxer.images.slice(0, 2).map(({ imageTags: [tag], verdict, goesUnder }) => [tag, verdict, goesUnder]),
        [
          ['v1', 'EXPIRE', 'BOTH'],
          ['v2', 'KEEP', 'IN_FORCE'],
        ],
      )
      const { lifecyclePolicyText } = await world.root.getLifecyclePolicy({ repositoryName })
      assert.equal(lifecyclePolicyText, inForce)
      assert.equal((await world.root.listImages({ repositoryName })).imageIds?.length, 4)
    })

    test('its pages are those of one moment while pushes go on, until newer ones or a day have replaced it', async () => {
      const repositoryName = 'what-if/pages'
      await fill(world.root, repositoryName, 5)
      const asked = { repositoryName, lifecyclePolicyText: keeping(1), maxResults: 2 }
      const tags: (string | undefined)[] = []
      let page = await preview(asked)
      const { nextToken: first } = page
      for (let number = 6; ; number++) {
        tags.push(...page.images.map(({ imageTags: [tag] }) => tag))
        if (page.nextToken === undefined) break
        await pushImageTo(world.root, repositoryName, image({ layers: [layerOf(`more ${number}`)] }), `v${number}`)
        page = await preview({ ...asked, nextToken: page.nextToken })
      }
      assert.deepEqual(tags, ['v1', 'v2', 'v3', 'v4', 'v5'])

      const refused = (input: object) => ask<Failure>({ ...asked, ...input })
      const { body: elsewhere } = await refused({ nextToken: first, verdicts: ['KEEP'] })
      assert.match(elsewhere.__type, /InvalidParameterException/)
      for (let made = 0; made < 5; made++) await preview(asked)
      const { body: replaced } = await refused({ nextToken: first })
      assert.match(replaced.__type, /LifecyclePreviewNotFoundException/)

      const count = async () => (await metadata.reader.selectFrom('lifecycle_what_if').select('id').execute()).length
      const removal = (clock: () => number) => createWhatIfRemoval({ metadata, clock })
      const { signal } = new AbortController()
      const left = await count()
      await removal(Date.now).work({}, { signal })
      assert.equal(await count(), left)
      await removal(() => Date.now() + 24 * 60 * 60 * 1_000).work({}, { signal })
      assert.equal(await count(), 0)
      assert.deepEqual(await metadata.reader.selectFrom('lifecycle_what_if_page').select('number').execute(), [])
    })

    test('a draft is refused as PutLifecyclePolicy would, and a repository without a policy says so', async () => {
      const { repositoryName } = world.target
      const text = expiring({ tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 0 })
      const put = await world.root.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: text }).then(
        () => assert.fail('it was taken'),
        (error: Error) => error,
      )
      const { body } = await ask<Failure>({ repositoryName, lifecyclePolicyText: text })
      assert.equal(body.message, put.message)
      const { body: without } = await ask<Failure>({ repositoryName })
      assert.match(without.__type, /LifecyclePolicyNotFoundException/)
      const { body: nowhere } = await ask<Failure>({ repositoryName: 'team/nil' })
      assert.match(nowhere.__type, /RepositoryNotFoundException/)
    })

    test('both permissions are needed, and who lacks one learns not even whether the repository is there', async () => {
      const { own, target } = world
      const Resource = `arn:aws:ecr:*:*:repository/*`
      const actions = ['lading:PreviewLifecycle', 'ecr:StartLifecyclePolicyPreview']
      for (const Action of [...actions.map((action) => [action]), actions]) {
        await own.may({ Effect: 'Allow', Action, Resource })
        const [there, missing] = await Promise.all(
          [target.repositoryName, 'team/nil'].map(async (repositoryName) => {
            const { status, body } = await ask<Failure>(
              { repositoryName, lifecyclePolicyText: keeping(1) },
              own.credentials,
            )
            return { status, body: JSON.stringify(body).replaceAll('team/nil', target.repositoryName) }
          }),
        )
        if (Action.length === 2) assert.deepEqual([there?.status, missing?.status], [200, 400])
        else {
          assert.match(there?.body ?? '', /AccessDenied/)
          assert.deepEqual(there, missing)
        }
      }
    })
  })
})
