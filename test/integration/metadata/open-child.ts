/** Opens the store named by the first argument, says so, and leaves: one of several processes that start at once. */
import { openMetadata } from '#metadata/open.ts'

const [url = ''] = process.argv.slice(2)
const metadata = await openMetadata(url, (error) => console.error(error))
await metadata.check()
await metadata.close()
