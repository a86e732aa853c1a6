/** `/v2/<name>/manifests/<reference>`: the bytes that came are the bytes that go, and an image is whole or is not taken. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { DescribeImagesCommand } from '@aws-sdk/client-ecr'
import { manifestLimitBytes } from '#registry/manifest.ts'
import { mostReferences } from '#registry/manifest-json.ts'
import { amd64, arm64, artifact, type Image, image, index, mediaTypes, rewritten } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'
import { oddImages } from '#test/support/images/odd.ts'
import { pushImage } from '#test/support/push.ts'
import { eachServerInCi, expect } from './world.ts'

let now = Date.now()

eachServerInCi(
  'manifests',
  (world) => {
    const { call, putManifest } = world
    let seed = 0
    const newImage = (options: Parameters<typeof image>[0] = {}) =>
      image({ seed: `manifests ${world.dialect} ${++seed}`, ...options })
    const path = (repository: string, reference: string) => `/v2/${repository}/manifests/${reference}`
    const push = (repository: string, of: Image, tag?: string) => pushImage(world.client.registry, repository, of, tag)

    /** An image manifest of exactly that size, whose config is in the repository. */
    async function manifestOf(repository: string, sizeBytes: number): Promise<Buffer> {
      const { blobs } = newImage()
      const [config] = blobs
      assert.ok(config !== undefined)
      await world.pushBlobs(repository, { ...newImage(), blobs: [config] })
      const { mediaType, digest, bytes } = config
      const base = {
        schemaVersion: 2,
        mediaType: mediaTypes.oci.manifest,
        config: { mediaType, digest, size: bytes.length },
        layers: [],
      }
      const fill = sizeBytes - JSON.stringify({ ...base, annotations: { fill: '' } }).length
      return Buffer.from(JSON.stringify({ ...base, annotations: { fill: 'x'.repeat(fill) } }))
    }

    async function expectManifest(repository: string, reference: string, { bytes, mediaType, digest }: Image) {
      const get = expect(await call('GET', path(repository, reference)), 200)
      assert.ok(get.body.equals(bytes))
      const head = expect(await call('HEAD', path(repository, reference)), 200)
      assert.equal(head.body.length, 0)
      for (const { headers } of [get, head]) {
        assert.equal(headers['content-type'], mediaType)
        assert.equal(headers['content-length'], String(bytes.length))
        assert.equal(headers['docker-content-digest'], digest)
      }
    }

    for (const [what, make] of [
      ['an OCI image', () => newImage()],
      ['a Docker image', () => newImage({ format: 'docker' })],
      ['an image without layers', () => newImage({ layers: [] })],
      ['an artifact', () => artifact({ artifactType: 'application/x', blobs: [world.bytes(10)] })],
    ] as const) {
      test(`${what} is pushed by tag and given back byte for byte, by tag and by digest`, async () => {
        const name = await world.repository()
        const app = make()
        await world.pushBlobs(name, app)
        const answer = expect(await putManifest(name, app, '1.0'), 201)
        assert.equal(answer.headers.location, path(name, app.digest))
        assert.equal(answer.headers['docker-content-digest'], app.digest)
        await expectManifest(name, '1.0', app)
        await expectManifest(name, app.digest, app)
      })
    }

    for (const format of ['oci', 'docker'] as const) {
      test(`an index of format ${format} is taken once its children are there`, async () => {
        const name = await world.repository()
        const children = [amd64, arm64].map((platform) => newImage({ platform, format }))
        const both = index({ children, format })
        const answer = expect(await putManifest(name, both, 'both'), 400, 'MANIFEST_BLOB_UNKNOWN')
        for (const child of children) assert.ok(answer.message.includes(child.digest))
        expect(await call('GET', path(name, 'both')), 404, 'MANIFEST_UNKNOWN')
        await push(name, both, 'both')
        await expectManifest(name, 'both', both)
      })
    }

    test('a push by digest leaves the image without a tag', async () => {
      const name = await world.repository()
      const app = newImage()
      await world.pushBlobs(name, app)
      expect(await putManifest(name, app, app.digest), 201)
      await expectManifest(name, app.digest, app)
      assert.deepEqual((await call('GET', `/v2/${name}/tags/list`)).json(), { name, tags: [] })
    })

    test('a sha512 digest is one to push by and to pull by', async () => {
      const name = await world.repository()
      const app = newImage()
      const sha512 = digest(app.bytes, 'sha512')
      await world.pushBlobs(name, app)
      expect(await putManifest(name, app, sha512), 201)
      await expectManifest(name, sha512, { ...app, digest: sha512 })
    })

    test('a digest that does not fit is refused and stores nothing', async () => {
      const name = await world.repository()
      const [app, other] = [newImage(), newImage()]
      await world.pushBlobs(name, app)
      expect(await putManifest(name, app, other.digest), 400, 'DIGEST_INVALID')
      for (const digest of [app.digest, other.digest]) {
        expect(await call('GET', path(name, digest)), 404, 'MANIFEST_UNKNOWN')
      }
    })

    test('a manifest whose blobs are missing is refused, and told which', async () => {
      const [name, elsewhere] = [await world.repository(), await world.repository()]
      const app = newImage({ layers: [10, 20, 30] })
      await world.pushBlobs(elsewhere, app)
      await world.pushBlobs(name, { ...app, blobs: app.blobs.slice(0, 2) })
      const answer = expect(await putManifest(name, app, '1.0'), 400, 'MANIFEST_BLOB_UNKNOWN')
      for (const [at, { digest }] of app.blobs.entries()) assert.equal(answer.message.includes(digest), at >= 2)
      expect(await call('GET', path(name, '1.0')), 404, 'MANIFEST_UNKNOWN')
      expect(await call('GET', path(name, app.digest)), 404, 'MANIFEST_UNKNOWN')
    })

    test('a size that is not that of the blob or manifest is refused, and told', async () => {
      const name = await world.repository()
      const app = newImage()
      const both = index({ children: [app] })
      await push(name, app)
      const image1 = JSON.parse(app.bytes.toString())
      const index1 = JSON.parse(both.bytes.toString())
      const [first] = app.blobs
      const wrong = [
        { mediaType: app.mediaType, manifest: { ...image1, config: { ...image1.config, size: 999 } }, of: first },
        {
          mediaType: both.mediaType,
          manifest: { ...index1, manifests: [{ ...index1.manifests[0], size: 999 }] },
          of: app,
        },
      ]
      for (const { mediaType, manifest, of } of wrong) {
        const bytes = Buffer.from(JSON.stringify(manifest))
        const answer = expect(await putManifest(name, { bytes, mediaType }, 'wrong'), 400, 'MANIFEST_INVALID')
        assert.ok(answer.message.includes(`${of?.digest} has 999 bytes, but it has ${of?.bytes.length}`))
      }
    })

    test('a subject may be missing, and is told back', async () => {
      const name = await world.repository()
      const subject = newImage()
      const sbom = artifact({ artifactType: 'application/spdx+json', subject, blobs: [world.bytes(10)] })
      await world.pushBlobs(name, sbom)
      assert.equal(expect(await putManifest(name, sbom, sbom.digest), 201).headers['oci-subject'], subject.digest)
      await push(name, subject)
      assert.equal(expect(await putManifest(name, subject, 'x'), 201).headers['oci-subject'], undefined)
    })

    test('layers that may not be distributed need not be there', async () => {
      const name = await world.repository()
      const app = newImage()
      const manifest = JSON.parse(app.bytes.toString())
      manifest.layers.push({
        mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
        digest: digest(Buffer.from('far away')),
        size: 8,
      })
      const bytes = Buffer.from(JSON.stringify(manifest))
      await world.pushBlobs(name, app)
      expect(await putManifest(name, { bytes, mediaType: app.mediaType }, '1.0'), 201)
    })

    test('a manifest may have 4 MiB and no byte more', async () => {
      const name = await world.repository()
      const mediaType = mediaTypes.oci.manifest
      const largest = await manifestOf(name, manifestLimitBytes)
      expect(await putManifest(name, { bytes: largest, mediaType }, 'largest'), 201)
      assert.ok(expect(await call('GET', path(name, 'largest')), 200).body.equals(largest))
      for (const sizeBytes of [manifestLimitBytes + 1, 5 * 1024 * 1024]) {
        const bytes = await manifestOf(name, sizeBytes)
        expect(await putManifest(name, { bytes, mediaType }, 'larger'), 413, 'SIZE_INVALID')
        const body = Readable.from([bytes])
        expect(
          await call('PUT', path(name, 'larger'), { headers: { 'content-type': mediaType }, body }),
          413,
          'SIZE_INVALID',
        )
      }
      expect(await call('GET', path(name, 'larger')), 404, 'MANIFEST_UNKNOWN')
    })

    test('what is no manifest is refused, and told where', async () => {
      const name = await world.repository()
      const app = newImage()
      await world.pushBlobs(name, app)
      const parsed = JSON.parse(app.bytes.toString())
      const bad: [string, object | string][] = [
        ['JSON', ''],
        ['JSON', '{"schemaVersion": 2'],
        ['schemaVersion', { ...parsed, schemaVersion: 3 }],
        ['config', { ...parsed, config: undefined }],
        ['manifests', { ...parsed, manifests: [] }],
        ['layers[0].digest', { ...parsed, layers: [{ ...parsed.layers[0], digest: 'sha256:0' }] }],
        ['artifactType', { ...parsed, artifactType: 'application/x\0' }],
      ]
      for (const [where, manifest] of bad) {
        const bytes = Buffer.from(typeof manifest === 'string' ? manifest : JSON.stringify(manifest))
        const answer = expect(
          await putManifest(name, { bytes, mediaType: app.mediaType }, 'bad'),
          400,
          'MANIFEST_INVALID',
        )
        assert.ok(answer.message.includes(where), answer.message)
      }
      expect(await call('GET', path(name, 'bad')), 404, 'MANIFEST_UNKNOWN')
    })

    test('members that are null, empty or missing are not given, as in images of other registries', async () => {
      const name = await world.repository()
      for (const [at, [, odd]] of oddImages().entries()) {
        await push(name, odd, `v${at}`)
        await expectManifest(name, `v${at}`, odd)
      }
    })

    test('a member that stands twice is refused, however it is written, so that no client sees another image', async () => {
      const name = await world.repository()
      const app = newImage({ annotations: { a: 'b' } })
      await world.pushBlobs(name, app)
      const text = app.bytes.toString()
      for (const [found, twice] of [
        ['"layers": [', '"layers": [], "layers": ['],
        ['"layers": [', '"\\u006cayers": [], "layers": ['],
        ['"digest": "', '"digest": "x", "digest": "'],
        ['"a": "b"', '"a": "b", "a": "c"'],
      ] as const) {
        assert.ok(text.includes(found))
        const bytes = Buffer.from(text.replace(found, twice))
        expect(await putManifest(name, { bytes, mediaType: app.mediaType }, 'twice'), 400, 'MANIFEST_INVALID')
      }
      expect(await call('GET', path(name, 'twice')), 404, 'MANIFEST_UNKNOWN')
    })

    test('a manifest of 4 MiB with endless annotations is refused before it is parsed', async () => {
      const name = await world.repository()
      const app = newImage()
      await world.pushBlobs(name, app)
      const annotations = Object.fromEntries(Array.from({ length: 200_000 }, (_, at) => [`k${at}`, '']))
      const { bytes, mediaType } = rewritten(app, { annotations })
      const answer = expect(await putManifest(name, { bytes, mediaType }, 'endless'), 400, 'MANIFEST_INVALID')
      assert.match(answer.message, /at most 1000 members in one object, such as its annotations/)
    })

    test('annotations may hold any text', async () => {
      const name = await world.repository()
      const app = newImage({ annotations: { 'a\0b': '\0', é: '🙂', '': '' } })
      await push(name, app, 'odd')
      await expectManifest(name, 'odd', app)
    })

    test('a manifest that the client has already is 304, and one that it does not want is 412', async () => {
      const name = await world.repository()
      const [app, next] = [newImage(), newImage()]
      await push(name, app, 'latest')
      const ask = (method: string, headers: Record<string, string>) => call(method, path(name, 'latest'), { headers })
      for (const method of ['GET', 'HEAD']) {
        const same = expect(await ask(method, { 'if-none-match': `W/"${app.digest}"` }), 304)
        assert.equal(same.body.length, 0)
        assert.deepEqual([same.headers.etag, same.headers['docker-content-digest']], [`"${app.digest}"`, app.digest])
        expect(await ask(method, { 'if-match': `"${next.digest}"` }), 412)
      }
      await push(name, next, 'latest')
      const { body, headers } = expect(await ask('GET', { 'if-none-match': `"${app.digest}"` }), 200)
      assert.ok(body.equals(next.bytes))
      assert.equal(headers.etag, `"${next.digest}"`)
    })

    test('a pull ignores Accept, so that a tag has one digest for all clients', async () => {
      const name = await world.repository()
      const app = newImage({ format: 'docker' })
      await push(name, app, '1.0')
      for (const accept of [mediaTypes.oci.manifest, 'application/json', 'nonsense']) {
        for (const method of ['GET', 'HEAD']) {
          const answer = expect(await call(method, path(name, '1.0'), { headers: { accept } }), 200)
          assert.equal(answer.headers['content-type'], app.mediaType)
          assert.equal(answer.headers['docker-content-digest'], app.digest)
        }
      }
    })

    test('the media type that is sent and the one in the manifest must agree; one suffices', async () => {
      const name = await world.repository()
      const app = newImage()
      await world.pushBlobs(name, app)
      const put = (contentType: string | undefined, bytes: Buffer = app.bytes) =>
        call('PUT', path(name, 'typed'), { headers: { 'content-type': contentType }, body: bytes })
      const nameless = Buffer.from(JSON.stringify({ ...JSON.parse(app.bytes.toString()), mediaType: undefined }))

      for (const other of [mediaTypes.docker.manifest, mediaTypes.oci.index]) {
        expect(await put(other), 400, 'MANIFEST_INVALID')
      }
      for (const unknown of ['application/json', 'text/plain', 'nonsense', '*/*']) {
        const answer = expect(await put(unknown, nameless), 400, 'MANIFEST_INVALID')
        assert.match(answer.message, /not supported/)
      }
      expect(await put(undefined, nameless), 400, 'MANIFEST_INVALID')
      expect(await call('GET', path(name, 'typed')), 404, 'MANIFEST_UNKNOWN')

      expect(await put(undefined), 201)
      expect(await put(''), 201)
      expect(await put(mediaTypes.oci.manifest, nameless), 201)
      expect(await put(`${mediaTypes.oci.manifest}; charset=utf-8`), 201)
      expect(await put(mediaTypes.oci.manifest.toUpperCase()), 201)
      await expectManifest(name, 'typed', app)
    })

    test('pushing the same again changes nothing, not even when it was pushed', async () => {
      const name = await world.repository()
      const app = newImage()
      await push(name, app, '1.0')
      const describe = new DescribeImagesCommand({ repositoryName: name })
      const before = await world.client.ecr.send(describe)
      now += 60_000
      for (const reference of ['1.0', app.digest]) expect(await putManifest(name, app, reference), 201)
      const after = await world.client.ecr.send(describe)
      assert.deepEqual(after.imageDetails, before.imageDetails)
      expect(await putManifest(name, app, '1.1'), 201)
      const [detail] = (await world.client.ecr.send(describe)).imageDetails ?? []
      assert.deepEqual(detail?.imagePushedAt, before.imageDetails?.[0]?.imagePushedAt)
      assert.deepEqual(detail?.imageTags, ['1.0', '1.1'])
    })

    test('a tag moves to the image that was pushed last, and the other stays', async () => {
      const name = await world.repository()
      const [one, two] = [newImage(), newImage()]
      await push(name, one, 'latest')
      await push(name, two, 'latest')
      await expectManifest(name, 'latest', two)
      await expectManifest(name, one.digest, one)
      await push(name, one, 'latest')
      await expectManifest(name, 'latest', one)
    })

    test('whoever pulls while a tag moves gets the one image or the other, whole', async () => {
      const name = await world.repository()
      const images = [newImage(), newImage()]
      for (const each of images) await push(name, each, 'latest')
      const moved = new AbortController()
      const pulls = (async () => {
        const seen = new Set<string>()
        while (!moved.signal.aborted) {
          const { headers, body } = expect(await call('GET', path(name, 'latest')), 200)
          assert.equal(digest(body), headers['docker-content-digest'])
          seen.add(digest(body))
        }
        return seen
      })()
      for (let round = 0; round < 20; round++) {
        for (const each of images) expect(await putManifest(name, each, 'latest'), 201)
      }
      moved.abort()
      assert.deepEqual(await pulls, new Set(images.map(({ digest }) => digest)))
    })

    test('an immutable tag does not move, in ECR’s words, and the image is not stored', async () => {
      const name = await world.repository('IMMUTABLE')
      const [one, two] = [newImage(), newImage()]
      await push(name, one, '1.0')
      await world.pushBlobs(name, two)
      const answer = expect(await putManifest(name, two, '1.0'), 400, 'TAG_INVALID')
      assert.equal(
        answer.message,
        `The image tag '1.0' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`,
      )
      await expectManifest(name, '1.0', one)
      expect(await call('GET', path(name, two.digest)), 404, 'MANIFEST_UNKNOWN')
      expect(await putManifest(name, two, '1.1'), 201)
      expect(await call('DELETE', path(name, '1.0')), 202)
      expect(await putManifest(name, two, '1.0'), 201)
    })

    test('a tag that is none is refused, and names no image', async () => {
      const name = await world.repository()
      const app = newImage()
      await world.pushBlobs(name, app)
      for (const tag of ['-x', '.x', 'a+b', 'a@b', 'é', 'x'.repeat(129), 'a%20b']) {
        const encoded = encodeURI(tag)
        expect(await putManifest(name, app, encoded), 400, 'TAG_INVALID')
        expect(await call('GET', path(name, encoded)), 404, 'MANIFEST_UNKNOWN')
      }
      expect(await putManifest(name, app, 'sha256:0'), 400, 'DIGEST_INVALID')
      expect(await call('GET', path(name, 'sha256:0')), 404, 'MANIFEST_UNKNOWN')
    })

    test('DELETE of a tag takes the tag alone; of a digest, the image with its tags', async () => {
      const name = await world.repository()
      const app = newImage()
      await push(name, app, '1.0')
      expect(await putManifest(name, app, '1.1'), 201)
      expect(await call('DELETE', path(name, '1.0')), 202)
      expect(await call('GET', path(name, '1.0')), 404, 'MANIFEST_UNKNOWN')
      expect(await call('DELETE', path(name, '1.0')), 404, 'MANIFEST_UNKNOWN')
      await expectManifest(name, '1.1', app)
      expect(await call('DELETE', path(name, '1.1')), 202)
      await expectManifest(name, app.digest, app)
      expect(await putManifest(name, app, '1.2'), 201)
      expect(await call('DELETE', path(name, app.digest)), 202)
      for (const reference of [app.digest, '1.2']) {
        expect(await call('GET', path(name, reference)), 404, 'MANIFEST_UNKNOWN')
        expect(await call('HEAD', path(name, reference)), 404)
        expect(await call('DELETE', path(name, reference)), 404, 'MANIFEST_UNKNOWN')
      }
      await push(name, app, '1.0')
      await expectManifest(name, '1.0', app)
    })

    test('an image that an index lists is not deleted before that', async () => {
      const name = await world.repository()
      const children = [newImage(), newImage()]
      const both = index({ children })
      await push(name, both, 'both')
      const [child] = children
      assert.ok(child !== undefined)
      const answer = expect(await call('DELETE', path(name, child.digest)), 405, 'UNSUPPORTED')
      assert.match(answer.message, new RegExp(`^Requested image referenced by manifest list: \\[${both.digest}\\]`))
      await expectManifest(name, child.digest, child)
      expect(await call('DELETE', path(name, both.digest)), 202)
      expect(await call('DELETE', path(name, child.digest)), 202)
    })

    test('a subject may be deleted before what refers to it', async () => {
      const name = await world.repository()
      const subject = newImage()
      const sbom = artifact({ artifactType: 'application/x', subject })
      await push(name, subject, '1.0')
      await push(name, sbom)
      expect(await call('DELETE', path(name, subject.digest)), 202)
      await expectManifest(name, sbom.digest, sbom)
    })

    test('an image is not served from another repository, nor from one that is not there', async () => {
      const [name, other] = [await world.repository(), await world.repository()]
      const app = newImage()
      await push(name, app, '1.0')
      for (const reference of ['1.0', app.digest]) {
        expect(await call('GET', path(other, reference)), 404, 'MANIFEST_UNKNOWN')
        const missing = expect(await call('GET', path('no/such', reference)), 404, 'NAME_UNKNOWN')
        assert.match(missing.message, /create-repository --repository-name no\/such/)
        expect(await call('HEAD', path('no/such', reference)), 404)
        expect(await call('DELETE', path('no/such', reference)), 404, 'NAME_UNKNOWN')
      }
      expect(await putManifest('no/such', app, '1.0'), 404, 'NAME_UNKNOWN')
    })

    test('a manifest that refers to thousands of blobs is checked and stored, and of those missing ten are named', async () => {
      const name = await world.repository()
      const app = newImage()
      const parsed = JSON.parse(app.bytes.toString())
      const missing = Array.from({ length: mostReferences }, (_, at) => digest(Buffer.from(`${at}`)))
      const layers = missing.map((each) => ({ mediaType: mediaTypes.oci.layer, digest: each, size: 1 }))
      await push(name, app)
      const put = (manifest: object) => {
        const bytes = Buffer.from(JSON.stringify(manifest))
        return putManifest(name, { bytes, mediaType: mediaTypes.oci.manifest }, 'many')
      }
      const answer = expect(await put({ ...parsed, layers }), 400, 'MANIFEST_BLOB_UNKNOWN')
      const named = missing.filter((each) => answer.message.includes(each))
      assert.deepEqual(named, missing.slice(0, 10))
      assert.match(answer.message, / and 3990 more/)
      expect(await put({ ...parsed, layers: Array(mostReferences).fill(parsed.layers[0]) }), 201)
    })
  },
  { clock: () => now },
)
