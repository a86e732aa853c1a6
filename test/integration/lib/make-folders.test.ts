/** Folders with their ancestors, or an error; never a call that does not end. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolders } from '#lib/make-folders.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

test('all that is missing is made, for its owner alone, and the topmost of it answered', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a', 'b', 'c')
  assert.equal(await makeFolders(path), join(folder.path, 'a'))
  for (const made of ['a', 'a/b', 'a/b/c']) assert.equal((await stat(join(folder.path, made))).mode & 0o777, 0o700)
  assert.equal(await makeFolders(path), undefined)
})

test('makers of the same folders at once all succeed', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a', 'b', 'c')
  await Promise.all([1, 2, 3, 4, 5].map(() => makeFolders(path)))
  assert.ok((await stat(path)).isDirectory())
})

test('a file or a dangling link in the way is an error', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'file')
  await writeFile(path, '')
  await assert.rejects(makeFolders(path), { code: 'EEXIST' })
  await assert.rejects(makeFolders(join(path, 'below')), { code: 'ENOTDIR' })
  await symlink('nowhere', join(folder.path, 'link'))
  await assert.rejects(makeFolders(join(folder.path, 'link', 'below')), { code: 'EEXIST' })
})

test('a file system that refuses new names as if they were missing is an error', {
  skip: !existsSync('/proc/self') && 'no /proc here',
  timeout: 10_000,
}, async () => {
  await assert.rejects(makeFolders('/proc/lading/data'), { code: 'ENOENT' })
})
