// What a blob store is: the claims that every driver has to meet. A driver's own test calls `testBlobStore` with a way to make
// a store, to see it as another process would, and to list what is left of drafts.

import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { PassThrough, Writable } from 'node:stream'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { BlobStore, Draft, DraftFollower } from '#blobs/store.ts'
import { Refusal } from '#lib/refusal.ts'
import { type Digest, type DigestAlgorithm, digestOf } from '#names/digest.ts'

export interface StoreUnderTest extends AsyncDisposable {
  readonly store: BlobStore
  /** Another store over the same content, sharing no memory with the first: what another process would have. */
  another(): Promise<BlobStore>
  /** Names of whatever the store still keeps of drafts. */
  leftovers(): Promise<string[]>
}

export function testBlobStore(driver: string, make: () => Promise<StoreUnderTest>): void {
  /** Each claim gets a store of its own, and has to leave no draft behind. */
  function claim(name: string, body: (under: StoreUnderTest) => Promise<void>): void {
    it(name, async () => {
      await using under = await make()
      await body(under)
      assert.deepEqual(await under.leftovers(), [], 'nothing is left of drafts')
    })
  }

  describe(`${driver}: its id`, () => {
    claim('is the first that it was given, whoever asks at once', async ({ store, another }) => {
      assert.equal(await store.id(), undefined)
      const stores = [store, await another(), await another()]
      const [first, ...others] = await Promise.all(stores.map((each) => each.keepId(randomUUID())))
      assert.deepEqual(others, [first, first])
      assert.equal(await store.keepId(randomUUID()), first)
      assert.equal(await (await another()).id(), first)
    })
  })

  describe(`${driver}: content`, () => {
    claim('is found under its digest, and only once it is committed', async ({ store }) => {
      const content = randomBytes(3_000_000)
      const digest = digestOfBytes(content)
      await using draft = await store.createDraft(randomUUID())
      await draft.append(chunked(content, 65_536))
      assert.equal(draft.size, content.length)
      assert.equal(await store.stat(digest), undefined)
      assert.equal(await store.open(digest), undefined)

      assert.deepEqual(await draft.commit([digest]), { digest, sizeBytes: content.length })
      assert.equal((await store.stat(digest))?.sizeBytes, content.length)
      same(await contentOf(store, digest), content)
    })

    claim('that does not hash to what is expected is not stored, and the draft survives', async ({ store }) => {
      const content = randomBytes(100_000)
      const wrong = digestOfBytes(randomBytes(8))
      await using draft = await store.createDraft(randomUUID())
      await draft.append(chunked(content.subarray(0, 60_000)))
      const short = digestOfBytes(content.subarray(0, 60_000))
      await assert.rejects(draft.commit([wrong]), refusal('DigestMismatch', { expected: [wrong], computed: short }))
      assert.equal(await store.stat(wrong), undefined)
      assert.equal(await store.stat(short), undefined)
      assert.equal(draft.size, 60_000)

      await draft.append(chunked(content.subarray(60_000)))
      const digest = digestOfBytes(content)
      await draft.commit([digest])
      same(await contentOf(store, digest), content)
    })

    claim('may be committed when it is stored already', async ({ store, another }) => {
      const content = randomBytes(10_000)
      const digest = await put(store, content)
      await using reader = await store.open(digest)
      assert.equal(await put(await another(), content), digest)
      assert.equal(await put(store, content), digest)
      same(await contentOf(store, digest), content)
      same(await collect(reader?.chunks()), content, 'an open reader goes on')
    })

    claim('is listed with all else that is stored, and drafts apart from it', async ({ store, another }) => {
      const first = await put(store, randomBytes(1_000))
      const id = randomUUID()
      const began = Date.now()
      await using draft = await store.createDraft(id)
      await draft.append(chunked(randomBytes(500)))
      const second = await put(await another(), randomBytes(1_000))

      assert.deepEqual(new Set((await Array.fromAsync(store.list())).flat()), new Set([first, second]))
      const [listed, ...others] = await Array.fromAsync((await another()).listDrafts())
      assert.deepEqual([listed?.id, others], [id, []])
      // File systems may keep time in ticks of some milliseconds.
      assert.ok((listed?.changedAt ?? 0) > began - 100)
      assert.ok(((await store.stat(second))?.storedAt ?? 0) > began - 100)
      await draft.discard()
      assert.deepEqual(await Array.fromAsync(store.listDrafts()), [])
    })

    claim('of no bytes is content as well', async ({ store }) => {
      const digest = await put(store, Buffer.alloc(0))
      assert.equal((await store.stat(digest))?.sizeBytes, 0)
      same(await contentOf(store, digest), Buffer.alloc(0))
    })

    claim('can be proved by sha512, or by whichever of several digests fits', async ({ store }) => {
      const content = randomBytes(2_500_000)
      const [sha256, sha512] = [digestOfBytes(content), digestOfBytes(content, 'sha512')]
      const wrong = [digestOfBytes(randomBytes(8), 'sha512'), digestOfBytes(randomBytes(8))]

      await using draft = await store.createDraft(randomUUID())
      await draft.append(chunked(content))
      await assert.rejects(draft.commit(wrong), refusal('DigestMismatch', { expected: wrong, computed: sha512 }))
      assert.equal((await draft.commit([sha512])).digest, sha512)
      same(await contentOf(store, sha512), content)
      assert.equal(await store.stat(sha256), undefined, 'each digest is a blob of its own')

      assert.equal(await put(store, content, [...wrong, sha256]), sha256)
      same(await contentOf(store, sha256), content)
    })

    claim('can be deleted, more than once, and stored again', async ({ store, another }) => {
      const content = randomBytes(5_000)
      const digest = await put(store, content)
      await store.delete(digest)
      assert.equal(await store.stat(digest), undefined)
      assert.equal(await (await another()).open(digest), undefined)
      await store.delete(digest)
      await store.delete(digestOfBytes(Buffer.from('never stored')))
      await put(store, content)
      same(await contentOf(store, digest), content)
    })

    claim('is whole however it was cut into chunks', async ({ store }) => {
      const pieces = fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 40 })
      await fc.assert(
        fc.asyncProperty(pieces, async (chunks) => {
          const content = Buffer.concat(chunks)
          const digest = digestOfBytes(content)
          await using draft = await store.createDraft(randomUUID())
          await draft.append(yielding(chunks))
          await draft.commit([digest])
          same(await contentOf(store, digest), content)
        }),
        { numRuns: 30 },
      )
    })

    claim('is whole when it comes in tens of thousands of tiny chunks, and in huge ones', async ({ store }) => {
      const content = randomBytes(5_000_000)
      const digest = digestOfBytes(content)
      await using draft = await store.createDraft(randomUUID())
      await draft.append(chunked(content.subarray(0, 40_000), 1))
      await draft.append(chunked(content.subarray(40_000), 4_000_000))
      await draft.commit([digest])
      same(await contentOf(store, digest), content)
    })
  })

  describe(`${driver}: reading`, () => {
    claim('gives any range, as chunks and to a stream', async ({ store }) => {
      const content = randomBytes(3_333_333)
      const digest = await put(store, content)
      await using reader = await store.open(digest)
      assert(reader)
      assert.equal(reader.sizeBytes, content.length)
      const offset = fc.integer({ min: 0, max: content.length })
      await fc.assert(
        fc.asyncProperty(offset, offset, async (a, b) => {
          const range = { start: Math.min(a, b), end: Math.max(a, b) }
          const expected = content.subarray(range.start, range.end)
          same(await collect(reader.chunks(range)), expected)
          same(await sent((to) => reader.sendTo(to, range)), expected)
        }),
        {
          numRuns: 20,
          examples: [
            [0, content.length],
            [7, 7],
            [1 << 20, 2 << 20],
            [0, (1 << 20) + 1],
          ],
        },
      )
      same(await sent((to) => reader.sendTo(to)), content)
    })

    claim('gives chunks that stay as they are while more are read', async ({ store }) => {
      const content = randomBytes(4_000_000)
      await using reader = await store.open(await put(store, content))
      assert(reader)
      const kept: Uint8Array[] = []
      for await (const chunk of reader.chunks()) kept.push(chunk)
      same(Buffer.concat(kept), content)
    })

    claim('never changes memory that a slow destination has yet to read', async ({ store }) => {
      const content = randomBytes(4_000_000)
      await using reader = await store.open(await put(store, content))
      assert(reader)
      const seen: Buffer[] = []
      let pending = 0
      const slow = new Writable({
        highWaterMark: 1,
        write(chunk: Buffer, _encoding, done) {
          pending += 1
          assert.equal(pending, 1)
          // Looked at only after whatever reads ahead had ample turns to overwrite it.
          turns(50).then(() => {
            seen.push(Buffer.from(chunk))
            pending -= 1
            done()
          }, done)
        },
      })
      await reader.sendTo(slow)
      same(Buffer.concat(seen), content)
    })

    claim('ends with an error when its destination closes, and the store goes on', async ({ store }) => {
      const content = randomBytes(4_000_000)
      const digest = await put(store, content)
      await using reader = await store.open(digest)
      assert(reader)
      const stuck = new Writable({ write: () => {} })
      const sending = reader.sendTo(stuck)
      const failed = assert.rejects(sending)
      await turns(5)
      stuck.destroy()
      await failed
      await assert.rejects(reader.sendTo(stuck), 'nor does it start towards a closed one')
      same(await contentOf(store, digest), content)
    })

    claim('goes on although the blob is deleted meanwhile', async ({ store }) => {
      const content = randomBytes(3_000_000)
      const digest = await put(store, content)
      await using reader = await store.open(digest)
      await store.delete(digest)
      same(await collect(reader?.chunks()), content)
    })
  })

  describe(`${driver}: a draft over several requests`, () => {
    claim('grows by each of them', async ({ store }) => {
      const content = randomBytes(2_000_000)
      const id = randomUUID()
      await (await store.createDraft(id)).close()
      for (let offset = 0; offset < content.length; offset += 500_000) {
        await using draft = await resume(store, id, offset)
        assert.equal(draft.size, offset)
        await draft.append(chunked(content.subarray(offset, offset + 500_000)))
      }
      await using draft = await resume(store, id, content.length)
      await draft.commit([digestOfBytes(content)])
      same(await contentOf(store, digestOfBytes(content)), content)
      assert.equal(await store.resumeDraft(id, { offset: content.length, fresh: false }), undefined)
    })

    for (const fresh of [false, true]) {
      const how = fresh ? 'that may run beside this one' : 'that has ended'
      claim(`goes on from a process ${how}, at the recorded offset`, async ({ store, another }) => {
        const content = randomBytes(1_500_000)
        const id = randomUUID()
        {
          await using draft = await store.createDraft(id)
          await draft.append(chunked(content.subarray(0, 1_000_000)))
          await draft.append(chunked(randomBytes(1_000))) // Came, but was never recorded.
        }
        await using draft = await resume(await another(), id, 1_000_000, fresh)
        assert.equal(draft.size, 1_000_000)
        await draft.append(chunked(content.subarray(1_000_000)))
        await draft.commit([digestOfBytes(content)])
        same(await contentOf(store, digestOfBytes(content)), content)
      })
    }

    claim('is proved by its own bytes when processes take turns at it', async ({ store, another }) => {
      const id = randomUUID()
      const other = await another()
      const start = randomBytes(10_000)
      const end = randomBytes(10_000)
      {
        await using draft = await store.createDraft(id)
        await draft.append(chunked(start))
        await draft.append(chunked(randomBytes(10_000)))
      }
      {
        await using draft = await resume(other, id, start.length)
        await draft.append(chunked(end))
      }
      // The first store remembers other bytes up to the same offset.
      await using draft = await resume(store, id, 20_000)
      const digest = digestOfBytes(Buffer.concat([start, end]))
      await draft.commit([digest])
      same(await contentOf(store, digest), Buffer.concat([start, end]))
    })

    claim('cannot be reached by a process that still held it when a fresh copy was taken', async (under) => {
      const { store } = under
      const other = await under.another()
      const id = randomUUID()
      const content = randomBytes(400_000)
      const old = await store.createDraft(id)
      await old.append(chunked(content.subarray(0, 200_000)))
      await using draft = await resume(other, id, 200_000, true)
      await old.append(chunked(randomBytes(100_000)))
      await draft.append(chunked(content.subarray(200_000)))
      await old.append(chunked(randomBytes(300_000)))
      await old.close()

      await draft.commit([digestOfBytes(content)])
      same(await contentOf(store, digestOfBytes(content)), content)
    })

    claim('cannot be committed by a process it was taken from', async ({ store, another }) => {
      const id = randomUUID()
      const content = randomBytes(10_000)
      await using old = await store.createDraft(id)
      await old.append(chunked(content))
      await using draft = await resume(await another(), id, content.length, true)
      await assert.rejects(old.commit([digestOfBytes(content)]), refusal('DraftTakenOver', { id }))
      assert.equal(await store.stat(digestOfBytes(content)), undefined)
      await old.discard()
      await draft.append(chunked(content))
      await draft.commit([digestOfBytes(Buffer.concat([content, content]))])
    })

    claim('is cut to the recorded offset, by whichever store resumes it', async ({ store, another }) => {
      const content = randomBytes(100_000)
      const id = randomUUID()
      {
        await using draft = await store.createDraft(id)
        await draft.append(chunked(content))
      }
      for (const [index, next] of [store, await another(), store].entries()) {
        await using draft = await resume(next, id, 90_000 - index * 10_000)
        assert.equal(draft.size, 90_000 - index * 10_000)
      }
      await using draft = await resume(store, id, 50_000)
      await draft.append(chunked(content.subarray(50_000, 60_000)))
      const digest = digestOfBytes(content.subarray(0, 60_000))
      await draft.commit([digest])
      same(await contentOf(store, digest), content.subarray(0, 60_000))
    })

    claim('tells when fewer bytes are there than were recorded', async ({ store, another }) => {
      const id = randomUUID()
      {
        await using draft = await store.createDraft(id)
        await draft.append(chunked(randomBytes(1_000)))
      }
      for (const next of [store, await another()]) {
        await using draft = await resume(next, id, 2_000)
        assert.equal(draft.size, 1_000)
      }
      await store.discardDraft(id)
    })

    claim('equals the whole, however requests, stores and offsets interleave', async ({ store, another }) => {
      const stores = [store, await another(), await another()]
      const step = fc.record({
        chunks: fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 4 }),
        store: fc.nat({ max: 2 }),
        back: fc.nat({ max: 2_000 }),
        fresh: fc.boolean(),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
          const id = randomUUID()
          await (await store.createDraft(id)).close()
          let whole: Buffer = Buffer.alloc(0)
          for (const { chunks, store: index, back, fresh } of steps) {
            whole = whole.subarray(0, Math.max(0, whole.length - back))
            await using draft = await resume(stores[index] ?? store, id, whole.length, fresh)
            await draft.append(yielding(chunks))
            whole = Buffer.concat([whole, ...chunks])
            assert.equal(draft.size, whole.length)
          }
          await using draft = await resume(store, id, whole.length)
          const digest = digestOfBytes(whole)
          await draft.commit([digest])
          same(await contentOf(store, digest), whole)
        }),
        { numRuns: 40 },
      )
    })

    claim('starts empty, whatever stood under its id', async ({ store, another }) => {
      const id = randomUUID()
      {
        await using draft = await store.createDraft(id)
        await draft.append(chunked(randomBytes(1_000)))
      }
      for (const next of [await another(), store]) {
        await using draft = await next.createDraft(id)
        assert.equal(draft.size, 0)
        await draft.append(chunked(Buffer.from('other bytes')))
      }
      await using draft = await resume(store, id, 11)
      await draft.commit([digestOfBytes(Buffer.from('other bytes'))])
    })

    claim('can be discarded, held or not, more than once', async ({ store, another }) => {
      const [id, second] = [randomUUID(), randomUUID()]
      await (await store.createDraft(id)).close()
      await (await another()).discardDraft(id)
      await store.discardDraft(id)
      assert.equal(await store.resumeDraft(id, { offset: 0, fresh: false }), undefined)
      assert.equal(await store.resumeDraft(randomUUID(), { offset: 0, fresh: true }), undefined)
      await (await store.createDraft(second)).discard()
      assert.equal(await store.resumeDraft(second, { offset: 0, fresh: false }), undefined)
    })

    claim('is left as it is by a process that comes too late', async ({ store, another }) => {
      const [id, content] = [randomUUID(), randomBytes(10_000)]
      const other = await another()
      const late = async () => {
        throw new Error('too late')
      }
      await using draft = await store.createDraft(id)
      await draft.append(chunked(content.subarray(0, 6_000)))
      await assert.rejects(other.createDraft(id, late), /too late/)
      await assert.rejects(other.resumeDraft(id, { offset: 1_000, fresh: true, confirm: late }), /too late/)
      await draft.append(chunked(content.subarray(6_000)))
      await draft.close()

      await assert.rejects(other.resumeDraft(id, { offset: 1_000, fresh: false, confirm: late }), /too late/)
      await assert.rejects(store.createDraft(id, late), /too late/)
      await using resumed = await resume(store, id, content.length)
      await resumed.commit([digestOfBytes(content)])
      same(await contentOf(store, digestOfBytes(content)), content)
    })

    claim('can be begun and discarded by several processes at once', async ({ store, another }) => {
      const stores = [store, await another(), await another()]
      for (let round = 0; round < 30; round++) {
        const id = randomUUID()
        const beginning = async (each: BlobStore) => {
          await using draft = await each.createDraft(id)
          await draft.append(chunked(randomBytes(10)))
          await draft.discard()
        }
        await Promise.all(stores.flatMap((each) => [beginning(each), each.discardDraft(id)].map(unlessTakenOver)))
        await store.discardDraft(id)
      }
    })

    claim('is left alone by whoever discards or closes it after it was committed', async ({ store }) => {
      const content = randomBytes(1_000)
      const draft = await store.createDraft(randomUUID())
      await draft.append(chunked(content))
      await draft.commit([digestOfBytes(content)])
      await draft.discard()
      await draft.close()
      same(await contentOf(store, digestOfBytes(content)), content)
    })

    claim('has an id that cannot name anything else', async ({ store }) => {
      for (const id of ['', '.', '..', '../sha256', `${randomUUID()}/..`, randomUUID().toUpperCase()]) {
        await assert.rejects(store.createDraft(id))
        await assert.rejects(store.resumeDraft(id, { offset: 0, fresh: false }))
        await assert.rejects(store.discardDraft(id))
      }
    })
  })

  describe(`${driver}: following a draft, where the driver can`, () => {
    claim(
      'reads what is there while it grows, in any process, and after it was committed',
      async ({ store, another }) => {
        if (store.followDraft === undefined) return
        const content = randomBytes(700_000)
        const id = randomUUID()
        const other = await another()
        assert.equal(await other.followDraft?.(id), undefined)
        await using draft = await store.createDraft(id)
        await using own = await store.followDraft(id)
        await using follower = await other.followDraft?.(id)
        assert(own && follower)
        const both: readonly DraftFollower[] = [own, follower]
        const into = Buffer.alloc(content.length)
        for (let end = 100_000; end <= content.length; end += 100_000) {
          await draft.append(chunked(content.subarray(end - 100_000, end)))
          for (const each of both) {
            assert.equal(await each.size(), end)
            assert.equal(await each.read(into.subarray(0, end + 1), 0), end)
            same(into.subarray(0, end), content.subarray(0, end))
            assert.equal(await each.read(into, end - 7), 7)
            assert.equal(await each.read(into, end), 0)
          }
        }
        const digest = digestOfBytes(content)
        assert.equal(await follower.became(digest), false)
        await draft.commit([digest])
        await follower.read(into, 0)
        same(into, content)
        assert.deepEqual([await own.became(digest), await follower.became(digest)], [true, true])
        await put(store, content)
        assert.equal(await follower.became(digest), false, 'the same bytes in another place are another content')
      },
    )

    claim('stays with the bytes that it opened when another process takes the draft', async ({ store, another }) => {
      if (store.followDraft === undefined) return
      const other = await another()
      const id = randomUUID()
      await using old = await store.createDraft(id)
      await old.append(chunked(Buffer.from('first ')))
      await using before = await store.followDraft(id)
      await using draft = await resume(other, id, 6, true)
      await draft.append(chunked(Buffer.from('new')))
      await using after = await store.followDraft(id)
      assert.equal(await before?.size(), 6)
      assert.equal(await after?.size(), 9)
      await draft.discard()
      assert.equal(await store.followDraft(id), undefined)
      await old.discard()
    })
  })

  describe(`${driver}: a broken request`, () => {
    claim('leaves the bytes that came', async ({ store }) => {
      const content = randomBytes(2_700_000)
      const id = randomUUID()
      const broken = new Error('connection reset')
      {
        await using draft = await store.createDraft(id)
        await assert.rejects(draft.append(breaking(content.subarray(0, 1_500_000), broken)), broken)
        assert.equal(draft.size, 1_500_000)
      }
      await using draft = await resume(store, id, 1_500_000)
      await draft.append(chunked(content.subarray(1_500_000)))
      await draft.commit([digestOfBytes(content)])
      same(await contentOf(store, digestOfBytes(content)), content)
    })

    claim('with more bytes than were announced is refused, after so many', async ({ store }) => {
      const content = randomBytes(200_000)
      await using draft = await store.createDraft(randomUUID())
      await draft.append(chunked(content.subarray(0, 50_000)), { limit: 50_000 })
      const append = draft.append(chunked(content.subarray(50_000)), { limit: 50_000 })
      await assert.rejects(append, refusal('BodyTooLong', { limit: 50_000 }))
      assert.equal(draft.size, 100_000)
      await draft.commit([digestOfBytes(content.subarray(0, 100_000))])
    })

    claim('does not have its source destroyed, so that it can still be answered', async ({ store }) => {
      const source = new PassThrough()
      source.write(randomBytes(1_000))
      await using draft = await store.createDraft(randomUUID())
      await assert.rejects(draft.append(source, { limit: 10 }), refusal('BodyTooLong', { limit: 10 }))
      assert.equal(source.destroyed, false)
      source.destroy()
      await draft.discard()
    })
  })

  describe(`${driver}: a second request for the same draft`, () => {
    claim('takes it from one that waits for a silent client, and keeps what came', async ({ store }) => {
      const content = randomBytes(1_200_000)
      const id = randomUUID()
      const silent = new PassThrough()
      const first = firstRequest(store, id, silent)
      silent.write(content.subarray(0, 700_000))
      await consumed(silent)

      await using second = await resume(store, id, 700_000)
      assert.equal(await first, 'DraftTakenOver')
      silent.destroy()
      assert.equal(second.size, 700_000)
      await second.append(chunked(content.subarray(700_000)))
      await second.commit([digestOfBytes(content)])
      same(await contentOf(store, digestOfBytes(content)), content)
    })

    claim('waits until the first has let go', async ({ store }) => {
      const id = randomUUID()
      const first = await store.createDraft(id)
      const events: string[] = []
      const second = resume(store, id, 0).then((draft) => {
        events.push('second holds')
        return draft
      })
      await turns(20)
      await assert.rejects(first.append(chunked(randomBytes(10))), refusal('DraftTakenOver', { id }))
      await assert.rejects(first.commit([digestOfBytes(randomBytes(1))]), refusal('DraftTakenOver', { id }))
      events.push('first lets go')
      await first.close()
      await (await second).discard()
      assert.deepEqual(events, ['first lets go', 'second holds'])
    })

    claim('gives way to a third', async ({ store }) => {
      const id = randomUUID()
      const first = await store.createDraft(id)
      const second = assert.rejects(resume(store, id, 0), refusal('DraftTakenOver', { id }))
      const third = resume(store, id, 0)
      await first.close()
      await second
      await (await third).discard()
    })

    claim('finds no draft when the first was committing', async ({ store }) => {
      const id = randomUUID()
      const content = randomBytes(500_000)
      const first = await store.createDraft(id)
      await first.append(chunked(content))
      const committing = first.commit([digestOfBytes(content)])
      assert.equal(await store.resumeDraft(id, { offset: content.length, fresh: false }), undefined)
      await committing
      same(await contentOf(store, digestOfBytes(content)), content)
    })

    claim('to discard it takes it as well', async ({ store }) => {
      const id = randomUUID()
      const silent = new PassThrough()
      const first = firstRequest(store, id, silent)
      silent.write(randomBytes(10))
      await consumed(silent)
      await store.discardDraft(id)
      assert.equal(await first, 'DraftTakenOver')
      silent.destroy()
    })

    claim('never makes two writers, however many come at once', async ({ store }) => {
      const id = randomUUID()
      await (await store.createDraft(id)).close()
      let holders = 0
      const request = async () => {
        try {
          await using draft = await resume(store, id, 0)
          holders += 1
          assert.equal(holders, 1)
          await draft.append(chunked(randomBytes(20_000), 100)).finally(() => {
            holders -= 1
          })
        } catch (error) {
          assert(error instanceof Refusal && error.code === 'DraftTakenOver', String(error))
          return
        }
      }
      await Promise.all(Array.from({ length: 20 }, request))
      assert.equal(holders, 0)
      await store.discardDraft(id)
    })
  })
}

function digestOfBytes(content: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return digestOf(algorithm, createHash(algorithm).update(content).digest('hex'))
}

async function put(store: BlobStore, content: Uint8Array, expected?: Digest[]): Promise<Digest> {
  await using draft = await store.createDraft(randomUUID())
  await draft.append(chunked(content))
  const { digest } = await draft.commit(expected ?? [digestOfBytes(content)])
  return digest
}

async function resume(store: BlobStore, id: string, offset: number, fresh = false): Promise<Draft> {
  const draft = await store.resumeDraft(id, { offset, fresh })
  assert(draft, 'there is a draft to resume')
  return draft
}

/** The code of the refusal that ends a request which appends `source` to a new draft. */
async function firstRequest(store: BlobStore, id: string, source: AsyncIterable<Uint8Array>): Promise<string> {
  await using draft = await store.createDraft(id)
  try {
    await draft.append(source)
    return 'none'
  } catch (error) {
    return error instanceof Refusal ? error.code : String(error)
  }
}

async function contentOf(store: BlobStore, digest: Digest): Promise<Buffer | undefined> {
  await using reader = await store.open(digest)
  return reader && (await sent((to) => reader.sendTo(to)))
}

async function collect(chunks: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks ?? []) all.push(chunk)
  return Buffer.concat(all)
}

/** What `send` wrote; copied at once, for its memory is the sender's. */
async function sent(send: (destination: Writable) => Promise<void>): Promise<Buffer> {
  const all: Buffer[] = []
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      all.push(Buffer.from(chunk))
      setImmediate(done)
    },
  })
  await send(destination)
  assert.equal(destination.writableEnded, false, 'the destination is not ended')
  return Buffer.concat(all)
}

async function* chunked(content: Uint8Array, chunkBytes = 65_536): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.length; start += chunkBytes) yield content.subarray(start, start + chunkBytes)
}

async function* yielding(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

async function* breaking(content: Uint8Array, error: Error): AsyncGenerator<Uint8Array> {
  yield* chunked(content)
  throw error
}

/** Says where megabytes differ rather than printing them. */
function same(actual: Buffer | undefined, expected: Uint8Array, message = 'the bytes are the same'): void {
  assert(actual, 'there is content')
  assert.equal(actual.length, expected.length, message)
  if (!actual.equals(expected))
    assert.fail(`${message}, but from ${actual.findIndex((byte, at) => byte !== expected[at])}`)
}

function refusal(code: string, facts: unknown): (error: unknown) => true {
  return (error) => {
    assert(error instanceof Refusal, String(error))
    assert.deepEqual({ code: error.code, facts: error.facts }, { code, facts })
    return true
  }
}

/** When a reader has all that was written, and has dealt with it. */
async function consumed(stream: PassThrough): Promise<void> {
  while (stream.readableLength + stream.writableLength > 0) await turns(1)
  await turns(5)
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate)
}

/** A newer request for the same draft is no failure. */
async function unlessTakenOver(work: Promise<unknown>): Promise<void> {
  await work.catch((error) => assert.equal(error.code, 'DraftTakenOver', error.message))
}
