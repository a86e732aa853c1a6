// `lading serve`: prepares the deployment once, serves by one process or by several, and stops gracefully on SIGTERM,
// SIGINT and SIGHUP. A start that fails for a reason outside the program says it in one line. What it stores is its user's alone.

import cluster from 'node:cluster'
import { once } from 'node:events'
import { flushCompileCache } from 'node:module'
import type { Logger } from 'pino'
import { listeningUrl } from '#config/listening-url.ts'
import { openSetting } from '#config/open-setting.ts'
import type { Settings } from '#config/settings.ts'
import { feedFromPrimary } from '#http/connection-feed.ts'
import { maxConnectionsOf } from '#http/connections.ts'
import { createLog } from '#http/log.ts'
import { listenForWorkers } from '#http/primary-listener.ts'
import { descriptorLimit } from '#lib/descriptor-limit.ts'
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
  process.umask(0o077)
  const log = createLog({ level: settings.log })
  process.on('uncaughtExceptionMonitor', (err) => log.fatal({ err }, 'crashed'))
  if (cluster.isWorker) await serveAsWorker(settings, log)
  else await serveAsPrimary(settings, log)
}

/** AWS makes secrets of 40 characters. A recorded signature lets an attacker guess at a shorter one offline. */
const shortSecretLength = 20

async function serveAsPrimary(settings: Settings, log: Logger): Promise<void> {
  const { rootKey } = settings
  if (rootKey !== undefined && rootKey.secretAccessKey.length < shortSecretLength)
    log.warn(
      { shorterThan: shortSecretLength },
      'the root secret access key is short: anyone who records a request can guess it',
    )
  // A given key before it listens, so that whoever finds it ready can sign. One to generate afterwards: nobody knows it yet,
  // and if it cannot listen, none is stored, so that the start that does serve still makes it and shows it.
  const given = settings.rootKey && (await prepare(settings, log))
  const serving = settings.workers === 1 ? await startApp(settings, log) : await serveByWorkers(settings, log)
  const root = given ?? (await prepare(settings, log))
  if (root.first || root.generated) process.stdout.write(greeting({ ...settings, root, url: serving.url }))
  // Before it says that it serves, for whoever reads that may send a signal at once.
  stopOnSignal(serving, log)
  process.stdout.write(`Lading serves ${serving.url}\n`)
  log.info({ url: serving.url, workers: settings.workers }, 'serving')
  // A server may run for months and then be killed: what it compiled must be on disk for the next start.
  setImmediate(flushCompileCache)
}

async function serveByWorkers(settings: Settings, log: Logger): Promise<Serving> {
  const workers = await startWorkers({
    count: settings.workers,
    log,
    mostWaiting: maxConnectionsOf(descriptorLimit()),
    listen: (onConnection) =>
      openSetting(settings, 'listen', () => listenForWorkers({ ...settings.listen, log, onConnection })),
  })
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
  const serving = await startApp(settings, log, { feed: feedFromPrimary() })
  void stopRequested.then(() => stopAndExit(serving, log))
}

/** npm forwards the SIGINT that its child has had from the terminal already, so a signal so soon is the same one. */
const sameSignalMs = 500

function stopOnSignal(serving: Serving, log: Logger): void {
  let stoppingSince: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
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
  // Where a launcher handed over to this process, the channel to it ends with it, perhaps while this one starts.
  const followLauncher = () => process.kill(process.pid, 'SIGTERM')
  if (process.connected === false) followLauncher()
  else process.once('disconnect', followLauncher)
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
