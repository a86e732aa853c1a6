/** A process that delivers webhooks, for tests that need several or kill them: `<database>`. It prints `ready`. */
import { randomUUID } from 'node:crypto'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import { createWebhookService } from '#events/webhooks/service.ts'
import { systemClock } from '#lib/clock.ts'
import { openMetadata } from '#metadata/open.ts'
import { testBox } from './stage.ts'

const [database = ''] = process.argv.slice(2)
const metadata = await openMetadata(database, () => {}, 'current')
const service = createWebhookService({
  ...{ metadata, clock: systemClock, quotas, box: testBox, processId: randomUUID() },
  ...{ certificates: [], hosts: [{ hostname: '127.0.0.1', port: undefined }] },
  waits: { pollMs: 20, retryMs: () => 20, timeoutMs: 300, heldMs: 600 },
  onError: (error) => process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`),
  onDead: () => {},
  onGone: () => {},
})
service.start()
process.stdout.write('ready\n')
// Nothing else keeps the process.
setInterval(() => {}, 60_000)
