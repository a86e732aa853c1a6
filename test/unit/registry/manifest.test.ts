/** Reading manifests: every type that is taken and what it refers to, and every way of being no manifest. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Refusal } from '#lib/refusal.ts'
import { mediaTypes } from '#names/manifest-types.ts'
import { type Manifest, manifestLimitBytes, parseManifest } from '#registry/manifest.ts'
import { manifestLimits, mostReferences } from '#registry/manifest-json.ts'
import { artifact, image, index } from '#test/support/images/build.ts'

const digests = ['a', 'b', 'c', 'd', 'e', 'f'].map((digit) => `sha256:${digit.repeat(64)}`)
const [configDigest, layerDigest, otherDigest, childDigest] = digests
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip'
const configType = 'application/vnd.oci.image.config.v1+json'

const config = { mediaType: configType, digest: configDigest, size: 2 }
const layer = { mediaType: layerType, digest: layerDigest, size: 3 }
const child = { mediaType: mediaTypes.ociImage, digest: childDigest, size: 4 }
const subject = { mediaType: mediaTypes.ociImage, digest: otherDigest, size: 5 }

const ociImage = { schemaVersion: 2, mediaType: mediaTypes.ociImage, config, layers: [layer] }
const ociIndex = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] }
const schema1 = {
  schemaVersion: 1,
  name: 'app',
  tag: '1',
  fsLayers: [{ blobSum: layerDigest }, { blobSum: layerDigest }],
}

const encode = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const read = (value: unknown, declared?: string) => parseManifest(encode(value), declared)
const asLayer = (descriptor: object) => ({ ...descriptor, kind: 'layer' })

interface Accepted {
  readonly what: string
  readonly manifest: object
  readonly declared?: string
  readonly expected: Partial<Manifest> | Record<string, unknown>
}

const accepted: readonly Accepted[] = [
  {
    what: 'an OCI image',
    manifest: ociImage,
    expected: {
      mediaType: mediaTypes.ociImage,
      blobs: [{ ...config, kind: 'config' }, asLayer(layer)],
      manifests: [],
      subject: undefined,
      artifactType: configType,
      annotations: undefined,
    },
  },
  {
    what: 'an OCI image that does not name its type, when the client does',
    manifest: { ...ociImage, mediaType: undefined },
    declared: mediaTypes.ociImage,
    expected: { mediaType: mediaTypes.ociImage },
  },
  {
    what: 'a Docker image',
    manifest: { ...ociImage, mediaType: mediaTypes.dockerImage },
    declared: mediaTypes.dockerImage,
    expected: { mediaType: mediaTypes.dockerImage, blobs: [{ ...config, kind: 'config' }, asLayer(layer)] },
  },
  {
    what: 'an image without layers',
    manifest: { ...ociImage, layers: [] },
    expected: { blobs: [{ ...config, kind: 'config' }] },
  },
  {
    what: 'an artifact with subject, type and annotations',
    manifest: { ...ociImage, artifactType: 'application/x', subject, annotations: { a: 'b' } },
    expected: { subject: otherDigest, artifactType: 'application/x', annotations: { a: 'b' } },
  },
  {
    what: 'an empty artifact type as none',
    manifest: { ...ociImage, artifactType: '' },
    expected: { artifactType: configType },
  },
  {
    what: 'an index, whose children must be there',
    manifest: ociIndex,
    expected: { mediaType: mediaTypes.ociIndex, blobs: [], manifests: [child], artifactType: undefined },
  },
  {
    what: 'an index without children',
    manifest: { ...ociIndex, manifests: [] },
    expected: { blobs: [], manifests: [] },
  },
  {
    what: 'an index with subject, type and annotations',
    manifest: { ...ociIndex, artifactType: 'application/x', subject, annotations: { a: 'b' } },
    expected: { subject: otherDigest, artifactType: 'application/x', annotations: { a: 'b' } },
  },
  {
    what: 'a Docker manifest list',
    manifest: { ...ociIndex, mediaType: mediaTypes.dockerList },
    expected: { mediaType: mediaTypes.dockerList, manifests: [child] },
  },
  {
    what: 'a build cache, which lists blobs where an index lists manifests',
    manifest: { ...ociIndex, manifests: [layer, { ...config, mediaType: 'application/vnd.buildkit.cacheconfig.v0' }] },
    expected: {
      blobs: [asLayer(layer), asLayer({ ...config, mediaType: 'application/vnd.buildkit.cacheconfig.v0' })],
      manifests: [],
    },
  },
  {
    what: 'an OCI artifact manifest',
    manifest: { mediaType: mediaTypes.ociArtifact, artifactType: 'application/x', blobs: [layer], subject },
    expected: { blobs: [asLayer(layer)], manifests: [], subject: otherDigest, artifactType: 'application/x' },
  },
  {
    what: 'an ORAS artifact manifest without blobs',
    manifest: { mediaType: mediaTypes.orasArtifact, artifactType: 'application/x', subject },
    expected: { blobs: [], manifests: [], subject: otherDigest },
  },
  {
    what: 'Docker’s schema 1 by its version alone',
    manifest: schema1,
    expected: {
      mediaType: mediaTypes.dockerSchema1Signed,
      blobs: [layerDigest, layerDigest].map((digest) =>
        asLayer({ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', digest, size: undefined }),
      ),
      artifactType: undefined,
    },
  },
  {
    what: 'Docker’s schema 1 without signatures',
    manifest: schema1,
    declared: mediaTypes.dockerSchema1,
    expected: { mediaType: mediaTypes.dockerSchema1 },
  },
  {
    what: 'a descriptor whose media type has parameters',
    manifest: { ...ociImage, layers: [{ ...layer, mediaType: `${layerType}; charset=utf-8` }] },
    expected: { blobs: [{ ...config, kind: 'config' }, asLayer(layer)] },
  },
  {
    what: 'sha512 digests',
    manifest: { ...ociImage, layers: [{ ...layer, digest: `sha512:${'0'.repeat(128)}` }] },
    expected: { blobs: [{ ...config, kind: 'config' }, asLayer({ ...layer, digest: `sha512:${'0'.repeat(128)}` })] },
  },
  ...[
    'application/vnd.oci.image.layer.nondistributable.v1.tar',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  ].map((mediaType) => ({
    what: `a layer of type ${mediaType}, which need not be there`,
    manifest: { ...ociImage, layers: [{ ...layer, mediaType }] },
    expected: {
      blobs: [
        { ...config, kind: 'config' },
        { ...layer, mediaType, kind: 'foreign' },
      ],
    },
  })),
  {
    what: 'an image with its type written in capitals',
    manifest: { ...ociImage, mediaType: mediaTypes.ociImage.toUpperCase() },
    declared: mediaTypes.ociImage.replace('vnd', 'VND'),
    expected: { mediaType: mediaTypes.ociImage },
  },
  {
    what: 'an index with the type of its child written in capitals',
    manifest: { ...ociIndex, manifests: [{ ...child, mediaType: child.mediaType.toUpperCase() }] },
    expected: { blobs: [], manifests: [{ ...child, mediaType: child.mediaType.toUpperCase() }] },
  },
  {
    what: 'an image with as many annotations as an object may have members',
    manifest: { ...ociImage, annotations: annotations(manifestLimits.members) },
    expected: { annotations: annotations(manifestLimits.members) },
  },
]

const emptyDigest = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const notGiven = [null, '', undefined]

/** What other registries hold and the data plane takes, but PutImage refuses as ECR does; `strict` points to why. */
const lenient: readonly (Accepted & { readonly strict: string })[] = [
  ...notGiven.map((layers) => ({
    what: `an image with ${layers} for layers`,
    manifest: { ...ociImage, layers },
    declared: mediaTypes.ociImage,
    expected: { blobs: [{ ...config, kind: 'config' }] },
    strict: 'layers',
  })),
  ...notGiven.map((manifests) => ({
    what: `an index with ${manifests} for manifests`,
    manifest: { ...ociIndex, manifests },
    declared: mediaTypes.ociIndex,
    expected: { mediaType: mediaTypes.ociIndex, blobs: [], manifests: [] },
    strict: 'manifests',
  })),
  ...[null, ''].map((mediaType) => ({
    what: `an image with ${mediaType} for its own media type`,
    manifest: { ...ociImage, mediaType },
    declared: mediaTypes.ociImage,
    expected: { mediaType: mediaTypes.ociImage },
    strict: 'mediaType',
  })),
  {
    what: 'an image with null for its artifact type',
    manifest: { ...ociImage, artifactType: null },
    expected: { artifactType: configType },
    strict: 'artifactType',
  },
  ...[null, ''].map((manifests) => ({
    what: `an image with ${manifests} for manifests`,
    manifest: { ...ociImage, manifests },
    expected: { mediaType: mediaTypes.ociImage, blobs: [{ ...config, kind: 'config' }, asLayer(layer)] },
    strict: 'manifests',
  })),
  ...['layers', 'config'].map((member) => ({
    what: `an index with null for ${member}`,
    manifest: { ...ociIndex, [member]: null },
    expected: { mediaType: mediaTypes.ociIndex, manifests: [child] },
    strict: member,
  })),
  ...notGiven.map((size) => ({
    what: `a layer without bytes and ${size} for its size`,
    manifest: { ...ociImage, layers: [{ ...layer, digest: emptyDigest, size }] },
    expected: { blobs: [{ ...config, kind: 'config' }, asLayer({ ...layer, digest: emptyDigest, size: 0 })] },
    strict: 'layers[0].size',
  })),
  ...notGiven.map((mediaType) => ({
    what: `a layer with ${mediaType} for its media type`,
    manifest: { ...ociImage, layers: [{ ...layer, mediaType }] },
    expected: {
      blobs: [{ ...config, kind: 'config' }, asLayer({ ...layer, mediaType: 'application/octet-stream' })],
    },
    strict: 'layers[0].mediaType',
  })),
  {
    what: 'an index with a child that has no media type, which is a manifest',
    manifest: { ...ociIndex, manifests: [{ ...child, mediaType: null }] },
    expected: { blobs: [], manifests: [{ ...child, mediaType: 'application/octet-stream' }] },
    strict: 'manifests[0].mediaType',
  },
  {
    what: 'a config without media type',
    manifest: { ...ociImage, config: { ...config, mediaType: null } },
    expected: { artifactType: undefined },
    strict: 'config.mediaType',
  },
  ...['subject', 'annotations'].map((member) => ({
    what: `an image with empty text for ${member}`,
    manifest: { ...ociImage, [member]: '' },
    expected: { [member]: undefined },
    strict: member,
  })),
  {
    what: 'an image with null for an annotation, which it does not have then',
    manifest: { ...ociImage, annotations: { a: null, b: '', c: 'd' } },
    expected: { annotations: { b: '', c: 'd' } },
    strict: 'annotations.a',
  },
  {
    what: 'schema 1 without layers',
    manifest: { ...schema1, fsLayers: null },
    expected: { blobs: [] },
    strict: 'fsLayers',
  },
]

describe('what is null, empty or missing in a manifest', () => {
  for (const { what, manifest, declared, expected, strict } of lenient) {
    test(`is not given, as in ${what}; PutImage refuses it`, () => {
      const parsed: Record<string, unknown> = { ...read(manifest, declared) }
      for (const [member, value] of Object.entries(expected)) assert.deepEqual(parsed[member], value, member)
      assert.throws(
        () => parseManifest(encode(manifest), declared, { strict: true }),
        ({ code, facts }: Refusal) => {
          assert.equal(code, 'ManifestInvalid')
          assert.equal((facts as { path: string }).path, strict)
          return true
        },
      )
    })
  }

  test('may be what ECR takes too: no subject, no annotations, no blobs, no name for the artifact type', () => {
    const strict = (manifest: object) => parseManifest(encode(manifest), undefined, { strict: true })
    assert.deepEqual(strict({ ...ociImage, subject: null, annotations: null, artifactType: '' }), read(ociImage))
    for (const blobs of [null, undefined])
      assert.deepEqual(strict({ mediaType: mediaTypes.ociArtifact, blobs }).blobs, [])
  })
})

describe('a manifest is taken', () => {
  for (const { what, manifest, declared, expected } of accepted) {
    test(`as ${what}`, () => {
      const parsed: Record<string, unknown> = { ...read(manifest, declared) }
      for (const [member, value] of Object.entries(expected)) assert.deepEqual(parsed[member], value, member)
    })
  }

  test('as what our own images are, with all that they refer to', () => {
    const app = image({ layers: [10, 20] })
    const list = index({ children: [app, image({ seed: 'other' })] })
    const sbom = artifact({ artifactType: 'application/spdx+json', subject: app, blobs: [Buffer.from('{}')] })
    for (const { bytes, mediaType, blobs, children } of [app, list, sbom]) {
      const manifest = parseManifest(bytes, mediaType)
      assert.deepEqual(new Set(manifest.blobs.map(({ digest }) => digest)), new Set(blobs.map(({ digest }) => digest)))
      assert.deepEqual(
        manifest.manifests.map(({ digest }) => digest),
        children.map(({ digest }) => digest),
      )
    }
    assert.equal(parseManifest(sbom.bytes, undefined).subject, app.digest)
  })

  test('with as many layers as it may have, each with platform, URL and annotations', () => {
    const platform = { architecture: 'amd64', os: 'linux', variant: 'v8' }
    const full = { ...layer, urls: ['https://example.com'], platform, annotations: { a: '1', b: '2', c: '3' } }
    const layers = Array(mostReferences).fill(full)
    assert.equal(read({ ...ociImage, layers }).blobs.length, mostReferences + 1)
  })

  test('with up to 4 MiB, to the byte', () => {
    const fill = (sizeBytes: number) => {
      const bare = encode({ ...ociImage, annotations: { fill: '' } }).byteLength
      return encode({ ...ociImage, annotations: { fill: 'x'.repeat(sizeBytes - bare) } })
    }
    assert.ok(parseManifest(fill(manifestLimitBytes), undefined))
    assert.throws(() => parseManifest(fill(manifestLimitBytes + 1), undefined), {
      code: 'ManifestTooLarge',
      facts: { limitBytes: 4_194_304 },
    })
  })
})

interface Refused {
  readonly what: string
  readonly manifest: unknown
  readonly declared?: string
  readonly path?: string
}

const image1 = (change: object) => ({ ...ociImage, ...change })

const invalid: readonly Refused[] = [
  { what: 'nothing', manifest: '', path: '' },
  { what: 'no JSON', manifest: '{', path: '' },
  { what: 'JSON with something after it', manifest: `${JSON.stringify(ociImage)}x`, path: '' },
  { what: 'a byte order mark before it', manifest: `\uFEFF${JSON.stringify(ociImage)}`, path: '' },
  { what: 'an array', manifest: [ociImage], path: '' },
  { what: 'null', manifest: null, path: '' },
  { what: 'a number', manifest: 1, path: '' },
  { what: 'a media type that is no string', manifest: image1({ mediaType: 1 }), path: 'mediaType' },
  { what: 'another media type than declared', manifest: ociImage, declared: mediaTypes.dockerImage, path: 'mediaType' },
  { what: 'no schema version', manifest: image1({ schemaVersion: undefined }), path: 'schemaVersion' },
  { what: 'a schema version that is a string', manifest: image1({ schemaVersion: '2' }), path: 'schemaVersion' },
  { what: 'an image of schema version 1', manifest: image1({ schemaVersion: 1 }), path: 'schemaVersion' },
  { what: 'an image that is an index as well', manifest: image1({ manifests: [] }), path: 'manifests' },
  { what: 'an index that is an image as well', manifest: { ...ociIndex, layers: [] }, path: 'layers' },
  { what: 'an index with a config', manifest: { ...ociIndex, config }, path: 'config' },
  { what: 'an image without config', manifest: image1({ config: undefined }), path: 'config' },
  { what: 'endless layers', manifest: image1({ layers: Array(mostReferences + 1).fill(layer) }), path: 'layers' },
  { what: 'layers that are no list', manifest: image1({ layers: { 0: layer } }), path: 'layers' },
  { what: 'a layer that is null', manifest: image1({ layers: [layer, null] }), path: 'layers[1]' },
  { what: 'layers in another case as well', manifest: image1({ Layers: [] }), path: 'Layers' },
  { what: 'layers in a case beyond ASCII', manifest: image1({ layerſ: [] }), path: 'layerſ' },
  {
    what: 'a layer with two digests',
    manifest: image1({ layers: [{ ...layer, DIGEST: 'x' }] }),
    path: 'layers[0].DIGEST',
  },
  {
    what: 'a subject with two digests',
    manifest: image1({ subject: { ...subject, Digest: '' } }),
    path: 'subject.Digest',
  },
  {
    what: 'a layer without digest',
    manifest: image1({ layers: [{ ...layer, digest: undefined }] }),
    path: 'layers[0].digest',
  },
  {
    what: 'a layer with a path for a digest',
    manifest: image1({ layers: [{ ...layer, digest: '../x' }] }),
    path: 'layers[0].digest',
  },
  {
    what: 'a digest in capitals',
    manifest: image1({ layers: [{ ...layer, digest: layerDigest?.toUpperCase() }] }),
    path: 'layers[0].digest',
  },
  { what: 'a size below zero', manifest: image1({ config: { ...config, size: -1 } }), path: 'config.size' },
  { what: 'a size with a fraction', manifest: image1({ config: { ...config, size: 1.5 } }), path: 'config.size' },
  { what: 'a size that is a string', manifest: image1({ config: { ...config, size: '2' } }), path: 'config.size' },
  { what: 'a size past 2^53', manifest: image1({ config: { ...config, size: 2 ** 53 } }), path: 'config.size' },
  {
    what: 'a subject without digest',
    manifest: image1({ subject: { ...subject, digest: '' } }),
    path: 'subject.digest',
  },
  { what: 'a subject that is a string', manifest: image1({ subject: otherDigest }), path: 'subject' },
  { what: 'an artifact type that is no string', manifest: image1({ artifactType: {} }), path: 'artifactType' },
  {
    what: 'an artifact type that no database can keep',
    manifest: image1({ artifactType: 'a/\0' }),
    path: 'artifactType',
  },
  {
    what: 'an endless artifact type',
    manifest: image1({ artifactType: `a/${'b'.repeat(254)}` }),
    path: 'artifactType',
  },
  { what: 'annotations that are a list', manifest: image1({ annotations: ['a'] }), path: 'annotations' },
  { what: 'an annotation that is no string', manifest: image1({ annotations: { a: 1 } }), path: 'annotations.a' },
  {
    what: 'schema 1 with another version',
    manifest: { ...schema1, schemaVersion: 2 },
    declared: mediaTypes.dockerSchema1,
    path: 'schemaVersion',
  },
  {
    what: 'schema 1 with a layer that has no digest',
    manifest: { ...schema1, fsLayers: [{}] },
    path: 'fsLayers[0].blobSum',
  },
  {
    what: 'schema 1 with a digest in another case beside the digest',
    manifest: { ...schema1, fsLayers: [{ blobSum: layerDigest, BlobSum: otherDigest }] },
    path: 'fsLayers[0].BlobSum',
  },
  {
    what: 'schema 1 with an escape in the name of a digest',
    manifest: text({ ...schema1, config: undefined, layers: undefined, fsLayers: [] }, '"x":{"\\u0062lobSum":1}'),
    path: 'blobSum',
  },
  {
    what: 'a layer of no type',
    manifest: image1({ layers: [{ ...layer, mediaType: 'x' }] }),
    path: 'layers[0].mediaType',
  },
  {
    what: 'a layer that lacks its size',
    manifest: image1({ layers: [{ ...layer, size: null }] }),
    path: 'layers[0].size',
  },
  {
    what: 'a platform with a member in another case',
    manifest: image1({ layers: [{ ...layer, platform: { os: 'linux', OS: 'windows' } }] }),
    path: 'layers[0].platform.OS',
  },
  { what: 'layers twice', manifest: text({ layers: [] }, '"layers":[]'), path: 'layers' },
  { what: 'layers again, with an escape', manifest: text({}, '"\\u006cayers":[]'), path: 'layers' },
  {
    what: 'a digest twice in a layer',
    manifest: text({ layers: [] }, '"x":[{"digest":1,"digest":2}]'),
    path: 'digest',
  },
  { what: 'an annotation twice', manifest: text({}, '"annotations":{"a":"b","\\u0061":"c"}'), path: 'a' },
  {
    what: 'layers with an escape alone',
    manifest: text({ layers: undefined }, '"\\u006cayers":[]'),
    path: 'layers',
  },
  {
    what: 'more annotations than an object may have members',
    manifest: image1({ annotations: annotations(manifestLimits.members + 1) }),
    path: '',
  },
  {
    what: 'more members than it may have in all',
    manifest: image1({ x: Array(manifestLimits.entries).fill(0) }),
    path: '',
  },
  {
    what: 'endless depth',
    manifest: text({}, `"x":${'['.repeat(manifestLimits.depth)}${']'.repeat(manifestLimits.depth)}`),
    path: '',
  },
]

/** An image with one more member at its end, as it is written. */
function text(change: object, more: string): string {
  return `${JSON.stringify(image1(change)).slice(0, -1)},${more}}`
}

function annotations(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 'v']))
}

describe('a manifest is refused', () => {
  for (const { what, manifest, declared, path } of invalid) {
    test(`which is or has ${what}`, () => {
      assert.throws(
        () => read(manifest, declared),
        ({ code, facts }: Refusal) => {
          assert.equal(code, 'ManifestInvalid')
          assert.equal((facts as { path: string }).path, path)
          return true
        },
      )
    })
  }

  test('which is not UTF-8', () => {
    const bytes = Buffer.from(JSON.stringify(image1({ annotations: { a: 'é' } })), 'latin1')
    assert.throws(() => parseManifest(bytes, undefined), { code: 'ManifestInvalid' })
  })

  test('which is of no type that is known, or of none', () => {
    const unknown = ['application/json', 'text/plain', 'application/vnd.oci.image.config.v1+json', 'x', '']
    for (const mediaType of unknown) {
      assert.throws(() => read({ ...ociImage, mediaType: undefined }, mediaType), {
        code: 'ManifestMediaTypeUnsupported',
        facts: { mediaType },
      })
    }
    assert.throws(() => read({ ...ociImage, mediaType: undefined }), {
      code: 'ManifestMediaTypeUnsupported',
      facts: { mediaType: undefined },
    })
  })

  test('as a refusal and nothing else, whatever JSON it is', () => {
    const members = fc.constantFrom(
      'config',
      'layers',
      'subject',
      'annotations',
      'manifests',
      'artifactType',
      'mediaType',
    )
    fc.assert(
      fc.property(members, fc.jsonValue(), fc.constantFrom(ociImage, ociIndex), (member, value, base) => {
        try {
          read({ ...base, [member]: value })
        } catch (error) {
          assert.match((error as Refusal).code, /^Manifest/)
        }
      }),
    )
  })
})
