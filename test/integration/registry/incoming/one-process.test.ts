/** Transfers of blobs from elsewhere, in one process. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { eachDatabase } from '#test/support/databases.ts'
import { Collected, digestOfBytes, repositoryKey as key, openIncoming, TestSource } from '#test/support/incoming.ts'
import { until } from '#test/support/until.ts'

const content = randomBytes(1_500_000)
const digest = digestOfBytes(content)
const blob = { digest, sizeBytes: content.length }

eachDatabase((databases) => {
  const on = `on ${databases.dialect}`

  test(`many readers share one transfer and get its bytes while it runs, ${on}`, async (t) => {
    const { incoming, blobs, metadata } = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.gate = 600_000
    const readers = await Promise.all(Array.from({ length: 20 }, () => incoming.open(key, blob, source.open)))
    const sinks = readers.map((reader) => new Collected(reader))
    await until(() => sinks.every(({ length }) => length === 600_000))
    assert.equal(await blobs.stat(digest), undefined)
    source.gate = Number.POSITIVE_INFINITY
    for (const sink of sinks) assert.ok(content.equals(await sink.whole))
    assert.deepEqual(source.offsets, [0])
    assert.equal((await blobs.stat(digest))?.sizeBytes, content.length)
    const links = await metadata.reader.selectFrom('repository_blob').select('digest').execute()
    assert.deepEqual(links, [{ digest }])
    assert.deepEqual(await metadata.reader.selectFrom('upload').select('id').execute(), [])
    assert.deepEqual(await metadata.reader.selectFrom('incoming_blob').select('upload').execute(), [])
    assert.deepEqual(await Array.fromAsync(blobs.listDrafts()), [])
    await Promise.all(readers.map((reader) => reader.close()))
  })

  test(`a transfer goes on when all readers have left, and the next is served what is stored, ${on}`, async (t) => {
    const { incoming, blobs } = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.gate = 100_000
    const reader = await incoming.open(key, blob, source.open)
    await reader.close()
    source.gate = Number.POSITIVE_INFINITY
    await until(async () => (await blobs.stat(digest)) !== undefined)
    await using next = await incoming.open(key, blob, source.open)
    assert.ok(content.equals(await new Collected(next).whole))
    assert.deepEqual(source.offsets, [0])
  })

  test(`a source that breaks is asked for the rest, ${on}`, async (t) => {
    const { incoming } = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.breaks.push(400_000, 900_000)
    await using reader = await incoming.open(key, blob, source.open)
    assert.ok(content.equals(await new Collected(reader).whole))
    assert.deepEqual(source.offsets, [0, 400_000, 900_000])
    assert.equal(source.sent, content.length)
  })
})
