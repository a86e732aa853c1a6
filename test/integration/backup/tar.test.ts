import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { blobName, digestOfName } from '#backup/format.ts'
import { tarTarget } from '#backup/tar.ts'
import { parseHeader, printHeader } from '#backup/tar-header.ts'
import { type DigestAlgorithm, digestOf } from '#names/digest.ts'
import { run } from '#test/support/run.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const digest = fc
  .tuple(fc.constantFrom<DigestAlgorithm>('sha256', 'sha512'), fc.string())
  .map(([algorithm, text]) => digestOf(algorithm, createHash(algorithm).update(text).digest('hex')))

test('a header tells the name and the size that were written, of any blob and of up to 2^53 bytes', () => {
  fc.assert(
    fc.property(digest, fc.maxSafeNat(), (blob, sizeBytes) => {
      const name = blobName(blob)
      assert.deepEqual(parseHeader(printHeader(name, sizeBytes, 1_795_000_000)), { name, sizeBytes })
      assert.equal(digestOfName(name), blob)
    }),
  )
  assert.equal(parseHeader(Buffer.alloc(512)), undefined)
  const altered = printHeader('backup.json', 3, 0)
  altered[0] = 0x78
  assert.equal(parseHeader(altered), undefined)
})

test('an archive is one that tar reads, and that has its name only once it is whole', async () => {
  await using folder = await temporaryFolder()
  const archive = join(folder.path, 'one.tar')
  const long = blobName(digestOf('sha512', 'ab'.repeat(64)))
  {
    await using target = await tarTarget(archive)
    await target.write('database/run/000001-account.jsonl', Buffer.from('{}\n'))
    assert.equal(Buffer.from(await target.read('database/run/000001-account.jsonl')).toString(), '{}\n')
    async function* chunks() {
      yield Buffer.alloc(500, 'a')
      yield Buffer.alloc(500, 'b')
    }
    await target.writeBlob(long, 1_000, chunks(), () => true)
    await assert.rejects(readFile(archive), { code: 'ENOENT' })
    await target.commit(Buffer.from('{}'), 'run')
  }
  const unpacked = join(folder.path, 'unpacked')
  await mkdir(unpacked)
  await run('tar', ['-xf', archive, '-C', unpacked])
  assert.equal(await readFile(join(unpacked, long), 'utf8'), 'a'.repeat(500) + 'b'.repeat(500))
  await writeFile(join(folder.path, 'two.tar'), '')
  await assert.rejects(tarTarget(join(folder.path, 'two.tar')), { code: 'BackupPlaceTaken' })
})
