/** Which referrers come back with their subject, over HTTP: those that went because it did, as far as they can. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type * as wire from '#admin/model.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { artifact, type Image, image, index } from '#test/support/images/build.ts'
import { openRetentionStage } from '#test/support/retention-stage.ts'

const hourMs = 3_600_000

eachDatabaseInCi(({ dialect, url }) =>
  describe(`referrers of a restored image, on ${dialect}`, () => {
    async function stage(t: TestContext, quotas = 'images=100') {
      const opened = await openRetentionStage(t, await url(), { LADING_QUOTAS: quotas })
      const repositoryName = await opened.repository('INHERITED')
      return {
        ...opened,
        repositoryName,
        push: (what: Image, ...tags: string[]) => opened.push(repositoryName, what, ...tags),
        remove: (...images: Image[]) =>
          opened.delete(repositoryName, ...images.map(({ digest }) => ({ imageDigest: digest }))),
        restore: ({ digest }: Image) =>
          opened.ask<wire.RestoreDeletedImageResponse>('RestoreDeletedImage', { repositoryName, imageDigest: digest }),
        refusal: async ({ digest }: Image) =>
          (await opened.refused('RestoreDeletedImage', { repositoryName, imageDigest: digest })).__type,
        bin: () => opened.bin(repositoryName),
      }
    }
    const digestsOf = (...images: Image[]) => new Set<string>(images.map(({ digest }) => digest))
    const signatureOf = (subject: Image, name: string) =>
      artifact({ artifactType: 'application/x.signature', subject, annotations: { name } })

    test('those come back that followed it or went along, and none that somebody deleted by itself', async (t) => {
      const { push, remove, restore, bin, move, done, ask, repositoryName } = await stage(t)
      const app = image()
      const [before, along, after, following] = ['before', 'along', 'after', 'following'].map((name) =>
        signatureOf(app, name),
      )
      assert.ok(before && along && after && following)
      const second = signatureOf(following, 'second')
      await push(app, 'v1')
      for (const each of [before, along, after, following, second]) await push(each)
      await push(following, 'signature')
      await remove(before)
      await remove(app, along)
      await remove(after)
      for (let round = 0; round < 2; round++) {
        move(hourMs)
        await done('remove-referrers')
      }

      const { images } = await ask<wire.ListDeletedImagesResponse>('ListDeletedImages', { repositoryName })
      assert.deepEqual(
        new Map(images.map(({ imageDigest, cause }) => [imageDigest, cause])),
        new Map<string, wire.DeletionCause>([
          [app.digest, 'DELETE'],
          [before.digest, 'DELETE'],
          [along.digest, 'SUBJECT'],
          [after.digest, 'DELETE'],
          [following.digest, 'SUBJECT'],
          [second.digest, 'SUBJECT'],
        ]),
      )
      const { tagMoves } = await ask<wire.ListTagMovesResponse>('ListTagMoves', {
        repositoryName,
        imageTag: 'signature',
      })
      assert.equal(tagMoves[0]?.cause, 'SUBJECT')
      const { imageDigests, remainingReferrerDigests } = await restore(app)
      assert.deepEqual(new Set(imageDigests), digestsOf(app, along, following, second))
      assert.deepEqual(remainingReferrerDigests, [])
      assert.deepEqual(await bin(), digestsOf(before, after))
    })

    test('one that went with its subject comes back, though that was pushed again and deleted once more', async (t) => {
      const { push, remove, restore, move, done } = await stage(t)
      const app = image()
      const signature = signatureOf(app, 'one')
      for (const each of [app, signature]) await push(each)
      await remove(app)
      move(hourMs)
      await done('remove-referrers')
      await push(app)
      await remove(app)
      assert.deepEqual(new Set((await restore(app)).imageDigests), digestsOf(app, signature))
    })

    test('a subject that is deleted again within the hour is followed an hour after that', async (t) => {
      const { push, remove, move, done, ecr, repositoryName } = await stage(t)
      const app = image()
      const signature = signatureOf(app, 'one')
      for (const each of [app, signature]) await push(each)
      const left = async () => {
        await done('remove-referrers')
        const { imageIds = [] } = await ecr().listImages({ repositoryName })
        return imageIds.map(({ imageDigest }) => imageDigest)
      }
      await remove(app)
      move(hourMs - 10 * 60_000)
      await push(app)
      await remove(app)
      move(hourMs - 60_000)
      assert.deepEqual(await left(), [signature.digest])
      move(60_000)
      assert.deepEqual(await left(), [])
    })

    test('those that a policy took with it come back', async (t) => {
      const { push, restore, move, done, ecr, repositoryName, bin } = await stage(t)
      const app = image({ seed: 'app' })
      const signature = signatureOf(app, 'one')
      for (const each of [app, signature, image({ seed: 'newer' })]) await push(each)
      const selection = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 }
      const rules = [{ rulePriority: 1, selection, action: { type: 'expire' } }]
      await ecr().putLifecyclePolicy({ repositoryName, lifecyclePolicyText: JSON.stringify({ rules }) })
      move(2 * 60_000)
      await done('lifecycle-run')
      assert.deepEqual(await bin(), digestsOf(app, signature))
      assert.deepEqual(new Set((await restore(app)).imageDigests), digestsOf(app, signature))
    })

    test('one that cannot come back stays in the bin, and its subject comes back without it', async (t) => {
      const { push, remove, restore, refusal, refused, bin, ask, metadata, repositoryName } = await stage(t)
      const app = image({ seed: 'app' })
      const signature = signatureOf(app, 'whole')
      const child = image({ seed: 'child' })
      const broken = index({ children: [child], subject: app })
      const ofBroken = signatureOf(broken, 'of broken')
      const unlinked = artifact({ artifactType: 'application/x.sbom', subject: app, blobs: [Buffer.from('sbom')] })
      for (const each of [app, signature, broken, ofBroken, unlinked]) await push(each)
      await remove(app, signature, broken, child, ofBroken, unlinked)
      await ask('PurgeDeletedImages', { repositoryName, imageDigest: child.digest })
      const blob = unlinked.blobs.at(-1)
      await metadata.transaction((trx) =>
        trx
          .deleteFrom('repository_blob')
          .where('digest', '=', blob?.digest ?? '')
          .execute(),
      )
      const { imageDigests, remainingReferrerDigests } = await restore(app)
      assert.deepEqual(new Set(imageDigests), digestsOf(app, signature))
      assert.deepEqual(new Set(remainingReferrerDigests), digestsOf(broken, unlinked))
      assert.deepEqual(await bin(), digestsOf(broken, ofBroken, unlinked))
      assert.equal(await refusal(broken), 'ReferencedImagesNotFoundException')
      assert.equal(await refusal(unlinked), 'LayersNotFoundException')
      const input = { repositoryName, imageDigest: child.digest }
      assert.equal((await refused('RestoreDeletedImage', input)).__type, 'DeletedImageNotFoundException')
    })

    test('one for which a quota leaves no room stays in the bin, and no subject does for its sake', async (t) => {
      const { push, remove, restore, refusal } = await stage(t, 'images=3')
      const app = image({ seed: 'app' })
      const signatures = ['one', 'two'].map((name) => signatureOf(app, name))
      const others = ['a', 'b', 'c'].map((seed) => image({ seed }))
      const [first, second, third] = others
      assert.ok(first && second && third)
      for (const each of [app, ...signatures]) await push(each)
      await remove(app, ...signatures)
      for (const each of others) await push(each)
      assert.equal(await refusal(app), 'LimitExceededException')
      await remove(first)
      const { imageDigests, remainingReferrerDigests } = await restore(app)
      assert.deepEqual(imageDigests, [app.digest])
      assert.deepEqual(new Set(remainingReferrerDigests), digestsOf(...signatures))

      await remove(app, second)
      const again = await restore(app)
      assert.deepEqual([again.imageDigests.length, again.remainingReferrerDigests.length], [2, 1])
      await remove(third)
      const [last] = signatures.filter(({ digest }) => again.remainingReferrerDigests.includes(digest))
      assert.ok(last)
      assert.deepEqual((await restore(last)).imageDigests, [last.digest])
    })

    test('one that was pushed again under as many tags as it may have stays as it is', async (t) => {
      const { push, remove, restore, bin } = await stage(t, 'tags=1')
      const app = image()
      const signature = signatureOf(app, 'one')
      await push(app)
      await push(signature, 'old')
      await remove(app, signature)
      await push(signature, 'new')
      const { imageDigests, imageTags, remainingReferrerDigests } = await restore(app)
      assert.deepEqual([imageDigests, imageTags, remainingReferrerDigests], [[app.digest], [], [signature.digest]])
      assert.deepEqual(await bin(), new Set(), 'it is there')
    })
  }),
)
