/** Each change of an image or a tag is one event for each tag, in ECR's form, written if and only if the change is committed. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { EventEnvelope } from '#events/event.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { essence, openEvents } from '#test/support/events.ts'
import { artifact, image, index } from '#test/support/images/build.ts'
import { pushBlob } from '#test/support/push.ts'
import { openRetentionStage } from '#test/support/retention-stage.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const config = 'application/vnd.oci.image.config.v1+json'

eachDatabase(({ dialect, url }) =>
  describe(`events of images (${dialect})`, () => {
    async function open(t: TestContext) {
      const stage = await openRetentionStage(t, await url())
      const { server, ecr, push, ask, clock } = stage
      const events = await openEvents(server, { clock })
      const marker = image({ seed: 'marker' })
      let markers = 0
      await ecr().createRepository({ repositoryName: 'marker' })
      await push('marker', marker)
      /** All that happened since, but calls. */
      const taken = async () => {
        const all = await events.take(async () => {
          const imageManifest = marker.bytes.toString()
          await ecr().putImage({ repositoryName: 'marker', imageManifest, imageTag: `m${++markers}` })
          return 'marker'
        })
        return all.filter(
          ({ 'detail-type': type, detail }) => !type.startsWith('AWS') && detail['repository-name'] !== 'marker',
        )
      }
      await events.wait(({ detail }) => detail['repository-name'] === 'marker')
      return {
        ...stage,
        taken,
        essences: async () => (await taken()).map(essence),
        base: (repository: string, of: { digest: string; mediaType: string }, action: string, more: object = {}) => ({
          ...{ type: 'ECR Image Action', result: 'SUCCESS', 'repository-name': repository, 'image-digest': of.digest },
          ...{ 'action-type': action, 'manifest-media-type': of.mediaType, 'artifact-media-type': config, ...more },
        }),
        root: `arn:aws:iam::${server.account}:root`,
        archive: (repositoryName: string, { digest }: { digest: string }, targetStorageClass: 'ARCHIVE' | 'STANDARD') =>
          ecr().updateImageStorageClass({ repositoryName, imageId: { imageDigest: digest }, targetStorageClass }),
        restore: (repositoryName: string, { digest }: { digest: string }) =>
          ask('RestoreDeletedImage', { repositoryName, imageDigest: digest }),
      }
    }

    test('a push is one event for each tag, and none where it changes nothing', async (t) => {
      const { push, repository, essences, taken, base, root, clock, server } = await open(t)
      const name = await repository('INHERITED')
      const [one, two] = [image({ seed: '1' }), image({ seed: '2' })]
      const before = clock()
      await push(name, one)
      const [event] = await taken()
      assert.ok(event)
      const { id, time, ...rest } = event
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f-]{27}$/)
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.ok(Date.parse(time) >= before - 1_000 && Date.parse(time) <= clock())
      assert.deepEqual(rest, {
        ...{ version: '0', 'detail-type': 'ECR Image Action', source: 'aws.ecr' },
        ...{ account: server.account, region: server.region, resources: [] },
        detail: (({ type: _, ...detail }) => detail)(base(name, one, 'PUSH')),
      })
      await push(name, one, 'v1', 'latest')
      assert.deepEqual(await essences(), [
        base(name, one, 'PUSH', { 'image-tag': 'v1' }),
        base(name, one, 'PUSH', { 'image-tag': 'latest' }),
      ])
      await push(name, one, 'v1')
      assert.deepEqual(await essences(), [])
      await push(name, two, 'latest')
      const moved = { 'action-type': 'MOVED', 'repository-name': name, 'image-tag': 'latest', 'principal-arn': root }
      assert.deepEqual(await essences(), [
        base(name, two, 'PUSH'),
        { type: 'Lading Tag Action', ...moved, 'image-digest': two.digest, 'previous-image-digest': one.digest },
        base(name, two, 'PUSH', { 'image-tag': 'latest' }),
      ])
    })

    test('a refused push has no event', async (t) => {
      const { ecr, push, essences, oci } = await open(t)
      await ecr().createRepository({ repositoryName: 'fixed', imageTagMutability: 'IMMUTABLE' })
      await push('fixed', image({ seed: '1' }), 'v1')
      await essences()
      const two = image({ seed: '2' })
      for (const blob of two.blobs) await pushBlob(oci.registry, 'fixed', blob)
      const headers = { 'content-type': two.mediaType }
      const refused = await oci.call('PUT', '/v2/fixed/manifests/v1', { headers, body: two.bytes })
      assert.equal(refused.status, 400)
      assert.deepEqual(await essences(), [])
    })

    test('a deletion is one event for each tag, of an untagged image one without a tag', async (t) => {
      const { push, repository, delete: remove, essences, base } = await open(t)
      const name = await repository('INHERITED')
      const [one, two] = [image({ seed: '1' }), image({ seed: '2' })]
      await push(name, one, 'b', 'a', 'c')
      await push(name, two)
      await essences()
      await remove(name, { imageTag: 'c' })
      assert.deepEqual(await essences(), [base(name, one, 'DELETE', { 'image-tag': 'c' })])
      await remove(name, { imageDigest: one.digest }, { imageDigest: two.digest })
      assert.deepEqual(await essences(), [
        base(name, one, 'DELETE', { 'image-tag': 'a' }),
        base(name, one, 'DELETE', { 'image-tag': 'b' }),
        base(name, two, 'DELETE'),
      ])
    })

    test('a call that deletes images of thousands of tags has an event for each tag', async (t) => {
      const { push, repository, delete: remove, essences, metadata } = await open(t)
      const name = await repository('INHERITED')
      const images = Array.from({ length: 8 }, (_, seed) => image({ seed: `${seed}` }))
      for (const each of images) await push(name, each)
      const { id } = await metadata.reader
        .selectFrom('repository')
        .select('id')
        .where('name', '=', name)
        .executeTakeFirstOrThrow()
      for (const [place, { digest }] of images.entries()) {
        const tags = Array.from({ length: 1_000 }, (_, n) => `v${place}-${n}`)
        const rows = tags.map((tag) => ({ repository_id: id, tag, digest, moved_at: 0 }))
        await metadata.transaction((trx) => trx.insertInto('tag').values(rows).execute())
      }
      await essences()
      await remove(name, ...images.map(({ digest }) => ({ imageDigest: digest })))
      const events: Record<string, unknown>[] = await essences()
      assert.equal(new Set(events.map((event) => event['image-tag'])).size, 8_000)
    })

    test('a restore from the recycle bin is an event of its own, and so is each tag that comes back', async (t) => {
      const { push, repository, delete: remove, restore, essences, root } = await open(t)
      const name = await repository('INHERITED')
      const child = image({ seed: 'child' })
      const both = index({ children: [child] })
      await push(name, both, 'v1')
      await remove(name, { imageDigest: both.digest }, { imageDigest: child.digest })
      await remove(name, { imageDigest: child.digest })
      await essences()
      await restore(name, both)
      const own = { 'repository-name': name, 'action-type': 'RESTORED', 'principal-arn': root }
      const [tag, ...images] = await essences()
      assert.deepEqual(tag, { type: 'Lading Tag Action', ...own, 'image-tag': 'v1', 'image-digest': both.digest })
      const digests = new Set(images.map(({ 'image-digest': digest }: Record<string, unknown>) => digest))
      assert.deepEqual(digests, new Set([both.digest, child.digest]))
      for (const each of images)
        assert.deepEqual({ ...each, 'image-digest': '' }, { type: 'Lading Image Action', ...own, 'image-digest': '' })
    })

    test('a rollback of a tag is one event', async (t) => {
      const { push, repository, ask, essences, root } = await open(t)
      const name = await repository('INHERITED')
      const [one, two] = [image({ seed: '1' }), image({ seed: '2' })]
      await push(name, one, 'v1')
      await push(name, two, 'v1')
      await essences()
      await ask('RollbackTag', { repositoryName: name, imageTag: 'v1' })
      await ask('RollbackTag', { repositoryName: name, imageTag: 'v1', imageDigest: one.digest })
      assert.deepEqual(await essences(), [
        {
          ...{ type: 'Lading Tag Action', 'action-type': 'ROLLED_BACK', 'repository-name': name, 'image-tag': 'v1' },
          ...{ 'image-digest': one.digest, 'previous-image-digest': two.digest, 'principal-arn': root },
        },
      ])
    })

    test('the archive: each image that goes or comes back, referrers with a detail type of their own', async (t) => {
      const { push, repository, archive, essences, base } = await open(t)
      const name = await repository('INHERITED')
      const one = image({ seed: '1' })
      const sbom = artifact({ artifactType: 'application/spdx+json', subject: one, blobs: [Buffer.from('{}')] })
      await push(name, one, 'v1')
      await push(name, sbom)
      await essences()
      const types = [
        { type: 'ECR Image Action', digest: one.digest, mediaType: one.mediaType, 'artifact-media-type': config },
        {
          ...{ type: 'ECR Referrer Action', digest: sbom.digest, mediaType: sbom.mediaType },
          'artifact-media-type': 'application/spdx+json',
        },
      ]
      const update = (target: string, more: object = {}) =>
        types.map((each) => ({
          ...base(name, each, 'UPDATE_STORAGE_CLASS', { 'target-storage-class': target, ...more }),
          ...{ type: each.type, 'artifact-media-type': each['artifact-media-type'] },
        }))
      await archive(name, one, 'ARCHIVE')
      await archive(name, one, 'ARCHIVE')
      assert.deepEqual(await essences(), update('ARCHIVE'))
      const untimed = async () =>
        (await essences()).map(({ 'last-activated-at': at, ...event }: Record<string, unknown>) => {
          assert.match(String(at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
          return event
        })
      await archive(name, one, 'STANDARD')
      await archive(name, one, 'STANDARD')
      assert.deepEqual(await untimed(), update('STANDARD'))
      // A push restores it, too, and is no event of its own.
      await archive(name, one, 'ARCHIVE')
      await essences()
      await push(name, one, 'v1')
      assert.deepEqual(await untimed(), update('STANDARD'))
    })

    test('a lifecycle policy deletes and archives with the events of a client', async (t) => {
      const { push, repository, ecr, move, done, essences, base } = await open(t)
      const name = await repository('INHERITED')
      const [old, other, last] = ['old', 'other', 'last'].map((seed) => image({ seed }))
      assert.ok(old && other && last)
      await push(name, old, 'v1')
      await push(name, other)
      await push(name, last, 'v2')
      await essences()
      const rule = (rulePriority: number, selection: object, action: object) => ({ rulePriority, selection, action })
      const lifecyclePolicyText = JSON.stringify({
        rules: [
          rule(
            1,
            { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 1 },
            { type: 'expire' },
          ),
          rule(
            2,
            {
              tagStatus: 'tagged',
              tagPatternList: ['v1'],
              countType: 'sinceImagePushed',
              countUnit: 'days',
              countNumber: 1,
            },
            { type: 'transition', targetStorageClass: 'archive' },
          ),
        ],
      })
      move(2 * dayMs)
      await ecr().putLifecyclePolicy({ repositoryName: name, lifecyclePolicyText })
      move(2 * 60_000)
      await done('lifecycle-run')
      const events = (await essences()).filter(({ type }) => type.startsWith('ECR'))
      assert.deepEqual(events, [
        base(name, other, 'DELETE'),
        base(name, old, 'UPDATE_STORAGE_CLASS', { 'target-storage-class': 'ARCHIVE' }),
      ])
    })

    test('what follows a deleted subject is deleted with an event', async (t) => {
      const { push, repository, delete: remove, move, done, essences } = await open(t)
      const name = await repository('INHERITED')
      const one = image({ seed: '1' })
      const sbom = artifact({ artifactType: 'application/spdx+json', subject: one, blobs: [Buffer.from('{}')] })
      await push(name, one, 'v1')
      await push(name, sbom)
      await remove(name, { imageDigest: one.digest })
      await essences()
      move(hourMs + 60_000)
      await done('remove-referrers')
      assert.deepEqual(
        (await essences()).map((event: Record<string, unknown>) => [event['action-type'], event['image-digest']]),
        [['DELETE', sbom.digest]],
      )
    })

    test('events of one repository come in the order of its changes', async (t) => {
      const { push, ecr, taken, repository } = await open(t)
      const names = [await repository('INHERITED'), await repository('INHERITED'), await repository('INHERITED')]
      const images = Array.from({ length: 8 }, (_, n) => image({ seed: `${n}` }))
      const digests = new Map<string, string[]>()
      await Promise.all(
        names.map(async (name) => {
          for (const each of images) {
            await push(name, each)
            await ecr().putImage({ repositoryName: name, imageManifest: each.bytes.toString(), imageTag: 'latest' })
          }
          digests.set(
            name,
            images.map(({ digest }) => digest),
          )
        }),
      )
      const events = await taken()
      for (const name of names) {
        const pushes = events.filter(
          ({ detail }) =>
            detail['repository-name'] === name && detail['image-tag'] === 'latest' && detail['action-type'] === 'PUSH',
        )
        assert.deepEqual(
          pushes.map(({ detail }) => detail['image-digest']),
          digests.get(name),
        )
      }
      const ids = events.map(({ id }: EventEnvelope) => id)
      assert.equal(new Set(ids).size, ids.length)
    })
  }),
)
