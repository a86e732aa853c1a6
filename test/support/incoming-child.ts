/**
 * A process that serves blobs from elsewhere, for tests that need several or kill them: `<database> <folder of blobs> <URL of the source>`.
 * `GET /<digest>/<size>` answers with the blob while it arrives, `GET /usage` with what the process has used. It prints its port.
 */

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FileBlobStore } from '#blobs/file.ts'
import { ecrQuotas } from '#config/quotas.ts'
import { systemClock } from '#lib/clock.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseDigest } from '#names/digest.ts'
import { createIncomingBlobs } from '#registry/incoming/incoming-blobs.ts'
import type { BlobSource } from '#registry/incoming/source.ts'
import { repositoryKey } from './incoming.ts'

const [database = '', folder = '', sourceUrl = ''] = process.argv.slice(2)
const metadata = await openMetadata(database, () => {}, 'current')
const blobs = await FileBlobStore.open(folder)
const processId = randomUUID()
const incoming = createIncomingBlobs({ metadata, blobs, quotas: ecrQuotas, clock: systemClock, processId, pauseMs: 50 })

const source: BlobSource = async (offset, signal) => {
  const request = http.get(sourceUrl, { signal, headers: { range: `bytes=${offset}-` } })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 206) throw new Error(`the source answers ${response.statusCode}`)
  const sizeBytes = Number(response.headers['content-range']?.split('/')[1])
  return { offset, sizeBytes, body: response }
}

async function answer({ url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
  if (url === '/usage') {
    const { user, system } = process.cpuUsage()
    response.end(JSON.stringify({ cpuMs: (user + system) / 1000, maxRssMib: await peakMib() }))
    return
  }
  const [, digest = '', size] = url.split('/')
  await using reader = await incoming.open(
    repositoryKey,
    { digest: parseDigest(digest), sizeBytes: size === undefined ? undefined : Number(size) },
    source,
  )
  response.writeHead(200, { 'content-length': reader.sizeBytes })
  await reader.sendTo(response)
  response.end()
}

/** Not `resourceUsage().maxRSS`, which begins with what the parent had. */
async function peakMib(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

const server = http.createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    if (!response.headersSent) response.writeHead(502).end(String(error))
    else response.destroy()
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`)
