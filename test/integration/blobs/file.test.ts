// The file driver passes the suite of all drivers, and what only files can suffer: full disks, crashes between two steps,
// damage.

import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { copyFile, mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FileBlobStore } from '#blobs/file.ts'
import { type Digest, digestHex, digestOf } from '#names/digest.ts'
import { testBlobStore } from '#test/suites/blob-store.ts'
import { run } from '#test/support/run.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

testBlobStore('file', async () => {
  const folder = await temporaryFolder()
  const root = join(folder.path, 'not', 'there', 'yet')
  return {
    store: await FileBlobStore.open(root),
    another: () => FileBlobStore.open(root),
    leftovers: () => readdir(join(root, 'drafts'), { recursive: true }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
})

describe('file: the check', () => {
  it('fails while the process can open no file', async () => {
    await using folder = await temporaryFolder()
    const child = fileURLToPath(new URL('descriptors-child.ts', import.meta.url))
    const output = await run('sh', ['-c', 'ulimit -n 64; exec "$0" "$@"', process.execPath, child, folder.path])
    assert.equal(output, 'EMFILE works EMFILE')
  })
})

describe('file: chunks that are released', () => {
  it('give their memory back once written, unless they share it, and are stored as they were', async () => {
    await using folder = await temporaryFolder()
    const store = await FileBlobStore.open(folder.path)
    const content = randomBytes(200_000)
    const alone = Uint8Array.from(content.subarray(0, 150_000))
    const sharing = content.subarray(150_000)

    await using draft = await store.createDraft(randomUUID())
    async function* source() {
      yield alone
      yield sharing
    }
    await draft.append(source(), { release: true })
    assert.deepEqual([alone.byteLength, sharing.byteLength], [0, 50_000])
    await draft.commit([digestOfBytes(content)])
  })
})

describe('file: a draft that another process began', () => {
  it('is not read again for each chunk that is appended', { timeout: 10_000 }, async () => {
    await using folder = await temporaryFolder()
    const id = randomUUID()
    await (await (await FileBlobStore.open(folder.path)).createDraft(id)).close()
    const [file = ''] = await readdir(join(folder.path, 'drafts', id))
    const vast = 2 ** 40 // Bytes that take no room, and minutes to read.
    await truncate(join(folder.path, 'drafts', id, file), vast)
    await using draft = await (await FileBlobStore.open(folder.path)).resumeDraft(id, { offset: vast, fresh: false })
    await draft?.append(one(Buffer.from('more')))
    assert.equal(draft?.size, vast + 4)
    await draft.discard()
  })
})

describe('file: after a crash', () => {
  it('what a killed writer left is no blob, and its draft goes on in the next process', async () => {
    await using folder = await temporaryFolder()
    const id = randomUUID()
    const content = randomBytes(300_000)
    const killed = await (await FileBlobStore.open(folder.path)).createDraft(id)
    await killed.append(one(content.subarray(0, 200_000)))

    const store = await FileBlobStore.open(folder.path)
    assert.equal(await store.stat(digestOfBytes(content.subarray(0, 200_000))), undefined)
    assert.deepEqual(await blobsIn(folder.path), [])
    await using draft = await store.resumeDraft(id, { offset: 200_000, fresh: true })
    assert(draft)
    await draft.append(one(content.subarray(200_000)))
    await draft.commit([digestOfBytes(content)])
    assert.deepEqual(await blobsIn(folder.path), [digestHex(digestOfBytes(content))])
    await killed.close()
  })

  it('a copy that a taker did not finish does not stand in for the whole', async () => {
    await using folder = await temporaryFolder()
    const store = await FileBlobStore.open(folder.path)
    const id = randomUUID()
    const content = randomBytes(100_000)
    {
      await using draft = await store.createDraft(id)
      await draft.append(one(content))
    }
    const drafts = join(folder.path, 'drafts', id)
    const [file] = await readdir(drafts)
    assert(file)
    await copyFile(join(drafts, file), join(drafts, '7-0123456789ab'))
    await truncate(join(drafts, '7-0123456789ab'), 40_000)

    await using draft = await (await FileBlobStore.open(folder.path)).resumeDraft(id, { offset: 100_000, fresh: false })
    assert(draft)
    assert.equal(draft.size, 100_000)
    assert.equal((await readdir(drafts)).length, 1)
    await draft.commit([digestOfBytes(content)])
    assert.deepEqual(await readdir(join(folder.path, 'drafts')), [])
  })

  it('what a power loss brought back of an earlier holder does not stand in for what came later', async () => {
    await using folder = await temporaryFolder()
    const id = randomUUID()
    const [earlier, later] = [randomBytes(90_000), randomBytes(60_000)]
    const drafts = join(folder.path, 'drafts', id)
    const store = await FileBlobStore.open(folder.path)
    await mkdir(drafts)
    await writeFile(join(drafts, '9-0123456789ab'), earlier)
    await writeFile(join(drafts, '10-ba9876543210'), later)

    await using draft = await store.resumeDraft(id, { offset: 60_000, fresh: true })
    assert(draft)
    await draft.commit([digestOfBytes(later)])
    assert.deepEqual(await readdir(join(folder.path, 'drafts')), [])
  })

  it('a draft whose folder was made and nothing else is no draft, and its id can be used', async () => {
    await using folder = await temporaryFolder()
    const store = await FileBlobStore.open(folder.path)
    const id = randomUUID()
    await mkdir(join(folder.path, 'drafts', id))
    assert.equal(await store.resumeDraft(id, { offset: 0, fresh: false }), undefined)
    await (await store.createDraft(id)).discard()
  })

  it('bytes that a power loss changed are found out at commit', async () => {
    await using folder = await temporaryFolder()
    const id = randomUUID()
    const content = randomBytes(100_000)
    {
      await using draft = await (await FileBlobStore.open(folder.path)).createDraft(id)
      await draft.append(one(content))
    }
    const [file] = await readdir(join(folder.path, 'drafts', id))
    await writeFile(join(folder.path, 'drafts', id, file ?? ''), Buffer.alloc(100_000))
    await using draft = await (await FileBlobStore.open(folder.path)).resumeDraft(id, { offset: 100_000, fresh: false })
    await assert.rejects(draft?.commit([digestOfBytes(content)]) ?? Promise.resolve(), { code: 'DigestMismatch' })
    assert.deepEqual(await blobsIn(folder.path), [])
  })
})

describe('file: a damaged blob', () => {
  it('that lost bytes while it was open never passes for whole', async () => {
    await using folder = await temporaryFolder()
    const store = await FileBlobStore.open(folder.path)
    const content = randomBytes(3_000_000)
    const digest = digestOfBytes(content)
    await put(store, content)
    await using reader = await store.open(digest)
    assert(reader)
    await truncate(join(folder.path, 'sha256', digestHex(digest).slice(0, 2), digestHex(digest)), 2_000_000)
    const destination = new PassThrough().resume()
    await assert.rejects(reader.sendTo(destination), /ends at byte 2000000/)
    assert.equal(destination.writableEnded, false)
  })

  it('is healed by whoever pushes it again, also when its folder is gone', async () => {
    await using folder = await temporaryFolder()
    const store = await FileBlobStore.open(folder.path)
    const content = randomBytes(1_000)
    const digest = digestOfBytes(content)
    await put(store, content)
    await truncate(join(folder.path, 'sha256', digestHex(digest).slice(0, 2), digestHex(digest)), 10)
    await put(store, content)
    assert.equal((await store.stat(digest))?.sizeBytes, 1_000)
    await rm(join(folder.path, 'sha256', digestHex(digest).slice(0, 2)), { recursive: true })
    await put(store, content)
    assert.equal((await store.stat(digest))?.sizeBytes, 1_000)
  })
})

describe('file: a full disk', { skip: process.getuid?.() !== 0 && 'only root may mount a small file system' }, () => {
  it('refuses the bytes with ENOSPC, keeps what was there, and serves again when there is room', async (t) => {
    await using folder = await temporaryFolder()
    try {
      await run('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder.path])
    } catch (error) {
      t.skip(`this machine lets nobody mount: ${error}`)
      return
    }
    try {
      await fillDisk(folder.path)
    } finally {
      await run('umount', [folder.path])
    }
  })
})

async function fillDisk(root: string): Promise<void> {
  const store = await FileBlobStore.open(root)
  const [old, content] = [randomBytes(2_000_000), randomBytes(5_000_000)]
  await put(store, old)
  const id = randomUUID()
  {
    await using draft = await store.createDraft(id)
    await draft.append(one(content.subarray(0, 1_000_000)))
    await assert.rejects(draft.append(many(content.subarray(1_000_000))), { code: 'ENOSPC' })
    assert(draft.size >= 1_000_000 && draft.size < 4_200_000, `${draft.size} bytes were kept`)
    await assert.rejects(draft.commit([digestOfBytes(content)]), { code: 'DigestMismatch' })
    await assert.rejects(draft.append(many(randomBytes(4_000_000))), { code: 'ENOSPC' })
  }
  assert.deepEqual(await blobsIn(root), [digestHex(digestOfBytes(old))])

  await store.delete(digestOfBytes(old))
  await using draft = await store.resumeDraft(id, { offset: 1_000_000, fresh: false })
  await draft?.append(many(content.subarray(1_000_000)))
  await draft?.commit([digestOfBytes(content)])
  assert.equal((await store.stat(digestOfBytes(content)))?.sizeBytes, content.length)
  assert.deepEqual(await readdir(join(root, 'drafts')), [])
}

it('file: is ready as long as its folder is there', async () => {
  await using folder = await temporaryFolder()
  const store = await FileBlobStore.open(join(folder.path, 'blobs'))
  await store.check()
  await rm(folder.path, { recursive: true })
  await assert.rejects(store.check(), { code: 'ENOENT' })
})

function digestOfBytes(content: Uint8Array): Digest {
  return digestOf('sha256', createHash('sha256').update(content).digest('hex'))
}

async function put(store: FileBlobStore, content: Uint8Array): Promise<void> {
  await using draft = await store.createDraft(randomUUID())
  await draft.append(one(content))
  await draft.commit([digestOfBytes(content)])
}

/** Names of all files that could be taken for blobs. */
async function blobsIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('drafts')).map((entry) => entry.name)
}

async function* one(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content
}

async function* many(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.length; start += 65_536) yield content.subarray(start, start + 65_536)
}
