/**
 * Many clients want one large blob from elsewhere at once, over two processes. `LADING_TEST_INCOMING_MIB` is its size,
 * `LADING_TEST_INCOMING_CLIENTS` how many clients there are, `LADING_TEST_INCOMING_PROCESSES` how many processes.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBlobSource } from '#test/support/blob-source.ts'
import { eachDatabase } from '#test/support/databases.ts'
import { pullAndDiscard } from '#test/support/discarding-client.ts'
import { digestOfBytes, openIncoming } from '#test/support/incoming.ts'
import { startProcess } from '#test/support/serve-process.ts'

const bytes = Number(process.env.LADING_TEST_INCOMING_MIB ?? 100) * 1024 * 1024
const clients = Number(process.env.LADING_TEST_INCOMING_CLIENTS ?? 100)
const processes = Number(process.env.LADING_TEST_INCOMING_PROCESSES ?? 2)
const bytesPerSecond = 10_000_000
const program = fileURLToPath(new URL('../support/incoming-child.ts', import.meta.url))

eachDatabase((databases) => {
  test(`${clients} clients of ${processes} processes get a large blob about as soon as one would alone, on ${databases.dialect}`, async (t) => {
    const content = randomBytes(bytes)
    await using source = await startBlobSource(content, bytesPerSecond)
    const { url, folder } = await openIncoming(t, databases)
    const children = Array.from({ length: processes }, () =>
      startProcess([process.execPath, program, url, folder, source.url]),
    )
    t.after(() => Promise.all(children.map((child) => child[Symbol.asyncDispose]())))
    const ports = await Promise.all(children.map(async (child) => Number((await child.says(/^port (\d+)$/m))[1])))
    const path = `/${digestOfBytes(content)}/${bytes}`

    const began = performance.now()
    const seconds = await Promise.all(
      Array.from({ length: clients }, async (_, index) => {
        assert.equal(await pullAndDiscard(ports[index % processes] ?? 0, path), bytes)
        return (performance.now() - began) / 1000
      }),
    )
    const slowest = Math.max(...seconds)
    const alone = bytes / bytesPerSecond
    t.diagnostic(`the slowest took ${slowest.toFixed(1)} s, ${(slowest / alone).toFixed(2)} of what the source takes`)
    let most = 0
    for (const port of ports) {
      const answer = await fetch(`http://127.0.0.1:${port}/usage`)
      const { cpuMs, maxRssMib } = (await answer.json()) as { cpuMs: number; maxRssMib: number }
      t.diagnostic(`${(cpuMs / 1000).toFixed(1)} s of the processor, at most ${maxRssMib.toFixed(0)} MiB`)
      most = Math.max(most, maxRssMib)
    }
    assert.ok(most < 300, `${most} MiB`)
    assert.deepEqual(source.offsets, [0])
    assert.ok(slowest < 1.3 * alone, `${slowest} s for ${alone} s`)
  })
})
