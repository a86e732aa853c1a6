/** What `npm test` starts once for all files, where it runs them all: a PostgreSQL, which each of them would otherwise start for itself. */
import { startTestPostgres, type TestPostgres } from './postgres.ts'

let server: TestPostgres | undefined

export async function globalSetup(): Promise<void> {
  server = await startTestPostgres()
  process.env.LADING_TEST_POSTGRES = server.url
}

export async function globalTeardown(): Promise<void> {
  await server?.stop()
}
