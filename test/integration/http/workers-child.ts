/**
 * A primary with two workers, which block their event loop for as long as a request says. Its arguments: after how many seconds a
 * worker that does not start is killed, a file that keeps workers from starting while it is there, and `tls` for HTTPS.
 */
import cluster from 'node:cluster'
import { existsSync, writeSync } from 'node:fs'
import { feedFromPrimary } from '#http/connection-feed.ts'
import { createLog } from '#http/log.ts'
import { listenForWorkers } from '#http/primary-listener.ts'
import { createServer } from '#http/server.ts'
import { selfSigned } from '#test/fixtures/tls/pair.ts'
import { startWorkers } from '#workers.ts'

const log = createLog({ level: 'info' })
const [startSeconds, hold = '', scheme] = process.argv.slice(2)

if (cluster.isPrimary) {
  const listen = (onConnection: Parameters<typeof listenForWorkers>[0]['onConnection']) =>
    listenForWorkers({ host: 'localhost', port: 0, log, onConnection })
  const workers = await startWorkers({
    count: 2,
    log,
    listen,
    mostWaiting: 100,
    silentSeconds: 4,
    startSeconds: Number(startSeconds),
  })
  process.on('SIGTERM', () => void workers.stop().then(() => process.exit(0)))
  process.stdout.write(`serves ${workers.port}\n`)
} else {
  if (existsSync(hold)) writeSync(1, `${process.pid} is held\n`)
  while (existsSync(hold));
  const tls = scheme === 'tls' ? selfSigned : undefined
  const server = createServer({ log, checks: [], tls, limits: { headersMs: tls === undefined ? 1_000 : 60_000 } })
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
