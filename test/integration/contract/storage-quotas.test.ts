/** Quotas of bytes and of open uploads, on both planes: what counts, what a client is answered, and that pushes at once keep within them. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import type { Kysely } from 'kysely'
import { postgresColumns, sqliteColumns } from '#metadata/columns.ts'
import { storageUsage } from '#metadata/migrations/0022-storage-usage.ts'
import { openMetadata } from '#metadata/open.ts'
import { readStorageUsage } from '#registry/storage-usage.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { refusalOf, startEcrSession } from '#test/support/ecr-session.ts'
import { digest, noise } from '#test/support/images/content.ts'
import { readMetrics } from '#test/support/metrics.ts'
import { openOciClient } from '#test/support/oci-client.ts'
import { assertStorageCounted } from '#test/support/storage-sum.ts'
import { until } from '#test/support/until.ts'

const kib = 1024

function blobOf(seed: string, bytes: number) {
  const content = noise(seed, bytes)
  return { bytes: content, digest: digest(content) }
}

eachDatabase((databases) =>
  describe(`quotas of storage, ${databases.dialect}`, () => {
    async function world(t: TestContext, quotas: string) {
      const database = await databases.url()
      const session = await startEcrSession({ database, environment: { LADING_QUOTAS: quotas } })
      t.after(() => session[Symbol.asyncDispose]())
      const { server } = session
      const client = await openOciClient(server)
      t.after(() => client[Symbol.asyncDispose]())
      const metadata = await openMetadata(database, () => {}, 'current')
      t.after(() => metadata.close())
      const uploadsOf = (name: string) => `/v2/${name}/blobs/uploads/`
      const monolithic = (name: string, blob: ReturnType<typeof blobOf>, body: Uint8Array | Readable = blob.bytes) =>
        client.call('POST', `${uploadsOf(name)}?digest=${blob.digest}`, { body })
      const start = async (name: string) => {
        const answer = await client.call('POST', uploadsOf(name))
        return { ...answer, location: answer.headers.location ?? '' }
      }
      /** As docker does: POST, PATCH without a length, PUT. The status of the first that is refused, or of the last. */
      const chunked = async (name: string, blob: ReturnType<typeof blobOf>) => {
        const started = await start(name)
        if (started.status !== 202) return started
        const pieces = Readable.from(piecesOf(blob.bytes))
        const sent = await client.call('PATCH', started.location, { body: pieces })
        if (sent.status !== 202) return sent
        return client.call('PUT', `${started.location}?digest=${blob.digest}`)
      }
      return { session, server, client, metadata, monolithic, start, chunked }
    }

    const beyond = (quota: string, limit: number, of: string, counted: string, out: string) =>
      `The maximum number of ${counted}, ${limit}, has been reached in ${of} (quota ${quota}). ${out}.`
    const makeRoom =
      'Delete images that are not needed, and purge them from the recycle bin, or ask the operator to raise the quota in LADING_QUOTAS'

    test('a registry takes so many bytes of blobs and no more, each blob once, and what is deleted makes room', async (t) => {
      const { session, server, client, metadata, monolithic, chunked } = await world(t, 'bytesPerRegistry=1MiB')
      const [one, two] = [await session.repository(), await session.repository()]
      const message = beyond(
        'bytesPerRegistry',
        1_048_576,
        `the registry with id '${server.account}' in us-east-1`,
        'bytes of layers, manifests and open uploads',
        makeRoom,
      )
      const first = blobOf('first', 600 * kib)
      assert.equal((await chunked(one, first)).status, 201)
      await assertStorageCounted(metadata)
      const second = blobOf('second', 600 * kib)
      for (const push of [monolithic, chunked]) {
        const refused = await push(two, second)
        assert.deepEqual([refused.status, refused.error, refused.message], [403, 'DENIED', message])
      }
      const unsized = await monolithic(two, second, Readable.from(piecesOf(second.bytes)))
      assert.equal(unsized.status, 403)
      assert.deepEqual(await metadata.reader.selectFrom('upload').select('id').execute(), [])
      await assertStorageCounted(metadata)

      const { uploadId } = await session.ecr.initiateLayerUpload({ repositoryName: two })
      const part = { repositoryName: two, uploadId, partFirstByte: 0, partLastByte: 600 * kib - 1 }
      const { name, message: told } = await refusalOf(
        session.ecr.uploadLayerPart({ ...part, layerPartBlob: second.bytes }),
      )
      assert.deepEqual([name, told], ['LimitExceededException', message])

      // What another repository of the registry has counts once: pushed while there is room for it, it leaves none more.
      const small = blobOf('small', 200 * kib)
      assert.equal((await monolithic(one, small)).status, 201)
      assert.equal((await monolithic(two, small)).status, 201)
      assert.equal((await monolithic(two, blobOf('last', 200 * kib))).status, 201)
      await assertStorageCounted(metadata)
      assert.equal((await monolithic(two, second)).status, 403)
      assert.equal((await client.call('DELETE', `/v2/${one}/blobs/${first.digest}`)).status, 202)
      assert.equal((await monolithic(two, second)).status, 201)
      await assertStorageCounted(metadata)
      await session.ecr.deleteRepository({ repositoryName: one, force: true })
      await assertStorageCounted(metadata)
      const registry = `account="${server.account}",region="us-east-1"`
      assert.equal((await readMetrics(server)).get(`lading_storage_stored_bytes{${registry}}`), 1_000 * kib)
    })

    test('what an earlier version stored is counted, also what lies in the recycle bin', async (t) => {
      const { session, server, client, metadata, monolithic, start } = await world(t, 'images=100')
      const [one, two] = [await session.repository(), await session.repository()]
      const shared = blobOf('shared', 10 * kib)
      for (const name of [one, two]) assert.equal((await monolithic(name, shared)).status, 201)
      assert.equal((await monolithic(one, blobOf('own', 20 * kib))).status, 201)
      await session.ecr.deleteRepository({ repositoryName: one, force: true })
      const { location } = await start(two)
      assert.equal((await client.call('PATCH', location, { body: noise('open', 5 * kib) })).status, 202)
      const before = await readStorageUsage(metadata.reader)
      await server.stop()
      await metadata.transaction(async (trx) => {
        for (const table of ['registry_blob', 'registry_usage']) await trx.schema.dropTable(table).execute()
        await trx.schema.dropIndex('upload_registry').execute()
        for (const column of ['account', 'region', 'held'])
          await trx.schema.alterTable('upload').dropColumn(column).execute()
        const types = databases.dialect === 'sqlite' ? sqliteColumns : postgresColumns
        // A migration knows no tables: it runs over schemas of any age.
        await storageUsage(trx as unknown as Kysely<unknown>, types)
      })
      assert.deepEqual(await readStorageUsage(metadata.reader), before)
      assert.deepEqual([before[0]?.storedBytes, before[0]?.uploadBytes], [30 * kib, 5 * kib])
      await assertStorageCounted(metadata)
    })

    test('manifests count as well, in each repository, until they are gone from the recycle bin', async (t) => {
      const { session, client, metadata, monolithic } = await world(t, 'bytesPerRegistry=1MiB')
      const [one, two] = [await session.repository(), await session.repository()]
      const config = blobOf('config', 10)
      for (const name of [one, two]) assert.equal((await monolithic(name, config)).status, 201)
      const mediaType = 'application/vnd.oci.image.manifest.v1+json'
      const put = async (name: string, tag: string) => {
        const manifest = {
          ...{ schemaVersion: 2, mediaType, layers: [], annotations: { filler: 'x'.repeat(600 * kib) } },
          config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: 10 },
        }
        const headers = { 'content-type': mediaType }
        return client.call('PUT', `/v2/${name}/manifests/${tag}`, { headers, body: JSON.stringify(manifest) })
      }
      assert.equal((await put(one, 'v1')).status, 201)
      // The same manifest again stores nothing.
      assert.equal((await put(one, 'v2')).status, 201)
      const refused = await put(two, 'v1')
      assert.deepEqual([refused.status, refused.error], [403, 'DENIED'])
      assert.match(refused.message, /\(quota bytesPerRegistry\)/)
      await assertStorageCounted(metadata)
      const [usage] = await readStorageUsage(metadata.reader)
      assert(usage !== undefined && usage.storedBytes > 600 * kib && usage.storedBytes < 602 * kib)
    })

    test('pushes at once keep within the quota, and an upload that is refused leaves nothing', async (t) => {
      const { session, metadata, monolithic, chunked } = await world(t, 'bytesPerRegistry=1MiB')
      const repository = await session.repository()
      const race = async (push: typeof monolithic | typeof chunked, at: number) => {
        const answers = await Promise.all(
          Array.from({ length: 12 }, (_, more) => push(repository, blobOf(`blob ${at + more}`, 300 * kib))),
        )
        assert(answers.every(({ status }) => status === 201 || status === 403))
        return answers.filter(({ status }) => status === 201).length
      }
      // Without a length room is reserved as bytes come, and all of them may run out of it.
      assert((await race(chunked, 0)) <= 3)
      await assertStorageCounted(metadata)
      await race(monolithic, 100)
      const [usage] = await readStorageUsage(metadata.reader)
      assert.equal(usage?.storedBytes, 900 * kib)
      await assertStorageCounted(metadata)
      assert.deepEqual(await metadata.reader.selectFrom('upload').select('id').execute(), [])
    })

    test('bytes of an upload count while it is open, also those of a chunk that was refused', async (t) => {
      const { session, client, metadata, monolithic, start } = await world(t, 'bytesPerRegistry=1MiB')
      const repository = await session.repository()
      const { location } = await start(repository)
      const wrong = digest(Buffer.from('other'))
      const refused = await client.call('PUT', `${location}?digest=${wrong}`, { body: noise('draft', 900 * kib) })
      assert.equal(refused.error, 'DIGEST_INVALID')
      assert.equal((await monolithic(repository, blobOf('a', 200 * kib))).status, 403)
      assert.equal((await client.call('DELETE', location)).status, 204)
      assert.equal((await monolithic(repository, blobOf('a', 200 * kib))).status, 201)
      await assertStorageCounted(metadata)
    })

    test('an account has its quota over all its regions, and another account has its own', async (t) => {
      const { session, server, metadata } = await world(t, 'bytesPerAccount=1MiB')
      const west = session.client({ region: 'us-west-2' })
      const other = session.client({ credentials: await server.addAccount('111111111111') })
      for (const ecr of [session.ecr, west, other]) await ecr.createRepository({ repositoryName: 'team/app' })
      const push = async (ecr: typeof west, blob: ReturnType<typeof blobOf>) => {
        const { uploadId } = await ecr.initiateLayerUpload({ repositoryName: 'team/app' })
        const range = { partFirstByte: 0, partLastByte: blob.bytes.length - 1, layerPartBlob: blob.bytes }
        await ecr.uploadLayerPart({ repositoryName: 'team/app', uploadId, ...range })
        await ecr.completeLayerUpload({ repositoryName: 'team/app', uploadId, layerDigests: [blob.digest] })
      }
      await push(session.ecr, blobOf('first', 600 * kib))
      const { name, message } = await refusalOf(push(west, blobOf('second', 600 * kib)))
      const counted = 'bytes of layers, manifests and open uploads of all regions'
      assert.equal(name, 'LimitExceededException')
      assert.equal(message, beyond('bytesPerAccount', 1_048_576, `the account ${server.account}`, counted, makeRoom))
      await push(other, blobOf('second', 600 * kib))
      await assertStorageCounted(metadata)
    })

    test('a registry has so many open uploads and so many bytes in them, and they end by being completed', async (t) => {
      const { session, server, client, metadata, start } = await world(t, 'openUploads=6,openUploadBytes=1MiB')
      const repository = await session.repository()
      const started = await Promise.all(Array.from({ length: 8 }, () => start(repository)))
      const open = started.filter(({ status }) => status === 202)
      assert.equal(open.length, 3)
      const registry = `the registry with id '${server.account}' in us-east-1`
      const out = 'Complete or cancel uploads, or try again once abandoned ones have ended'
      const refused = started.find(({ status }) => status !== 202)
      assert.equal(refused?.error, 'DENIED')
      // As many as one repository leaves for others.
      const within = `the repository with name '${repository}' in ${registry}`
      assert.equal(refused.message, beyond('openUploads', 3, within, 'open uploads', out))
      const byApi = await refusalOf(session.ecr.initiateLayerUpload({ repositoryName: repository }))
      assert.deepEqual([byApi.name, byApi.message], ['LimitExceededException', refused.message])
      const others = [await session.repository(), await session.repository(), await session.repository()]
      for (const other of others) assert.equal((await start(other)).status, 202)
      const full = await start(others[0] ?? '')
      assert.equal(full.message, beyond('openUploads', 6, registry, 'open uploads', out))
      for (const other of others) {
        await session.ecr.deleteRepository({ repositoryName: other, force: true })
      }

      const [a = '', b = '', c = ''] = open.map(({ location }) => location)
      const blob = blobOf('a', 700 * kib)
      assert.equal((await client.call('PATCH', a, { body: blob.bytes })).status, 202)
      const beyondBytes = await client.call('PATCH', b, { body: blob.bytes })
      assert.equal(beyondBytes.message, beyond('openUploadBytes', 1_048_576, registry, 'bytes of open uploads', out))
      assert.equal((await client.call('PUT', `${a}?digest=${blob.digest}`)).status, 201)
      assert.equal((await client.call('PATCH', c, { body: blob.bytes })).status, 202)
      assert.equal((await start(repository)).status, 202)
      await assertStorageCounted(metadata)
    })

    test('without a quota of bytes the usage is counted all the same, and a broken connection leaves what it brought', async (t) => {
      const { session, server, metadata, start, chunked } = await world(t, 'images=100')
      const repository = await session.repository()
      assert.equal((await chunked(repository, blobOf('a', 100 * kib))).status, 201)
      const { location } = await start(repository)
      const connection = new AbortController()
      const body = Readable.from(
        (async function* () {
          yield noise('half', 300 * kib)
          await new Promise((resolve) => setTimeout(resolve, 300))
          connection.abort()
        })(),
      )
      const { authorization } = (await openOciClient(server)).registry
      await assert.rejects(
        fetch(`${server.url}${location}`, {
          ...{ method: 'PATCH', headers: { authorization }, body: Readable.toWeb(body) as ReadableStream },
          ...{ signal: connection.signal, duplex: 'half' },
        }),
      )
      await until(async () => {
        const row = await metadata.reader.selectFrom('upload').select('held').executeTakeFirst()
        return row?.held === 300 * kib
      })
      await assertStorageCounted(metadata)
    })
  }),
)

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 64 * kib) yield bytes.slice(at, at + 64 * kib)
}
