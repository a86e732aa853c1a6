/** Requests that race: whatever was acknowledged is there, and of two that exclude one another one wins. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Image, image, index, mediaTypes } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { pullWhole, pushBlob, pushImage } from '#test/support/push.ts'
import { eachServer, expect } from './world.ts'

const rounds = 10

eachServer('races', (world) => {
  const { call, putManifest } = world
  const registry = () => world.client.registry
  const app = (seed: string) => image({ seed: `races ${seed}`, layers: [500] })
  const numbered = (count: number) => Array.from({ length: count }, (_, at) => at)

  test('of pushes of different images to one immutable tag exactly one wins, and it stays', async () => {
    const name = await world.repository('IMMUTABLE')
    const images = numbered(4).map((at) => app(`immutable ${at}`))
    for (const each of images) await world.pushBlobs(name, each)
    for (const round of numbered(rounds)) {
      const answers = await Promise.all(images.map((each) => putManifest(name, each, `v${round}`)))
      const winners = images.filter((_, at) => answers[at]?.status === 201)
      for (const answer of answers) if (answer.status !== 201) expect(answer, 400, 'TAG_INVALID')
      assert.equal(winners.length, 1)
      const pulled = expect(await call('GET', `/v2/${name}/manifests/v${round}`), 200)
      assert.equal(digest(pulled.body), winners[0]?.digest)
    }
  })

  test('an image whose push was acknowledged while its repository went is readable, or the repository is gone', async () => {
    for (const round of numbered(rounds)) {
      const name = await world.repository()
      const one = app(`deleted ${round}`)
      await world.pushBlobs(name, one)
      const [answer] = await Promise.all([putManifest(name, one, '1.0'), world.client.deleteRepository(name)])
      assert.ok(answer.status === 201 || answer.error === 'NAME_UNKNOWN', answer.message)
      expect(await call('GET', `/v2/${name}/manifests/1.0`), 404, 'NAME_UNKNOWN')
      await world.client.createRepository(name)
      // A repository of that name that is made anew has nothing of the one before.
      expect(await call('GET', `/v2/${name}/manifests/${one.digest}`), 404, 'MANIFEST_UNKNOWN')
      for (const blob of one.blobs) expect(await call('HEAD', `/v2/${name}/blobs/${blob.digest}`), 404)
      await pushImage(registry(), name, one, '1.0')
      assert.equal(await pullWhole(registry(), name, '1.0'), one.digest)
    }
  })

  test('a blob whose upload ends while its repository goes is there, or the repository is gone', async () => {
    for (const _ of numbered(rounds)) {
      const name = await world.repository()
      const bytes = world.bytes(1_000)
      const path = await world.startUpload(name)
      const [answer] = await Promise.all([
        call('PUT', `${path}?digest=${digest(bytes)}`, { body: bytes }),
        world.client.deleteRepository(name),
      ])
      assert.ok(
        answer.status === 201 || answer.status === 404 || answer.status === 409,
        `${answer.status} ${answer.message}`,
      )
      expect(await call('GET', `/v2/${name}/blobs/${digest(bytes)}`), 404, 'NAME_UNKNOWN')
    }
  })

  test('parallel uploads of one blob, to one repository and to several, all succeed', async () => {
    const names = [await world.repository(), await world.repository()]
    const bytes = world.bytes(2_000_000)
    const blob = { bytes, digest: digest(bytes), mediaType: mediaTypes.oci.layer }
    await Promise.all(
      names.flatMap((name) => [
        ...numbered(4).map(() => pushBlob(registry(), name, blob)),
        ...numbered(2).map(async () =>
          expect(await call('POST', `/v2/${name}/blobs/uploads/?digest=${blob.digest}`, { body: bytes }), 201),
        ),
      ]),
    )
    for (const name of names) {
      assert.ok(expect(await call('GET', `/v2/${name}/blobs/${blob.digest}`), 200).body.equals(bytes))
    }
  })

  test('parallel pushes of one manifest all succeed and make one image', async () => {
    for (const round of numbered(rounds)) {
      const name = await world.repository()
      const one = app(`same ${round}`)
      await world.pushBlobs(name, one)
      const references = ['1', '1', '2', '3', one.digest, one.digest]
      const answers = await Promise.all(references.map((reference) => putManifest(name, one, reference)))
      for (const answer of answers) expect(answer, 201)
      assert.deepEqual((await call('GET', `/v2/${name}/tags/list`)).json(), { name, tags: ['1', '2', '3'] })
      expect(await call('DELETE', `/v2/${name}/manifests/${one.digest}`), 202)
      expect(await call('GET', `/v2/${name}/manifests/1`), 404, 'MANIFEST_UNKNOWN')
    }
  })

  test('a manifest is never there without a blob that is deleted at the same time', async () => {
    for (const round of numbered(rounds)) {
      const name = await world.repository()
      const one = app(`unlinked ${round}`)
      await world.pushBlobs(name, one)
      const layer = one.blobs.at(-1)
      assert.ok(layer !== undefined)
      const [put, gone] = await Promise.all([
        putManifest(name, one, '1.0'),
        call('DELETE', `/v2/${name}/blobs/${layer.digest}`),
      ])
      if (put.status === 201) {
        expect(gone, 405, 'UNSUPPORTED')
        assert.equal(await pullWhole(registry(), name, '1.0'), one.digest)
      } else {
        expect(put, 400, 'MANIFEST_BLOB_UNKNOWN')
        expect(gone, 202)
      }
    }
  })

  test('an index is never there without a child that is deleted at the same time', async () => {
    for (const round of numbered(rounds)) {
      const name = await world.repository()
      const child = app(`child ${round}`)
      const parent = index({ children: [child] })
      await pushImage(registry(), name, child)
      const [put, gone] = await Promise.all([
        putManifest(name, parent, 'both'),
        call('DELETE', `/v2/${name}/manifests/${child.digest}`),
      ])
      if (put.status === 201) {
        expect(gone, 405, 'UNSUPPORTED')
        assert.equal(await pullWhole(registry(), name, 'both'), parent.digest)
      } else {
        expect(put, 400, 'MANIFEST_BLOB_UNKNOWN')
        expect(gone, 202)
      }
    }
  })

  test('mounts across each other, pushes and deletions in two repositories end, and none as a failure', async () => {
    await world.allowMounts()
    const names = [await world.repository(), await world.repository()] as const
    const images: readonly Image[] = numbered(4).map((at) => app(`crossing ${at}`))
    for (const name of names) for (const each of images) await pushImage(registry(), name, each, 'latest')
    const storm = names.flatMap((name, at) =>
      images.flatMap((each) => [
        putManifest(name, each, 'latest'),
        call('DELETE', `/v2/${name}/manifests/${each.digest}`),
        ...each.blobs.map(({ digest }) =>
          call('POST', `/v2/${name}/blobs/uploads/?mount=${digest}&from=${names[1 - at]}`),
        ),
        ...each.blobs.map(({ digest }) => call('DELETE', `/v2/${name}/blobs/${digest}`)),
      ]),
    )
    for (const answer of await Promise.all(storm)) assert.ok(answer.status < 500, answer.message)
    for (const name of names) {
      for (const each of images) {
        const { status } = await call('HEAD', `/v2/${name}/manifests/${each.digest}`)
        if (status === 200) assert.equal(await pullWhole(registry(), name, each.digest), each.digest)
      }
    }
  })
})
