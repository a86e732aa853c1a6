// Several processes behind one listening socket. This is the primary: it listens and hands each connection to a worker, replaces
// workers that die or stop answering, and stops them all. It serves nothing itself.

import type { SendHandle } from 'node:child_process'
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import { beatEveryMs, type FromWorker, isOurs, type ToWorker } from '#http/connection-feed.ts'
import { Handover, type Receiver } from '#http/handover.ts'
import type { PrimaryListener } from '#http/primary-listener.ts'
import { RefusedConnections } from '#http/refused-connections.ts'

export interface Workers {
  /** The port that they share. */
  readonly port: number
  /** Lets each end what it serves. Resolves when the last has exited. */
  stop(): Promise<void>
}

export interface WorkersOptions {
  readonly count: number
  readonly log: Logger
  /** Called once the first worker is ready. */
  readonly listen: (onConnection: (socket: Socket) => void) => Promise<PrimaryListener>
  /** So many connections may wait for workers. */
  readonly mostWaiting: number
  /** A worker is killed after so many seconds without a turn of its event loop. No request is meant to hold one that long. */
  readonly silentSeconds?: number
  /** A worker that is not ready after so many seconds is killed, unless it is the first, which may migrate the database. */
  readonly startSeconds?: number
}

/** A worker that lived for so long was sound: its successor starts at once. */
const soundAfterMs = 30_000
const longestDelayMs = 10_000
const defaultSilentSeconds = 20
const defaultStartSeconds = 60
const lastWordsMs = 100

/** Resolves when the first worker is ready and the primary listens. If that worker ends before, this process ends too. */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const { count, log, listen, mostWaiting } = options
  const { silentSeconds = defaultSilentSeconds, startSeconds = defaultStartSeconds } = options
  const handover = new Handover(mostWaiting, new RefusedConnections(log))
  let stopping = false
  let listener: PrimaryListener | undefined
  /** Not `cluster.workers`, which keeps one that was killed with a handle on its way. */
  const running = new Set<Worker>()
  /** Of these, those that serve nothing yet. */
  const starting = new Set<Worker>()
  const { promise: firstReady, resolve: isReady } = Promise.withResolvers<void>()
  const { promise: listening, resolve: listens } = Promise.withResolvers<PrimaryListener>()

  function start(deathsBefore: number): void {
    const worker = cluster.fork()
    running.add(worker)
    starting.add(worker)
    const startedAt = performance.now()
    const receiver: Receiver = {
      send: (message, handle, done) => void worker.process.send(message, handle as SendHandle, undefined, done),
    }
    let missedBeats = 0

    // Turns of this process are counted, not time: where the whole machine was held up, no worker is to blame.
    const watch = setInterval(() => {
      if (listener === undefined) return
      missedBeats++
      const isStarting = starting.has(worker)
      if (missedBeats < (isStarting ? startSeconds : silentSeconds)) return
      clearInterval(watch)
      const facts = { worker: worker.process.pid, ...(isStarting ? { startSeconds } : { silentSeconds }) }
      log.error(
        facts,
        isStarting ? 'a worker did not start, and is killed' : 'a worker stopped answering, and is killed',
      )
      worker.process.kill('SIGKILL')
    }, beatEveryMs)

    async function open(): Promise<void> {
      starting.delete(worker)
      missedBeats = 0
      isReady()
      const { port } = await listening
      worker.process.send({ lading: 'listening', port } satisfies ToWorker, undefined, undefined, () => {})
      handover.add(receiver)
    }

    worker.on('message', (message: unknown) => {
      if (!isOurs<FromWorker>(message)) return
      if (message.lading === 'ready') void open()
      else if (message.lading === 'taken') handover.taken(receiver, message.id)
      else missedBeats = 0
    })
    worker.once('exit', (code, signal) => {
      clearInterval(watch)
      running.delete(worker)
      starting.delete(worker)
      handover.retire(receiver)
      // Node announces no end of the channel while a handle is on its way. What the worker said before its end comes meanwhile.
      setTimeout(() => handover.remove(receiver), lastWordsMs)
      if (stopping) return
      if (listener === undefined) process.exit(1)
      const deaths = performance.now() - startedAt > soundAfterMs ? 0 : deathsBefore + 1
      const delayMs = deaths === 0 ? 0 : Math.min(100 * 2 ** (deaths - 1), longestDelayMs)
      log.error({ worker: worker.process.pid, code, signal, delayMs }, 'a worker ended; starting another')
      setTimeout(() => stopping || start(deaths), delayMs)
    })
  }

  start(0)
  await firstReady
  const opened = await listen((socket) => handover.accept(socket))
  listener = opened
  listens(opened)
  for (let started = 1; started < count; started++) start(0)
  return {
    port: opened.port,
    async stop() {
      stopping = true
      opened.close()
      handover.close()
      const ended = Promise.all([...running].map((worker) => once(worker, 'exit')))
      // Not worker.kill(), which would first close the worker's sockets under its running requests.
      for (const worker of running) worker.process.kill(starting.has(worker) ? 'SIGKILL' : 'SIGTERM')
      await ended
    },
  }
}
