/** What a fetch from an upstream leaves in a database and in the folder of blobs until it ends. */
import { readdir } from 'node:fs/promises'
import { loadSettings } from '#config/load.ts'
import { openMetadata } from '#metadata/open.ts'
import type { RunningServer } from '#test/support/server.ts'
import { until } from '#test/support/until.ts'

/** Waits until no transfer, upload, claim or draft is left. */
export async function nothingHalfCached(server: RunningServer): Promise<void> {
  await using metadata = await open(server)
  await until(async () => {
    for (const table of ['incoming_blob', 'upload', 'claim'] as const) {
      const row = await metadata.reader.selectFrom(table).selectAll().executeTakeFirst()
      if (row !== undefined) return false
    }
    return (await draftsOf(server)).length === 0
  })
}

async function open({ environment }: RunningServer) {
  const settings = loadSettings({ flags: {}, environment })
  const metadata = await openMetadata(settings.database, () => {})
  return { reader: metadata.reader, [Symbol.asyncDispose]: () => metadata.close() }
}

async function draftsOf({ dataDir }: RunningServer): Promise<string[]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true })
  return entries.filter((each) => each.isFile() && each.parentPath.includes('/drafts')).map(({ name }) => name)
}
