import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaTypes } from '#names/manifest-types.ts'
import { parseMediaType } from '#names/media-type.ts'
import type { StoredManifest } from '#registry/image.ts'
import { parseManifest } from '#registry/manifest.ts'
import { convertManifest } from '#registry/manifest-conversion.ts'
import { artifact, type Image, image, index } from '#test/support/images/build.ts'
import { digest } from '#test/support/images/content.ts'

const { ociImage, ociIndex, dockerImage, dockerList, dockerSchema1 } = mediaTypes
const storedOf = ({ digest, mediaType, bytes }: Image): StoredManifest => ({ digest, mediaType, body: bytes })

/** The manifest with other layers, or whatever else of it is changed. */
function changed(from: Image, members: object): StoredManifest {
  const body = Buffer.from(JSON.stringify({ ...JSON.parse(from.bytes.toString()), ...members }))
  return { digest: digest(body), mediaType: from.mediaType, body }
}

test('an image has in the other format the digest of what is converted, and back again all that it had', () => {
  for (const [format, to] of [
    ['docker', ociImage],
    ['oci', dockerImage],
  ] as const) {
    const stored = storedOf(image({ format, layers: [10, 20], annotations: { title: 'app' } }))
    const converted = convertManifest(stored, [to])
    assert.equal(converted.mediaType, to)
    assert.equal(converted.digest, digest(Buffer.from(converted.body)))
    const [before, after] = [parseManifest(stored.body, undefined), parseManifest(converted.body, undefined)]
    const content = ({ blobs }: typeof before) => blobs.map(({ digest, size, kind }) => ({ digest, size, kind }))
    assert.deepEqual(content(after), content(before))
    assert.deepEqual(after.annotations, before.annotations)
    for (const { mediaType } of after.blobs) assert.equal(mediaType.includes('docker'), to === dockerImage)
    const back = convertManifest(converted, [stored.mediaType])
    assert.deepEqual(JSON.parse(String(back.body)), JSON.parse(String(stored.body)))
  }
})

test('a manifest without a media type of its own gets one', () => {
  const { body } = convertManifest(changed(image(), { mediaType: undefined }), [dockerImage])
  assert.equal(parseManifest(body, undefined).mediaType, dockerImage)
})

test('types compare without regard to case, and layers that are not given are none', () => {
  const app = image()
  const [config] = app.blobs
  const capitals = changed(app, {
    config: { mediaType: config?.mediaType.toUpperCase(), digest: config?.digest, size: config?.bytes.length },
    layers: null,
  })
  const converted = convertManifest(capitals, [dockerImage.toUpperCase()])
  assert.equal(converted.mediaType, dockerImage)
  assert.deepEqual(
    parseManifest(converted.body, undefined).blobs.map(({ mediaType }) => mediaType),
    ['application/vnd.docker.container.image.v1+json'],
  )
  assert.equal(convertManifest(capitals, [ociImage.toUpperCase(), dockerImage]), capitals)
})

test('what is accepted as it is, or cannot be had otherwise, stays as it is', () => {
  const app = image()
  const layer = { digest: digest(Buffer.from('layer')), size: 5 }
  const kept: readonly [claim: string, stored: StoredManifest, accepted: readonly string[]][] = [
    ['its own type is accepted too', storedOf(app), [dockerImage, ociImage]],
    ['neither type is accepted', storedOf(app), [dockerSchema1, dockerList]],
    ['nothing is accepted', storedOf(app), []],
    ['an index', storedOf(index({ children: [app] })), [dockerList]],
    ['a list', storedOf(index({ format: 'docker', children: [app] })), [ociIndex]],
    ['an artifact', storedOf(artifact({ artifactType: 'application/spdx+json', subject: app })), [dockerImage]],
    [
      'a layer that Docker has no type for',
      changed(app, { layers: [{ ...layer, mediaType: parseMediaType('application/x-lading') }] }),
      [dockerImage],
    ],
  ]
  for (const [claim, stored, accepted] of kept) assert.equal(convertManifest(stored, accepted), stored, claim)
})
