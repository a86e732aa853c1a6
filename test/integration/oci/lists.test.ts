/** `tags/list` and `_catalog`: in lexical order, page by page, whatever comes and goes meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { image } from '#test/support/images/build.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { pushImage } from '#test/support/push.ts'
import { eachServer, expect } from './world.ts'

eachServer('lists', (world) => {
  const { call } = world
  const app = image({ seed: 'lists' })

  async function tagged(tags: readonly string[]): Promise<string> {
    const name = await world.repository()
    await pushImage(world.client.registry, name, app)
    for (const tag of tags) expect(await world.putManifest(name, app, tag), 201)
    return name
  }

  interface Listing {
    readonly entries: string[]
    readonly next: string | undefined
  }

  async function list(path: string): Promise<Listing> {
    const answer = expect(await call('GET', path), 200)
    const { tags, repositories } = answer.json<{ tags?: string[]; repositories?: string[] }>()
    const link = answer.headers.link
    const [, next] = /^<([^>]*)>; rel="next"$/.exec(String(link ?? '')) ?? []
    assert.equal(link === undefined, next === undefined)
    return { entries: tags ?? repositories ?? [], next }
  }

  async function pages(path: string): Promise<string[][]> {
    const all: string[][] = []
    for (let next: string | undefined = path; next !== undefined; ) {
      const page: Listing = await list(next)
      all.push(page.entries)
      next = page.next
    }
    return all
  }

  test('tags are listed in the order of their bytes', async () => {
    const name = await tagged(['b', 'B', 'a', '_', '10', '9', 'A', 'a.b', 'a-b', 'a_b', 'ab'])
    const answer = expect(await call('GET', `/v2/${name}/tags/list`), 200)
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
    const tags = ['10', '9', 'A', 'B', '_', 'a', 'a-b', 'a.b', 'a_b', 'ab', 'b']
    assert.deepEqual(answer.json(), { name, tags })
  })

  test('pages of any size, followed by their links, are the whole list', async () => {
    const tags = Array.from({ length: 11 }, (_, at) => `v${at + 10}`)
    const name = await tagged(tags)
    for (const n of [1, 2, 5, 10, 11, 12, 999_999_999]) {
      const found = await pages(`/v2/${name}/tags/list?n=${n}`)
      assert.deepEqual(found.flat(), tags)
      assert.equal(found.length, Math.ceil(tags.length / n))
    }
  })

  test('last need not be a tag that is there', async () => {
    const name = await tagged(['a', 'c', 'e'])
    const after = async (last: string) => (await list(`/v2/${name}/tags/list?last=${encodeURIComponent(last)}`)).entries
    assert.deepEqual(await after('b'), ['c', 'e'])
    assert.deepEqual(await after('c'), ['e'])
    assert.deepEqual(await after('z'), [])
    assert.deepEqual(await after(''), ['a', 'c', 'e'])
    await fc.assert(
      fc.asyncProperty(fc.string(), async (last) => {
        fc.pre(!last.includes('\0'))
        const expected = ['a', 'c', 'e'].filter((tag) => Buffer.compare(Buffer.from(tag), Buffer.from(last)) > 0)
        assert.deepEqual(await after(last), expected)
      }),
      { numRuns: 30 },
    )
  })

  test('n of 0 is an empty page without a next one', async () => {
    const name = await tagged(['a'])
    assert.deepEqual(await list(`/v2/${name}/tags/list?n=0`), { entries: [], next: undefined })
    assert.deepEqual(await list('/v2/_catalog?n=0'), { entries: [], next: undefined })
  })

  test('a number of entries that is none, and a NUL character, are refused', async () => {
    const name = await tagged([])
    for (const path of [`/v2/${name}/tags/list`, '/v2/_catalog', `/v2/${name}/referrers/${app.digest}`]) {
      for (const query of ['n=-1', 'n=x', 'n=', 'n=1.5', 'n=1e3', 'last=%00']) {
        expect(await call('GET', `${path}?${query}`), 400, 'UNSUPPORTED')
      }
    }
    expect(await call('GET', `/v2/${name}/referrers/${app.digest}?artifactType=a%00`), 400, 'UNSUPPORTED')
  })

  test('a repository without tags has an empty list, and one that is not there has none', async () => {
    const name = await tagged([])
    assert.deepEqual((await call('GET', `/v2/${name}/tags/list`)).json(), { name, tags: [] })
    expect(await call('GET', '/v2/no/such/tags/list'), 404, 'NAME_UNKNOWN')
  })

  test('tags that come and go between pages hide none that stays', async () => {
    const name = await tagged(['a', 'b', 'c', 'd', 'e'])
    const first = await list(`/v2/${name}/tags/list?n=2`)
    expect(await call('DELETE', `/v2/${name}/manifests/b`), 202)
    expect(await call('DELETE', `/v2/${name}/manifests/d`), 202)
    expect(await world.putManifest(name, app, 'aa'), 201)
    expect(await world.putManifest(name, app, 'cc'), 201)
    const rest = await pages(first.next ?? '')
    assert.deepEqual([...first.entries, ...rest.flat()], ['a', 'b', 'c', 'cc', 'e'])
  })

  test('the catalog lists the registry’s repositories by name, page by page, and no other registry’s', async () => {
    const credentials = await world.server.addAccount('222222222222')
    await using stranger = await openOciClient(world.server, { credentials })
    const names = ['zoo', 'a/b', 'a-b', 'a.b', 'a_b', 'ab', 'x/y/z']
    for (const name of names) await stranger.createRepository(name)
    const sorted = ['a-b', 'a.b', 'a/b', 'a_b', 'ab', 'x/y/z', 'zoo']
    const answer = expect(await stranger.call('GET', '/v2/_catalog'), 200)
    assert.deepEqual(answer.json(), { repositories: sorted })
    const found: string[] = []
    for (let next = '/v2/_catalog?n=2'; next !== ''; ) {
      const page = expect(await stranger.call('GET', next), 200)
      found.push(...page.json<{ repositories: string[] }>().repositories)
      next = /^<([^>]*)>/.exec(String(page.headers.link ?? ''))?.[1] ?? ''
    }
    assert.deepEqual(found, sorted)
  })
})
