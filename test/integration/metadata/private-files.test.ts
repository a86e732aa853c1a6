/** The embedded database's files, which hold every secret. */
import assert from 'node:assert/strict'
import { chmod, copyFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openMetadata } from '#metadata/open.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

async function modesIn(folder: string): Promise<Record<string, number>> {
  const modes: Record<string, number> = {}
  for (const name of await readdir(folder)) modes[name] = (await stat(join(folder, name))).mode & 0o777
  return modes
}

const allPrivate = { 'lading.db': 0o600, 'lading.db-wal': 0o600, 'lading.db-shm': 0o600 }

test('the database, its log and its index are for their owner alone, also those that others could read', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'lading.db')
  const first = await openMetadata(`sqlite:${path}`, assert.fail)
  assert.deepEqual(await modesIn(folder.path), allPrivate)

  // What a process that was killed leaves behind: the log and the index are there, and nobody has them open.
  await using left = await temporaryFolder()
  for (const name of Object.keys(allPrivate)) {
    await copyFile(join(folder.path, name), join(left.path, name))
    await chmod(join(left.path, name), 0o644)
  }
  await first.close()
  const second = await openMetadata(`sqlite:${join(left.path, 'lading.db')}`, assert.fail)
  assert.deepEqual(await modesIn(left.path), allPrivate)
  await second.close()
})
