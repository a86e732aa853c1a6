/** A primary with two workers, which block their event loop for as long as a request says. */
import cluster from 'node:cluster'
import { writeSync } from 'node:fs'
import { feedFromPrimary } from '#http/connection-feed.ts'
import { createLog } from '#http/log.ts'
import { listenForWorkers } from '#http/primary-listener.ts'
import { createServer } from '#http/server.ts'
import { startWorkers } from '#workers.ts'

const log = createLog({ level: 'info' })

if (cluster.isPrimary) {
  const listen = (onConnection: Parameters<typeof listenForWorkers>[0]['onConnection']) =>
    listenForWorkers({ host: 'localhost', port: 0, log, onConnection })
  const workers = await startWorkers({ count: 2, log, listen, mostWaiting: 100, silentSeconds: 4 })
  process.on('SIGTERM', () => void workers.stop().then(() => process.exit(0)))
  process.stdout.write(`serves ${workers.port}\n`)
} else {
  const server = createServer({ log, checks: [], limits: { headersMs: 1_000 } })
  server.app.get('/pid', async () => String(process.pid))
  server.app.get<{ Params: { ms: string } }>('/block/:ms', async ({ params }) => {
    writeSync(1, `${process.pid} blocks for ${params.ms}\n`)
    const endsAt = performance.now() + Number(params.ms)
    while (performance.now() < endsAt);
    return String(process.pid)
  })
  process.on('SIGTERM', () => void server.stop().then(() => process.exit(0)))
  await feedFromPrimary().open(await server.receive())
}
