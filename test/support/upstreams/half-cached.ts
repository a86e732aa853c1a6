/** What a fetch from an upstream leaves in a database and in the folder of blobs until it ends. */
import { readdir } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { loadSettings } from '#config/load.ts'
import type { RunningServer } from '#test/support/server.ts'
import { until } from '#test/support/until.ts'

/** Waits until no transfer, upload, claim or draft is left. Of a server on SQLite. */
export async function nothingHalfCached(server: RunningServer): Promise<void> {
  const { database } = loadSettings({ flags: {}, environment: server.environment })
  // Without a write, which would wait for the server or make it wait.
  using db = new DatabaseSync(database.slice('sqlite:'.length), { readOnly: true, timeout: 5_000 })
  const left = ['incoming_blob', 'upload', 'claim'].map((table) => db.prepare(`select count(*) as rows from ${table}`))
  await until(async () => left.every((count) => count.get()?.rows === 0) && (await draftsOf(server)).length === 0)
}

async function draftsOf({ dataDir }: RunningServer): Promise<string[]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true })
  return entries.filter((each) => each.isFile() && each.parentPath.includes('/drafts')).map(({ name }) => name)
}
