// Several processes behind one listening socket (node:cluster). This is the primary: it starts the workers, replaces
// those that die, each time later, and stops them all. It serves nothing itself.

import cluster from 'node:cluster'
import { once } from 'node:events'
import type { Logger } from 'pino'

export interface Workers {
  /** The port that they share. */
  readonly port: number
  /** Lets each end what it serves. Resolves when the last has exited. */
  stop(): Promise<void>
}

/** A worker that lived for so long was sound: its successor comes at once. */
const soundAfterMs = 30_000
const longestDelayMs = 10_000

/** Resolves when the first worker listens. If that one ends before, having said why, so does this process. */
export async function startWorkers({ count, log }: { count: number; log: Logger }): Promise<Workers> {
  let stopping = false
  const { promise: firstPort, resolve: listens } = Promise.withResolvers<number>()
  let anyListens = false

  function start(deathsBefore: number): void {
    const worker = cluster.fork()
    const startedAt = performance.now()
    worker.once('listening', ({ port }) => {
      anyListens = true
      listens(port)
    })
    worker.once('exit', (code, signal) => {
      if (stopping) return
      if (!anyListens) process.exit(1)
      const deaths = performance.now() - startedAt > soundAfterMs ? 0 : deathsBefore + 1
      const delayMs = deaths === 0 ? 0 : Math.min(100 * 2 ** (deaths - 1), longestDelayMs)
      log.error({ worker: worker.process.pid, code, signal, delayMs }, 'a worker ended; starting another')
      setTimeout(() => stopping || start(deaths), delayMs)
    })
  }

  start(0)
  const port = await firstPort
  for (let started = 1; started < count; started++) start(0)
  return {
    port,
    async stop() {
      stopping = true
      const running = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
      // Not worker.kill(), which would first close the worker's sockets under its running requests.
      for (const worker of running) worker.process.kill('SIGTERM')
      await Promise.all(running.map((worker) => once(worker, 'exit')))
    },
  }
}
