/** `/v2/<name>/referrers/<digest>`: an index of what names a manifest as its subject, filtered and in pages. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  artifact,
  type Descriptor,
  descriptor,
  type Image,
  image,
  index,
  mediaTypes,
} from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { pushImage } from '#test/support/push.ts'
import { eachServerInCi, expect } from './world.ts'

interface Index {
  readonly schemaVersion: number
  readonly mediaType: string
  readonly manifests: (Descriptor & { artifactType?: string; annotations?: Record<string, string> })[]
}

const byDigest = (a: { digest: string }, b: { digest: string }) => (a.digest < b.digest ? -1 : 1)

eachServerInCi('referrers', (world) => {
  const { call } = world
  const pathOf = (name: string, { digest }: { digest: string }) => `/v2/${name}/referrers/${digest}`
  const push = (name: string, of: Image) => pushImage(world.client.registry, name, of)

  async function referrersAt(path: string) {
    const answer = expect(await call('GET', path), 200)
    assert.equal(answer.headers['content-type'], mediaTypes.oci.index)
    const { schemaVersion, mediaType, manifests } = answer.json<Index>()
    assert.deepEqual([schemaVersion, mediaType], [2, mediaTypes.oci.index])
    const next = /^<([^>]*)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1]
    return { manifests, next, filters: answer.headers['oci-filters-applied'] }
  }

  test('an image that nothing refers to has none, whether or not it is there', async () => {
    const name = await world.repository()
    const app = image({ seed: 'lonely' })
    assert.deepEqual((await referrersAt(pathOf(name, app))).manifests, [])
    await push(name, app)
    assert.deepEqual((await referrersAt(pathOf(name, app))).manifests, [])
  })

  test('each is described with type, size, artifact type and annotations', async () => {
    const name = await world.repository()
    const app = image({ seed: 'subject' })
    const annotations = { 'org.example.note': 'x' }
    const sbom = artifact({
      artifactType: 'application/spdx+json',
      subject: app,
      blobs: [world.bytes(10)],
      annotations,
    })
    const derived = image({ seed: 'derived', subject: app })
    const list = index({ children: [derived], subject: app, artifactType: 'application/x.list' })
    const bare = index({ children: [], subject: app })
    for (const each of [sbom, list, bare]) await push(name, each)
    const expected = [
      { ...descriptor(sbom), artifactType: 'application/spdx+json', annotations },
      { ...descriptor(derived), artifactType: mediaTypes.oci.config },
      { ...descriptor(list), artifactType: 'application/x.list' },
      descriptor(bare),
    ].sort(byDigest)
    assert.deepEqual((await referrersAt(pathOf(name, app))).manifests, expected)
    await push(name, app)
    assert.deepEqual((await referrersAt(pathOf(name, app))).manifests, expected)
    assert.deepEqual((await referrersAt(pathOf(name, app).replace('sha256:', 'sha256%3A'))).manifests, expected)
  })

  test('a filter leaves those of its artifact type, and says so', async () => {
    const name = await world.repository()
    const app = image({ seed: 'filtered' })
    const signature = artifact({ artifactType: 'application/x.sig', subject: app })
    const sbom = artifact({ artifactType: 'application/x.sbom+json', subject: app })
    for (const each of [signature, sbom]) await push(name, each)
    const filtered = async (type: string) => {
      const { manifests, filters } = await referrersAt(`${pathOf(name, app)}?artifactType=${encodeURIComponent(type)}`)
      assert.equal(filters, 'artifactType')
      return manifests.map(({ digest }) => digest)
    }
    assert.deepEqual(await filtered('application/x.sig'), [signature.digest])
    assert.deepEqual(await filtered('Application/X.sig'), [signature.digest])
    assert.deepEqual(await filtered('application/x.sbom+json'), [sbom.digest])
    assert.deepEqual(await filtered('application/other'), [])
    assert.equal((await referrersAt(pathOf(name, app))).filters, undefined)
  })

  test('pages followed by their links are the whole, and keep the filter', async () => {
    const name = await world.repository()
    const app = image({ seed: 'paged' })
    const type = 'application/x+paged'
    const all: Image[] = []
    for (let at = 0; at < 7; at++) {
      const each = artifact({
        artifactType: at % 2 === 1 ? 'application/other' : type,
        subject: app,
        annotations: { at: `${at}` },
      })
      all.push(each)
      await push(name, each)
    }
    const pagesFrom = async (start: string) => {
      const digests: string[][] = []
      for (let next: string | undefined = start; next !== undefined; ) {
        const page: Awaited<ReturnType<typeof referrersAt>> = await referrersAt(next)
        digests.push(page.manifests.map(({ digest }) => digest))
        next = page.next
      }
      return digests
    }
    const sorted = [...all].sort(byDigest).map(({ digest }) => digest)
    const ofType = new Set(all.filter((_, at) => at % 2 === 0).map(({ digest }) => digest))
    for (const n of [1, 3, 7, 50]) {
      const whole = await pagesFrom(`${pathOf(name, app)}?n=${n}`)
      assert.deepEqual(whole.flat(), sorted)
      assert.equal(whole.length, Math.ceil(7 / n))
      const filtered = await pagesFrom(`${pathOf(name, app)}?n=${n}&artifactType=${encodeURIComponent(type)}`)
      assert.deepEqual(
        filtered.flat(),
        sorted.filter((digest) => ofType.has(digest)),
      )
    }
  })

  test('pages hold less than 4 MiB, and leave out annotations that alone are too many', async () => {
    const name = await world.repository()
    const app = image({ seed: 'annotated' })
    const sizes = [1_000_000, 1_000_000, 1_500_000, 1_500_000, 3_900_000, 3_900_000]
    for (const size of sizes) {
      const annotations = { note: 'x'.repeat(size) }
      await push(name, artifact({ artifactType: 'application/x', subject: app, annotations, blobs: [world.bytes(10)] }))
    }
    const notes: number[] = []
    for (let next: string | undefined = pathOf(name, app); next !== undefined; ) {
      const answer = expect(await call('GET', next), 200)
      assert.ok(answer.body.length < 4 * 1024 * 1024, `${answer.body.length} bytes`)
      const page: Awaited<ReturnType<typeof referrersAt>> = await referrersAt(next)
      for (const { annotations } of page.manifests) notes.push(annotations?.note?.length ?? 0)
      next = page.next
    }
    assert.deepEqual(
      notes.sort((a, b) => a - b),
      sizes.map((size) => (size > 3 * 1024 * 1024 ? 0 : size)).sort((a, b) => a - b),
    )
  })

  test('a referrer that is deleted, and one in another repository, is not listed', async () => {
    const [name, elsewhere] = [await world.repository(), await world.repository()]
    const app = image({ seed: 'deleted' })
    const sbom = artifact({ artifactType: 'application/x', subject: app })
    await push(name, sbom)
    assert.deepEqual((await referrersAt(pathOf(elsewhere, app))).manifests, [])
    expect(await call('DELETE', `/v2/${name}/manifests/${sbom.digest}`), 202)
    assert.deepEqual((await referrersAt(pathOf(name, app))).manifests, [])
  })

  test('a digest that is none is refused, and a repository that is not there is unknown', async () => {
    const name = await world.repository()
    for (const bad of ['latest', 'sha256:0']) {
      expect(await call('GET', pathOf(name, { digest: bad })), 400, 'DIGEST_INVALID')
    }
    expect(await call('GET', pathOf('no/such', { digest: digest(Buffer.from('x')) })), 404, 'NAME_UNKNOWN')
  })
})
