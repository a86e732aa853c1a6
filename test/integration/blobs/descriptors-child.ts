/** Opens files until the process may open no more, and prints what the check of a store then says. */
import { openSync } from 'node:fs'
import { FileBlobStore } from '#blobs/file.ts'

const [, , folder = ''] = process.argv
const store = await FileBlobStore.open(folder)
const before = await store.check().then(
  () => 'works',
  () => 'fails',
)
try {
  for (;;) openSync(folder, 'r')
} catch (error) {
  const code = await store.check().then(
    () => 'works',
    (reason: NodeJS.ErrnoException) => reason.code,
  )
  process.stdout.write(`${(error as NodeJS.ErrnoException).code} ${before} ${code}`)
}
