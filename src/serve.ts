// `lading serve`: prepares the deployment once, serves by one process or by several, and stops gracefully on SIGTERM
// and SIGINT. A start that fails for a reason outside the program says it in one line.

import cluster from 'node:cluster'
import { once } from 'node:events'
import type { Logger } from 'pino'
import { listeningUrl } from '#config/listening-url.ts'
import { SettingError } from '#config/setting-error.ts'
import type { Settings } from '#config/settings.ts'
import { createLog } from '#http/log.ts'
import { prepare, startApp } from './app.ts'
import { greeting } from './greeting.ts'
import { startWorkers } from './workers.ts'

/** What serves: this process, or the workers it started. */
interface Serving {
  readonly url: string
  stop(): Promise<void>
}

/** Resolves once it serves; ends the process when a signal asks it to stop. @throws SettingError if it cannot start */
export async function serve(settings: Settings): Promise<void> {
  const log = createLog({ level: settings.log })
  process.on('uncaughtExceptionMonitor', (err) => log.fatal({ err }, 'crashed'))
  try {
    if (cluster.isWorker) await serveAsWorker(settings, log)
    else await serveAsPrimary(settings, log)
  } catch (error) {
    throw startError(error, settings)
  }
}

async function serveAsPrimary(settings: Settings, log: Logger): Promise<void> {
  const rootKey = await prepare(settings, log)
  const greet = (url: string) => rootKey && process.stdout.write(greeting({ ...settings, rootKey, url }))
  // Before it listens, for a port that is taken must not swallow a key that is shown only once.
  if (settings.publicUrl) greet(settings.publicUrl)
  const serving = settings.workers === 1 ? await startApp(settings, log) : await serveByWorkers(settings, log)
  if (!settings.publicUrl) greet(serving.url)
  // Before it says that it serves, for whoever reads that may send a signal at once.
  stopOnSignal(serving, log)
  process.stdout.write(`Lading serves ${serving.url}\n`)
  log.info({ url: serving.url, workers: settings.workers }, 'serving')
}

async function serveByWorkers(settings: Settings, log: Logger): Promise<Serving> {
  const workers = await startWorkers({ count: settings.workers, log })
  const listen = { ...settings.listen, port: workers.port }
  return {
    url: settings.publicUrl ?? listeningUrl(listen, settings.tls ? 'https' : 'http'),
    stop: () => workers.stop(),
  }
}

async function serveAsWorker(settings: Settings, log: Logger): Promise<void> {
  // A terminal sends SIGINT to workers as well; the primary decides, and sends SIGTERM, perhaps while this one starts.
  process.on('SIGINT', () => {})
  const stopRequested = once(process, 'SIGTERM')
  const serving = await startApp(settings, log)
  void stopRequested.then(() => stopAndExit(serving, log))
}

/** npm forwards the SIGINT that its child has had from the terminal already, so a signal so soon is the same one. */
const sameSignalMs = 500

function stopOnSignal(serving: Serving, log: Logger): void {
  let stoppingSince: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stoppingSince === undefined) {
        stoppingSince = performance.now()
        log.info({ signal }, 'stopping')
        void stopAndExit(serving, log)
      } else if (performance.now() - stoppingSince > sameSignalMs) {
        log.warn({ signal }, 'stopping at once')
        process.exit(1)
      }
    })
  }
}

async function stopAndExit(serving: Serving, log: Logger): Promise<void> {
  try {
    await serving.stop()
    log.info('stopped')
    process.exit(0)
  } catch (err) {
    log.fatal({ err }, 'could not stop in order')
    process.exit(1)
  }
}

/** A failure of the system or the database has a code and is the operator's to mend; any other is ours, and crashes. */
function startError(error: unknown, { listen: { host, port } }: Settings): unknown {
  if (!(error instanceof Error && 'code' in error) || error instanceof TypeError) return error
  // A worker's socket is bound by the primary, which reports the other call.
  const listening = 'syscall' in error && (error.syscall === 'listen' || error.syscall === 'bind')
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const line = listening
    ? `cannot listen on ${address} (${error.code}): expected a free address and port of this machine`
    : `cannot start: ${error.message || error.code}`
  return new SettingError(line.replaceAll('\n', ' '), { cause: error })
}
