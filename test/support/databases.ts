/**
 * Fresh databases for tests, of each dialect: SQLite in a temporary folder, and databases of a real PostgreSQL: the one
 * that a whole run shares (`whole-run.ts`), or one that this process starts. The process's last hook removes everything.
 * A PostgreSQL that cannot start fails the test that needs it. `LADING_TEST_DATABASES=sqlite,postgres` says which are used.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import pg from 'pg'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { startTestPostgres, type TestPostgres, template } from './postgres.ts'

export type Dialect = 'sqlite' | 'postgres'

export interface Databases {
  readonly dialect: Dialect
  /** A database that nobody has used, as a value of `LADING_DATABASE`. On PostgreSQL it has the schema. */
  url(): Promise<string>
  /** One without the schema. */
  emptyUrl(): Promise<string>
  /** A store over `url`, by default a fresh one; closed after the test. */
  open(t: TestContext, url?: string): Promise<Metadata>
}

/** Runs one body of tests for each dialect. For tests of locking, of the text of queries or of paging. */
export function eachDatabase(body: (databases: Databases) => void): void {
  runOn(process.env.LADING_TEST_DATABASES ?? 'sqlite,postgres', body)
}

/** The same where the database is not the subject: `npm test` runs them on SQLite alone, and CI on each. */
export function eachDatabaseInCi(body: (databases: Databases) => void): void {
  runOn(process.env.LADING_TEST_DATABASES ?? 'sqlite', body)
}

function runOn(wanted: string, body: (databases: Databases) => void): void {
  const dialects = wanted.split(',')
  if (dialects.includes('sqlite')) body(databasesOf('sqlite', sqliteUrl, sqliteUrl))
  if (dialects.includes('postgres')) body(databasesOf('postgres', postgresUrl, emptyPostgresUrl))
}

function databasesOf(dialect: Dialect, url: () => Promise<string>, emptyUrl: () => Promise<string>): Databases {
  return {
    dialect,
    url,
    emptyUrl,
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

let ownServer: Promise<TestPostgres> | undefined
let sharedServer: Promise<string> | undefined
const databases: string[] = []

async function serverUrl(): Promise<string> {
  const { LADING_TEST_SERVICES: services } = process.env
  if (services !== undefined) {
    sharedServer ??= askFor(services)
    return sharedServer
  }
  ownServer ??= startTestPostgres()
  return (await ownServer).url
}

async function askFor(services: string): Promise<string> {
  const answer = await fetch(services)
  const body = await answer.text()
  if (!answer.ok) throw new Error(body)
  return body
}

export const postgresUrl = () => createPostgresDatabase(template)
export const emptyPostgresUrl = () => createPostgresDatabase('template0')

async function createPostgresDatabase(from: string): Promise<string> {
  const server = await serverUrl()
  const name = `test_${process.pid}_${databases.length}`
  databases.push(name)
  await onServer(server, (client) => client.query(`create database ${name} template ${from} strategy file_copy`))
  return `${server}/${name}`
}

async function onServer(server: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client(`${server}/postgres`)
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

after(async () => {
  if (ownServer !== undefined) {
    const [started] = await Promise.allSettled([ownServer])
    if (started.status === 'fulfilled') await started.value.stop()
  } else if (databases.length > 0) {
    await onServer(await serverUrl(), async (client) => {
      for (const name of databases) await client.query(`drop database if exists ${name} with (force)`)
    })
  }
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
})
