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
  async measure() {
    const port = await freePort()
    const startedAt = performance.now()
    await using process = await startLadingProcess(port)
    await process.until(() => answers(`http://127.0.0.1:${port}/readyz`))
    return (performance.now() - startedAt) / 1000
  },
}
