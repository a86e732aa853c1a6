/** Transfers of blobs from elsewhere that several processes want at once, some of which end. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import http, { type IncomingMessage } from 'node:http'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBlobSource } from '#test/support/blob-source.ts'
import { type Databases, eachDatabase } from '#test/support/databases.ts'
import { Collected, digestOfBytes, repositoryKey as key, openIncoming, TestSource } from '#test/support/incoming.ts'
import { startProcess } from '#test/support/serve-process.ts'
import { until } from '#test/support/until.ts'

const content = randomBytes(1_500_000)
const digest = digestOfBytes(content)
const blob = { digest, sizeBytes: content.length }

eachDatabase((databases) => {
  const on = `on ${databases.dialect}`

  test(`readers of two processes share one transfer while it runs, ${on}`, async (t) => {
    const { incoming, another } = await openIncoming(t, databases)
    const other = await another()
    const source = new TestSource(content)
    source.gate = 600_000
    const opening = [incoming, other.incoming].flatMap((each) =>
      Array.from({ length: 5 }, () => each.open(key, blob, source.open)),
    )
    const readers = await Promise.all(opening)
    const sinks = readers.map((reader) => new Collected(reader))
    await until(() => sinks.every(({ length }) => length === 600_000))
    source.gate = Number.POSITIVE_INFINITY
    for (const sink of sinks) assert.ok(content.equals(await sink.whole))
    assert.deepEqual(source.offsets, [0])
    await Promise.all(readers.map((reader) => reader.close()))
  })

  test(`many small blobs that two processes want at once are each asked for once, ${on}`, async (t) => {
    const { incoming, another } = await openIncoming(t, databases)
    const other = await another()
    const sources = Array.from({ length: 12 }, () => new TestSource(randomBytes(2_000)))
    await Promise.all(
      sources.flatMap(({ bytes, open }) =>
        [incoming, other.incoming, incoming].map((each) =>
          each.store(key, { digest: digestOfBytes(bytes), sizeBytes: bytes.length }, open, {}),
        ),
      ),
    )
    for (const { offsets } of sources) assert.deepEqual(offsets, [0])
  })

  test(`a process that stops keeps its bytes, and another goes on there for its readers, ${on}`, async (t) => {
    const { incoming, another } = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.gate = 600_000
    await using own = await incoming.open(key, blob, source.open)
    const broken = new Collected(own)
    const other = await another()
    await using reader = await other.incoming.open(key, blob, source.open)
    const sink = new Collected(reader)
    await until(() => sink.length === 600_000)
    await incoming.stop()
    await assert.rejects(broken.whole, { code: 'IncomingBlobBroken' })
    source.gate = Number.POSITIVE_INFINITY
    assert.ok(content.equals(await sink.whole))
    assert.deepEqual(source.offsets, [0, 600_000])
    await assert.rejects(incoming.open(key, blob, source.open), { code: 'IncomingBlobBroken' })
  })

  test(`a stopped transfer goes on where it was when the next process is asked, ${on}`, async (t) => {
    const { incoming, another } = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.gate = 600_000
    await using own = await incoming.open(key, blob, source.open)
    await until(() => source.sent === 600_000)
    await incoming.stop()
    await own.close()
    source.gate = Number.POSITIVE_INFINITY
    const next = await another()
    await using reader = await next.incoming.open(key, blob, source.open)
    assert.ok(content.equals(await new Collected(reader).whole))
    assert.equal(source.sent, content.length)
  })

  test(`where the source refuses one process, another that waits tries itself once, ${on}`, async (t) => {
    const { incoming, another } = await openIncoming(t, databases)
    const other = await another()
    const [refused, works] = [new TestSource(content), new TestSource(content)]
    refused.refusal = new Error('the upstream says no')
    const opening = incoming.open(key, blob, refused.open)
    const waiting = other.incoming.open(key, blob, works.open)
    await assert.rejects(opening, refused.refusal)
    await using reader = await waiting
    assert.ok(content.equals(await new Collected(reader).whole))

    const wrong = randomBytes(1_000)
    const none = { digest: digestOfBytes(wrong), sizeBytes: 1_000 }
    const results = await Promise.allSettled(
      [incoming, other.incoming].map((each) => each.open(key, none, refused.open)),
    )
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.ok(refused.offsets.length <= 3, `${refused.offsets.length} requests`)
  })

  test(`a process that loses its lease follows the one that has it, ${on}`, async (t) => {
    const { incoming, another, metadata } = await openIncoming(t, databases)
    const other = await another()
    const source = new TestSource(content)
    source.gate = 600_000
    await using first = await incoming.open(key, blob, source.open)
    const sinks = [new Collected(first)]
    await until(() => sinks[0]?.length === 600_000)
    await metadata.transaction((trx) => trx.updateTable('incoming_blob').set({ leader: null }).execute())
    await using second = await other.incoming.open(key, blob, source.open)
    sinks.push(new Collected(second))
    await until(() => source.offsets.length === 2)
    source.gate = Number.POSITIVE_INFINITY
    for (const sink of sinks) assert.ok(content.equals(await sink.whole))
    assert.deepEqual(source.offsets, [0, 600_000])
  })

  test(`a process that is killed is replaced by one that waits, and by the next, ${on}`, {
    timeout: 90_000,
  }, async (t) => {
    const large = randomBytes(12_000_000)
    await using source = await startBlobSource(large, 2_000_000)
    const start = await starter(t, databases, source.url)
    const path = `/${digestOfBytes(large)}/${large.length}`
    const first = await start()
    const broken = pull(first.port, path)
    await until(() => source.sent() > 1_500_000)
    const second = await start()
    const whole = pull(second.port, path)
    await until(() => source.sent() > 3_000_000)
    first.kill()
    assert.equal((await broken).complete, false)
    const before = source.sent()
    source.bytesPerSecond = 20_000_000
    assert.equal((await whole).hash, hashOf(large))
    assert.equal(source.offsets.length, 2)
    assert.ok((source.offsets[1] ?? 0) > 1_000_000, `${source.offsets} after ${before}`)
    const third = await start()
    assert.equal((await pull(third.port, path)).hash, hashOf(large))
    assert.equal(source.offsets.length, 2)
  })
})

/** Starts processes over one database and one store. */
async function starter(t: TestContext, databases: Databases, source: string) {
  const { url, folder } = await openIncoming(t, databases)
  const program = fileURLToPath(new URL('../../../support/incoming-child.ts', import.meta.url))
  return async () => {
    const child = startProcess([process.execPath, program, url, folder, source])
    t.after(() => child[Symbol.asyncDispose]())
    const [, port] = await child.says(/^port (\d+)$/m)
    return { port: Number(port), kill: () => child.signal('SIGKILL') }
  }
}

/** What a client receives; not complete if the connection broke. */
async function pull(port: number, path: string): Promise<{ hash: string; complete: boolean }> {
  const hash = createHash('sha256')
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    http.get({ port, path, host: '127.0.0.1', agent: false }, resolve).on('error', reject)
  })
  try {
    for await (const chunk of response) hash.update(chunk)
  } catch {
    return { hash: '', complete: false }
  }
  return { hash: hash.digest('hex'), complete: response.complete && response.statusCode === 200 }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
