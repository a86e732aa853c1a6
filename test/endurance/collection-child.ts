/** Collects in a process of its own, which `collection-crash.test.ts` kills: `<database> <folder of blobs>`. */
import { FileBlobStore } from '#blobs/file.ts'
import { openMetadata } from '#metadata/open.ts'
import { createCollectionWorkers } from '#registry/collection/jobs.ts'

const [database = '', root = ''] = process.argv.slice(2)
const metadata = await openMetadata(database, () => {}, 'current')
const blobs = await FileBlobStore.open(root)
// Nothing is too young for it.
const clock = () => Date.now() + 25 * 3_600_000
const workers = createCollectionWorkers({ metadata, blobs, clock, gcGraceHours: 24, uploadExpiryHours: 24 })
process.stdout.write('begins\n')
const { signal } = new AbortController()
for (;;) for (const { work } of workers) await work({}, { signal })
