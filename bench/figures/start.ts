import { answers } from '../harness/distribution.ts'
import type { Limit } from '../harness/figure.ts'
import { freePort } from '../harness/free-port.ts'
import { startLadingProcess } from '../harness/lading.ts'

/** From the command to an answer of `/readyz`, on an empty data folder. */
export const start: Limit = {
  name: 'start',
  title: 'start to /readyz, empty folder',
  unit: 's',
  atMost: 1,
  measure: () => secondsToReady({}),
}

/** What Node's compile cache saves: a start with a full cache, against one without a cache. */
export const startWithCache: Limit = {
  name: 'start-with-cache',
  title: 'start to /readyz with the compile cache, against without',
  unit: '×',
  atMost: 0.7,
  async measure() {
    await fillCache()
    const cached = await secondsToReady({})
    return cached / (await secondsToReady({ NODE_DISABLE_COMPILE_CACHE: '1' }))
  },
}

async function secondsToReady(environment: Record<string, string>): Promise<number> {
  const port = await freePort()
  const startedAt = performance.now()
  await using server = await startLadingProcess(port, { environment })
  await server.until(() => answers(`http://127.0.0.1:${port}/readyz`))
  return (performance.now() - startedAt) / 1000
}

/** A server writes the cache once it serves: a stop by its own signal waits for that. */
async function fillCache(): Promise<void> {
  const port = await freePort()
  await using server = await startLadingProcess(port)
  await server.until(() => answers(`http://127.0.0.1:${port}/readyz`))
  process.kill(server.pid, 'SIGTERM')
  await server.ended()
}
