/**
 * What all files of a run share: a PostgreSQL. It starts when the first file asks this process for it, over HTTP at the address in
 * `LADING_TEST_SERVICES`.
 */
import { createServer, type Server } from 'node:http'
import { startTestPostgres, type TestPostgres } from './postgres.ts'

let services: Server | undefined
let postgres: Promise<TestPostgres> | undefined

export async function globalSetup(): Promise<void> {
  const server = createServer((_request, response) => {
    postgres ??= startTestPostgres()
    postgres.then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  process.env.LADING_TEST_SERVICES = `http://127.0.0.1:${address.port}`
  services = server
}

export async function globalTeardown(): Promise<void> {
  services?.closeAllConnections()
  services?.close()
  await (await postgres)?.stop()
}
