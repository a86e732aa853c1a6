/** Sources that refuse, break or send what is not the blob, and what else ends a transfer. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { sql } from 'kysely'
import type { BlobStore } from '#blobs/store.ts'
import { ecrQuotas } from '#config/quotas.ts'
import { systemClock } from '#lib/clock.ts'
import { Refusal } from '#lib/refusal.ts'
import { createCollectionWorkers } from '#registry/collection/jobs.ts'
import type { IncomingBlobs } from '#registry/incoming/incoming-blobs.ts'
import { createRepositories } from '#registry/repositories.ts'
import { inRepository } from '#registry/repository.ts'
import { createUploads } from '#registry/uploads.ts'
import { eachDatabase, eachDatabaseInCi } from '#test/support/databases.ts'
import { Collected, digestOfBytes, repositoryKey as key, openIncoming, TestSource } from '#test/support/incoming.ts'
import { run } from '#test/support/run.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const content = randomBytes(1_500_000)
const digest = digestOfBytes(content)
const blob = { digest, sizeBytes: content.length }

type Opened = Awaited<ReturnType<typeof openIncoming>>

async function assertNothingLeft({ metadata, blobs }: Pick<Opened, 'metadata' | 'blobs'>): Promise<void> {
  for (const table of ['upload', 'incoming_blob', 'repository_blob'] as const)
    assert.deepEqual(await metadata.reader.selectFrom(table).select('repository_id').execute(), [], table)
  assert.deepEqual(await Array.fromAsync(blobs.listDrafts()), [])
  assert.equal(await blobs.stat(digest), undefined)
}

/** The error that ends a reader of the whole blob, perhaps at its opening. */
async function failureOf(
  incoming: IncomingBlobs,
  source: TestSource,
  wanted: { digest: typeof digest; sizeBytes: number | undefined } = blob,
) {
  try {
    await using reader = await incoming.open(key, wanted, source.open)
    await new Collected(reader).whole
  } catch (error) {
    return error
  }
  throw new assert.AssertionError({ message: 'the reader got the whole blob' })
}

eachDatabaseInCi((databases) => {
  const on = `on ${databases.dialect}`

  test(`a refusal of the source reaches all who wait, as the source threw it, ${on}`, async (t) => {
    const opened = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.refusal = new Error('the upstream says no')
    const failures = await Promise.all(Array.from({ length: 5 }, () => failureOf(opened.incoming, source)))
    assert.deepEqual(new Set(failures), new Set([source.refusal]))
    await assert.rejects(opened.incoming.store(key, blob, source.open, {}), source.refusal)
    assert.deepEqual(source.offsets, [0, 0])
    await assertNothingLeft(opened)
  })

  for (const [what, change, problem] of [
    ['announces another length than the descriptor', (s) => (s.announced = content.length + 1), 'length'],
    ['sends more than it announced', (s) => (s.bytes = Buffer.concat([content, content.subarray(0, 1)])), 'length'],
    ['always ends before its length', (s) => (s.bytes = content.subarray(0, 1_000_000)), 'length'],
    ['sends other bytes', (s) => (s.bytes = randomBytes(content.length)), 'content'],
  ] satisfies [string, (source: TestSource) => unknown, string][]) {
    test(`a source that ${what} is refused, and nothing is stored, ${on}`, async (t) => {
      const opened = await openIncoming(t, databases)
      const source = new TestSource(content)
      change(source)
      const failure = await failureOf(opened.incoming, source)
      assert.deepEqual(refused(failure), ['IncomingBlobInvalid', { ...inRepository(key), digest, problem }])
      await assertNothingLeft(opened)
    })
  }

  test(`a body that nothing has read is ended, ${on}`, async (t) => {
    const { incoming } = await openIncoming(t, databases)
    let ended = 0
    const unread: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => assert.fail('it is not read'),
        return: () => Promise.resolve({ done: true, value: void ended++ }),
      }),
    }
    const source = async () => ({ offset: 0, sizeBytes: content.length + 1, body: unread })
    await assert.rejects(incoming.open(key, blob, source), { code: 'IncomingBlobInvalid' })
    assert.ok(ended > 0)
  })

  test(`wrong content is read once, and no reader gets all of it, ${on}`, async (t) => {
    const { incoming } = await openIncoming(t, databases)
    const source = new TestSource(randomBytes(content.length))
    await using reader = await incoming.open(key, blob, source.open)
    const [whole, part] = [new Collected(reader), new Collected(reader, { start: 1_000, end: 20_000 })]
    for (const sink of [whole, part]) await assert.rejects(sink.whole, { code: 'IncomingBlobInvalid' })
    assert.ok(whole.length < content.length)
    assert.ok(part.length < 19_000)
    assert.deepEqual(source.offsets, [0])
  })

  test(`a blob of unknown length is opened once it is proved, ${on}`, async (t) => {
    const { incoming } = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.announced = undefined
    await using reader = await incoming.open(key, { digest, sizeBytes: undefined }, source.open)
    assert.equal(reader.sizeBytes, content.length)
    assert.ok(content.equals(await new Collected(reader).whole))
  })

  test(`an empty blob is one, ${on}`, async (t) => {
    const { incoming, blobs } = await openIncoming(t, databases)
    const empty = digestOfBytes(Buffer.alloc(0))
    await using reader = await incoming.open(key, { digest: empty, sizeBytes: 0 }, new TestSource(Buffer.alloc(0)).open)
    assert.equal((await new Collected(reader).whole).length, 0)
    assert.equal((await blobs.stat(empty))?.sizeBytes, 0)
  })

  test(`a source without ranges is read again, and readers go on where they were, ${on}`, async (t) => {
    const { incoming } = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.ranges = false
    source.breaks.push(700_000)
    await using reader = await incoming.open(key, blob, source.open)
    assert.ok(content.equals(await new Collected(reader).whole))
    assert.deepEqual(source.offsets, [0, 700_000])
  })

  test(`other bytes after a break start over: earlier readers break, and the blob is stored, ${on}`, async (t) => {
    const { incoming, blobs } = await openIncoming(t, databases)
    const source = new TestSource(randomBytes(content.length))
    source.ranges = false
    source.breaks.push(700_000)
    source.gate = 600_000
    await using reader = await incoming.open(key, blob, source.open)
    const sink = new Collected(reader)
    await until(() => sink.length === 600_000)
    source.bytes = content
    source.gate = Number.POSITIVE_INFINITY
    await assert.rejects(sink.whole, { code: 'IncomingBlobBroken' })
    await incoming.store(key, blob, source.open, {})
    assert.ok(await blobs.stat(digest))
    assert.deepEqual(source.offsets, [0, 700_000, 0])
  })

  test(`a source that breaks without progress is given up, and the next transfer goes on where it broke, ${on}`, async (t) => {
    const { incoming } = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.breaks.push(400_000, 1, 1, 1, 1, 1, 1, 1, 1)
    assert.match(String(await failureOf(incoming, source)), /the connection broke/)
    const tries = source.offsets.length
    assert.ok(tries <= 7, `${tries} tries`)
    source.breaks.length = 0
    await using reader = await incoming.open(key, blob, source.open)
    assert.ok(content.equals(await new Collected(reader).whole))
    assert.ok((source.offsets.at(-1) ?? 0) >= 400_000)
  })

  test(`a reader that is slow or gone holds up neither the transfer nor others, ${on}`, async (t) => {
    const { incoming, blobs } = await openIncoming(t, databases)
    const source = new TestSource(content)
    await using slow = await incoming.open(key, blob, source.open)
    const chunks = slow.chunks()[Symbol.asyncIterator]()
    const first = await chunks.next()
    await using gone = await incoming.open(key, blob, source.open)
    const leaving = new Collected(gone)
    leaving.destroy()
    await assert.rejects(leaving.whole, /closed/)
    await until(async () => (await blobs.stat(digest)) !== undefined)
    const rest = await Array.fromAsync({ [Symbol.asyncIterator]: () => chunks })
    assert.ok(content.equals(Buffer.concat([first.value ?? Buffer.alloc(0), ...rest])))
  })

  test(`a reader that waits ends when its destination closes, ${on}`, async (t) => {
    const { incoming } = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.gate = 100_000
    await using reader = await incoming.open(key, blob, source.open)
    const sink = new Collected(reader)
    await until(() => sink.length === 100_000)
    sink.destroy()
    await assert.rejects(sink.whole, /closed/)
  })

  test(`ranges begin anywhere, ${on}`, async (t) => {
    const { incoming } = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.gate = 500_000
    await using reader = await incoming.open(key, blob, source.open)
    const ranges = [
      { start: 1_400_000, end: content.length },
      { start: 0, end: 10 },
      { start: 300_001, end: 1_000_003 },
      { start: 7, end: 7 },
    ]
    const sinks = ranges.map((range) => new Collected(reader, range))
    source.gate = Number.POSITIVE_INFINITY
    for (const [index, { start, end }] of ranges.entries())
      assert.ok(content.subarray(start, end).equals((await sinks[index]?.whole) ?? Buffer.alloc(1)), `${start}`)
  })

  test(`a store without the ability to follow drafts serves readers once the blob is stored, ${on}`, async (t) => {
    const { another } = await openIncoming(t, databases)
    const { incoming } = await another(
      (store) => new Proxy(store, { get: (of, name) => withoutFollowing(of, name as keyof BlobStore) }),
    )
    const source = new TestSource(content)
    source.gate = 500_000
    await using reader = await incoming.open(key, blob, source.open)
    const sink = new Collected(reader)
    await until(() => source.sent === 500_000)
    assert.equal(sink.length, 0)
    source.gate = Number.POSITIVE_INFINITY
    assert.ok(content.equals(await sink.whole))
  })
})

function refused(error: unknown): [code: string, facts: unknown] {
  assert.ok(error instanceof Refusal)
  return [error.code, error.facts]
}

function withoutFollowing(store: BlobStore, name: keyof BlobStore): unknown {
  if (name === 'followDraft') return undefined
  const member: unknown = store[name]
  return typeof member === 'function' ? member.bind(store) : member
}

eachDatabase((databases) => {
  const on = `on ${databases.dialect}`

  test(`a push of the blob meanwhile serves its readers and ends the transfer, ${on}`, async (t) => {
    const { incoming, metadata, blobs } = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.gate = 500_000
    await using reader = await incoming.open(key, blob, source.open)
    const sink = new Collected(reader)
    await until(() => sink.length === 500_000)
    const uploads = createUploads({ metadata, blobs, clock: systemClock, quotas: ecrQuotas, processId: randomUUID() })
    await uploads.push(key, digest, { source: piecesOf(content) })
    assert.ok(content.equals(await sink.whole))
    assert.deepEqual(await metadata.reader.selectFrom('upload').select('id').execute(), [])
    assert.deepEqual(await Array.fromAsync(blobs.listDrafts()), [])
  })

  test(`readers of other bytes than a push stores break, ${on}`, async (t) => {
    const { incoming, metadata, blobs } = await openIncoming(t, databases)
    const source = new TestSource(randomBytes(content.length))
    source.gate = 500_000
    await using reader = await incoming.open(key, blob, source.open)
    const sink = new Collected(reader)
    await until(() => sink.length === 500_000)
    const uploads = createUploads({ metadata, blobs, clock: systemClock, quotas: ecrQuotas, processId: randomUUID() })
    await uploads.push(key, digest, { source: piecesOf(content) })
    await assert.rejects(sink.whole, { code: 'IncomingBlobBroken' })
  })

  test(`a repository that is deleted meanwhile ends the transfer, ${on}`, async (t) => {
    const opened = await openIncoming(t, databases)
    const source = new TestSource(content)
    source.gate = 500_000
    await using reader = await opened.incoming.open(key, blob, source.open)
    const sink = new Collected(reader)
    await until(() => sink.length === 500_000)
    const parts = { metadata: opened.metadata, clock: systemClock, quotas: ecrQuotas, repositoryCreated: [] }
    await createRepositories(parts).delete(key, { force: true, by: '' })
    await assert.rejects(sink.whole, { code: 'RepositoryNotFound' })
    await assert.rejects(opened.incoming.open(key, blob, source.open), { code: 'RepositoryNotFound' })
    await assertNothingLeft(opened)
  })

  test(`a quota of bytes refuses a blob before its first byte, ${on}`, async (t) => {
    const opened = await openIncoming(t, databases, { quotas: { ...ecrQuotas, bytesPerRegistry: 1_000_000 } })
    const source = new TestSource(content)
    const failure = await failureOf(opened.incoming, source)
    assert.equal(refused(failure)[0], 'StorageQuotaExceeded')
    assert.equal(source.sent, 0)
    await assertNothingLeft(opened)
    const small = randomBytes(900_000)
    await opened.incoming.store(
      key,
      { digest: digestOfBytes(small), sizeBytes: small.length },
      new TestSource(small).open,
      {},
    )
  })

  test(`a damaged blob is healed by a transfer, ${on}`, async (t) => {
    const { incoming, blobs, metadata } = await openIncoming(t, databases)
    const source = new TestSource(content)
    await incoming.store(key, blob, source.open, {})
    await blobs.delete(digest)
    source.gate = 500_000
    await using reader = await incoming.open(key, blob, source.open)
    const sink = new Collected(reader)
    await until(() => sink.length === 500_000)
    // A renewal of the lease sees the link.
    const [before] = await metadata.reader.selectFrom('incoming_blob').select('leased_until').execute()
    await until(async () => {
      const [now] = await metadata.reader.selectFrom('incoming_blob').select('leased_until').execute()
      return now?.leased_until !== before?.leased_until
    })
    source.gate = Number.POSITIVE_INFINITY
    assert.ok(content.equals(await sink.whole))
    assert.deepEqual(source.offsets, [0, 0])
  })

  test(`a database that fails for a moment costs no bytes, ${on}`, {
    skip: databases.dialect !== 'sqlite' && 'triggers of SQLite',
  }, async (t) => {
    const { incoming, metadata } = await openIncoming(t, databases)
    const source = new TestSource(content)
    await metadata.transaction((trx) =>
      sql`create trigger broken before insert on blob begin select raise(abort, 'broken'); end`.execute(trx),
    )
    assert.match(String(await failureOf(incoming, source)), /broken/)
    await metadata.transaction((trx) => sql`drop trigger broken`.execute(trx))
    await using reader = await incoming.open(key, blob, source.open)
    assert.ok(content.equals(await new Collected(reader).whole))
  })
})

eachDatabase((databases) => {
  const skip =
    (process.getuid?.() !== 0 && 'only root may mount') || (databases.dialect !== 'sqlite' && 'once is enough')
  test(`a full disk ends a transfer, and its bytes make room for others, on ${databases.dialect}`, {
    skip,
  }, async (t) => {
    await using disk = await temporaryFolder()
    try {
      await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk.path])
    } catch (error) {
      t.skip(`this machine mounts nothing: ${error}`)
      return
    }
    try {
      const opened = await openIncoming(t, databases, { path: disk.path })
      const large = randomBytes(3_000_000)
      const wanted = { digest: digestOfBytes(large), sizeBytes: large.length }
      const failure = await failureOf(opened.incoming, new TestSource(large), wanted)
      assert.equal((failure as NodeJS.ErrnoException).code, 'ENOSPC')
      await assertNothingLeft(opened)
      await opened.incoming.store(key, blob, new TestSource(content).open, {})
      await opened.incoming.stop()
    } finally {
      await run('umount', [disk.path])
    }
  })

  test(`a transfer that is abandoned is collected as an upload is, on ${databases.dialect}`, async (t) => {
    const opened = await openIncoming(t, databases)
    const { incoming, metadata, blobs } = opened
    const source = new TestSource(content)
    source.gate = 600_000
    await (await incoming.open(key, blob, source.open)).close()
    await until(() => source.sent === 600_000)
    await incoming.stop()
    assert.equal((await metadata.reader.selectFrom('incoming_blob').select('upload').execute()).length, 1)
    const later = () => Date.now() + 25 * 3_600_000
    const workers = createCollectionWorkers({ metadata, blobs, clock: later, gcGraceHours: 24, uploadExpiryHours: 24 })
    for (const { work } of workers) await work({}, { signal: new AbortController().signal })
    await assertNothingLeft(opened)
  })

  test(`a transfer that has all bytes and no proof needs no source, on ${databases.dialect}`, async (t) => {
    const { incoming, another } = await openIncoming(t, databases)
    const source = new TestSource(content)
    let atEnd = false
    const held = async (offset: number, signal: AbortSignal) => {
      const answer = await source.open(offset, signal)
      return { ...answer, body: endingLate(answer.body, signal, () => (atEnd = true)) }
    }
    await (await incoming.open(key, blob, held)).close()
    await until(() => atEnd)
    await incoming.stop()
    const next = await another()
    await using reader = await next.incoming.open(key, blob, source.open)
    assert.ok(content.equals(await new Collected(reader).whole))
    assert.deepEqual(source.offsets, [0])
  })
})

/** A body that does not end after its last byte. */
async function* endingLate(body: AsyncIterable<Uint8Array>, signal: AbortSignal, onLast: () => void) {
  yield* body
  onLast()
  await once(signal, 'abort')
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
