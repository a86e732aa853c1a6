/** Two servers over one database and one blob store: an upload that wanders between them, and races across them. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { eachDatabase } from '#test/support/databases.ts'
import { image } from '#test/support/images/build.ts'
import { digest, noise } from '#test/support/images/content.ts'
import { type Answer, type OciClient, openOciClient } from '#test/support/oci-client.ts'
import { pullWhole, pushImage } from '#test/support/push.ts'
import { type RunningServer, startServer } from '#test/support/server.ts'
import { until } from '#test/support/until.ts'
import { draftSize, expect, locationOf } from './world.ts'

eachDatabase(({ dialect, url }) => {
  describe(`two nodes, over ${dialect}`, () => {
    const servers: RunningServer[] = []
    const clients: OciClient[] = []
    before(async () => {
      const database = await url()
      const first = await startServer({ database })
      servers.push(first, await startServer({ database, environment: { LADING_BLOBS: `file:${first.dataDir}/blobs` } }))
      for (const server of servers) clients.push(await openOciClient(server))
    })
    after(async () => {
      for (const client of clients) await client[Symbol.asyncDispose]()
      for (const server of servers.toReversed()) await server.stop()
    })

    const call =
      (node: 0 | 1): OciClient['call'] =>
      (...parameters) => {
        const client = clients[node]
        assert.ok(client !== undefined)
        return client.call(...parameters)
      }
    const [here, there] = [call(0), call(1)]
    let count = 0
    async function repository(mutability?: 'IMMUTABLE'): Promise<string> {
      const client = clients[count % 2]
      assert.ok(client !== undefined)
      return client.createRepository(`team/app-${++count}`, mutability)
    }
    const bytesOf = (sizeBytes: number) => noise(`two nodes ${dialect} ${++count}`, sizeBytes)

    async function expectBlob(name: string, bytes: Buffer) {
      for (const ask of [here, there]) {
        assert.ok(expect(await ask('GET', `/v2/${name}/blobs/${digest(bytes)}`), 200).body.equals(bytes))
      }
    }

    test('a token of one node is let in at the other', async () => {
      const [client] = clients
      assert.ok(client !== undefined)
      expect(await there('GET', '/v2/', { headers: { authorization: client.registry.authorization } }), 200)
    })

    test('an upload begins on one node, goes on at the other and back, and ends on either', async () => {
      for (const last of [here, there]) {
        const name = await repository()
        const bytes = bytesOf(400_000)
        const path = locationOf(expect(await here('POST', `/v2/${name}/blobs/uploads/`), 202))
        for (const [at, ask] of [there, here, there].entries()) {
          const [from, to] = [at * 100_000, (at + 1) * 100_000]
          const headers = { 'content-range': `${from}-${to - 1}` }
          expect(await ask('PATCH', path, { headers, body: bytes.subarray(from, to) }), 202)
          for (const each of [here, there]) assert.equal((await each('GET', path)).headers.range, `0-${to - 1}`)
        }
        const wrong = await here('PUT', `${path}?digest=${digest(Buffer.from('other'))}`)
        expect(wrong, 400, 'DIGEST_INVALID')
        const body = bytes.subarray(300_000)
        expect(await last('PUT', `${path}?digest=${digest(bytes)}`, { body }), 201)
        await expectBlob(name, bytes)
        for (const each of [here, there]) {
          expect(await each('GET', path), 404, 'BLOB_UPLOAD_UNKNOWN')
          // The client did not receive the answer, and asks either node again.
          expect(await each('PUT', `${path}?digest=${digest(bytes)}`, { body }), 201)
        }
      }
    })

    test('a node takes an upload over from one whose request hangs, and that one is refused in the end', {
      timeout: 20_000,
    }, async () => {
      const name = await repository()
      const bytes = bytesOf(5_000_000)
      const path = locationOf(expect(await here('POST', `/v2/${name}/blobs/uploads/`), 202))
      expect(await here('PATCH', path, { body: bytes.subarray(0, 1_000_000) }), 202)
      const hanging = new PassThrough()
      const first = here('PATCH', path, { body: hanging })
      hanging.write(bytes.subarray(1_000_000, 4_000_000))
      const [server] = servers
      assert.ok(server !== undefined)
      await until(async () => (await draftSize(server, path)) > 1_000_000)
      const headers = { 'content-range': '1000000-1999999' }
      expect(await there('PATCH', path, { headers, body: bytes.subarray(1_000_000, 2_000_000) }), 202)
      hanging.end()
      expect(await first, 409, 'BLOB_UPLOAD_INVALID')
      assert.equal((await here('GET', path)).headers.range, '0-1999999')
      const body = bytes.subarray(2_000_000)
      expect(await there('PUT', `${path}?digest=${digest(bytes)}`, { body }), 201)
      await expectBlob(name, bytes)
    })

    test('of completions that race on both nodes one stores the blob, and no other damages it', async () => {
      for (let round = 0; round < 10; round++) {
        const name = await repository()
        const bytes = bytesOf(100_000)
        const path = locationOf(expect(await here('POST', `/v2/${name}/blobs/uploads/`), 202))
        expect(await here('PATCH', path, { body: bytes }), 202)
        const put = `${path}?digest=${digest(bytes)}`
        const answers = await Promise.all([here('PUT', put), there('PUT', put), here('PUT', put), there('PUT', put)])
        assert.ok(answers.some(({ status }) => status === 201))
        for (const { status, message } of answers) assert.ok([201, 404, 409].includes(status), `${status} ${message}`)
        await expectBlob(name, bytes)
      }
    })

    test('of first chunks that race on both nodes the one that is acknowledged is kept', async () => {
      for (let round = 0; round < 20; round++) {
        const name = await repository()
        const chunks = [bytesOf(100_000), bytesOf(100_000)]
        const path = locationOf(expect(await here('POST', `/v2/${name}/blobs/uploads/`), 202))
        const headers = { 'content-range': '0-99999' }
        const answers = await Promise.all(
          chunks.flatMap((body) => [here, there].map((ask) => ask('PATCH', path, { headers, body }))),
        )
        for (const { status, message } of answers) assert.ok([202, 409, 416].includes(status), `${status} ${message}`)
        const kept = chunks.filter((_, at) => answers.slice(2 * at, 2 * at + 2).some(({ status }) => status === 202))
        assert.ok(kept.length <= 1, 'one at most is acknowledged')
        for (const bytes of kept) {
          expect(await there('PUT', `${path}?digest=${digest(bytes)}`), 201)
          await expectBlob(name, bytes)
        }
        if (kept.length === 0) expect(await here('DELETE', path), 204)
      }
      const [server] = servers
      assert.deepEqual(await readdir(`${server?.dataDir}/blobs/drafts`, { recursive: true }), [])
    })

    test('of pushes to one immutable tag on both nodes exactly one wins', async () => {
      const name = await repository('IMMUTABLE')
      const images = [0, 1].map((at) => image({ seed: `two nodes ${at}` }))
      const [client] = clients
      assert.ok(client !== undefined)
      for (const each of images) await pushImage(client.registry, name, each)
      for (let round = 0; round < 10; round++) {
        const answers: Answer[] = await Promise.all(
          images.flatMap(({ bytes: body, mediaType }) =>
            [here, there].map((ask) =>
              ask('PUT', `/v2/${name}/manifests/v${round}`, { headers: { 'content-type': mediaType }, body }),
            ),
          ),
        )
        const winners = new Set(answers.flatMap(({ status, headers }) => (status === 201 ? [headers.location] : [])))
        assert.equal(winners.size, 1)
        for (const answer of answers) if (answer.status !== 201) expect(answer, 400, 'TAG_INVALID')
        for (const { registry } of clients) {
          assert.equal(`/v2/${name}/manifests/${await pullWhole(registry, name, `v${round}`)}`, [...winners][0])
        }
      }
    })
  })
})
