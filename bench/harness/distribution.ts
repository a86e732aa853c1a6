/**
 * The peer: CNCF Distribution as Debian packages it (`docker-registry`), with the cache of Debian's own configuration. It asks
 * nobody who they are, writes no access log and fsyncs nothing, each of which is to its advantage.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '#test/support/run.ts'
import { freePort } from './free-port.ts'
import { type Server, startProcess } from './server.ts'

export const distributionProgram = 'docker-registry'

export async function startDistribution(): Promise<Server> {
  const port = await freePort()
  await using started = new AsyncDisposableStack()
  const process = started.use(
    await startProcess(async (folder) => {
      const path = join(folder, 'config.yml')
      await writeFile(path, configuration(port, join(folder, 'data')))
      return { program: findProgram(distributionProgram) ?? distributionProgram, args: ['serve', path], env: {} }
    }),
  )
  await process.until(() => answers(`http://127.0.0.1:${port}/v2/`))
  const running = started.move()
  const server: Server = {
    name: 'Distribution',
    port,
    pid: process.pid,
    password: undefined,
    // A repository begins with its first push.
    createRepository: async () => {},
    asUser: async () => server,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
  return server
}

function configuration(port: number, folder: string): string {
  return `version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: ${JSON.stringify(folder)}
http:
  addr: 127.0.0.1:${port}
`
}

/** `true` if the URL answers 200. */
export async function answers(url: string): Promise<true | undefined> {
  const response = await fetch(url).catch(() => undefined)
  await response?.arrayBuffer()
  return response?.ok ? true : undefined
}
