/** The URLs of the distribution API: each endpoint is read as what it is, whatever words a repository's name holds. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Refusal } from '#lib/refusal.ts'
import { isRepositoryName, parseRepositoryName } from '#names/repository-name.ts'
import { type OciPath, parseOciPath } from '#oci/url.ts'

/** Names that hold the very words by which endpoints are told apart. */
const words = ['blobs', 'uploads', 'manifests', 'tags', 'list', 'referrers', 'v2', 'app', 'a-b', 'x_y', '0']
const name = fc
  .array(fc.constantFrom(...words), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/'))
  .filter(isRepositoryName)
  .map(parseRepositoryName)

const digest = `sha256:${'ab'.repeat(32)}`
const tag = fc.constantFrom('latest', 'list', 'uploads', '1.0', 'V2')
const id = '5d6b4c5e-0000-4000-8000-000000000000'

const paths: fc.Arbitrary<readonly [string, OciPath]> = fc.oneof(
  fc
    .tuple(name, tag)
    .map(
      ([name, reference]) =>
        [`/v2/${name}/manifests/${reference}`, { family: 'manifest', name, reference } as const] as const,
    ),
  name.map(
    (name) => [`/v2/${name}/manifests/${digest}`, { family: 'manifest', name, reference: digest } as const] as const,
  ),
  name.map((name) => [`/v2/${name}/blobs/${digest}`, { family: 'blob', name, digest } as const] as const),
  name.map((name) => [`/v2/${name}/referrers/${digest}`, { family: 'referrers', name, digest } as const] as const),
  name.map((name) => [`/v2/${name}/tags/list`, { family: 'tags', name } as const] as const),
  name.map((name) => [`/v2/${name}/blobs/uploads/`, { family: 'uploads', name } as const] as const),
  name.map((name) => [`/v2/${name}/blobs/uploads`, { family: 'uploads', name } as const] as const),
  name.map((name) => [`/v2/${name}/blobs/uploads/${id}`, { family: 'upload', name, id } as const] as const),
)

describe('the URLs of the distribution API', () => {
  test('a path of each family is read as what it was printed from', () => {
    fc.assert(
      fc.property(paths, ([path, expected]) => {
        assert.deepEqual(parseOciPath(path), expected)
      }),
      { numRuns: 1_000 },
    )
  })

  test('a percent-encoded path is read as the path that it encodes', () => {
    const encode = (path: string) =>
      path.replaceAll(/[^/]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
    fc.assert(
      fc.property(paths, ([path, expected]) => {
        assert.deepEqual(parseOciPath(`/v2/${encode(path.slice('/v2/'.length))}`), expected)
      }),
    )
  })

  test('the base and the catalog have no repository', () => {
    assert.deepEqual(parseOciPath('/v2'), { family: 'base' })
    assert.deepEqual(parseOciPath('/v2/'), { family: 'base' })
    assert.deepEqual(parseOciPath('/v2/_catalog'), { family: 'catalog' })
  })

  test('where no endpoint is, there is none', () => {
    const nowhere = [
      '',
      '/',
      '/v1/',
      '/v2x',
      '/v2//',
      '/v2/app',
      '/v2/app/',
      '/v2/app/manifests',
      '/v2/app/manifests/',
      '/v2/app/blobs/',
      '/v2/app/tags/',
      '/v2/app/tags/lists',
      '/v2/app/referrers/',
      '/v2/_catalog/',
      '/v2/app/uploads/x',
      `/v2/app/blobs/${digest}/x`,
    ]
    for (const path of nowhere) assert.equal(parseOciPath(path), undefined, path)
  })

  test('an encoded slash, an encoded NUL and a broken encoding are nowhere', () => {
    for (const path of [
      '/v2/a%2Fb/tags/list',
      '/v2/a%2fb/tags/list',
      '/v2/app%/tags/list',
      '/v2/app/manifests/a%00',
      '/v2/%ff/tags/list',
    ]) {
      assert.equal(parseOciPath(path), undefined, path)
    }
  })

  test('a repository’s name that cannot be one is refused by its name', () => {
    for (const value of ['A', 'a', 'Apps', 'app_', 'a//b', '..', 'a b', 'x'.repeat(257), '']) {
      assert.throws(
        () => parseOciPath(`/v2/${encodeURI(value)}/tags/list`),
        (error: Refusal) => {
          assert.deepEqual([error.code, error.facts], ['NameInvalid', { kind: 'repository', value }])
          return true
        },
        value,
      )
    }
  })

  test('no text whatever is more than a refusal', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('/', 'a', 'v2', 'blobs', 'uploads', 'tags', 'list', '%', '2f', ':') }),
        (text) => {
          try {
            parseOciPath(`/v2/${text}`)
          } catch (error) {
            assert.equal((error as Refusal).code, 'NameInvalid')
          }
        },
      ),
      { numRuns: 1_000 },
    )
  })
})
