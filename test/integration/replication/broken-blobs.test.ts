/** A blob that breaks off with its connection, at peers that keep all, some or none of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import type { RemoteUpload } from '#remote/registry.ts'
import { sendBlob } from '#replication/remote/blob-sender.ts'
import { blob, mediaTypes } from '#test/support/images/build.ts'
import { startLink } from '#test/support/peers/link.ts'
import { startStandIn } from '#test/support/peers/stand-in.ts'
import { connectPeer } from '#test/support/upstreams/peer.ts'
import { startDistribution } from '#test/support/upstreams/registries.ts'
import { failure } from '#test/support/upstreams/remote.ts'

const name = parseRepositoryName('team/app')
const { digest: text, bytes } = blob(mediaTypes.oci.layer, Buffer.alloc(3_000_000, 'broken'))
const digest: Digest = parseDigest(text)
const pieceBytes = 65_536

/** Sends the blob. `onPiece` is called before each piece, with the count of pieces so far. */
async function send(url: string, onPiece: (count: number) => Promise<void>): Promise<void> {
  await using peer = connectPeer({ url, credentials: { kind: 'none' } })
  const kept = new Map<Digest, RemoteUpload>()
  let pieces = 0
  await sendBlob(
    {
      peer,
      uploads: {
        find: async () => undefined,
        keep: async (key, upload) => void kept.set(key, upload),
        drop: async () => kept.clear(),
        isElsewhere: async () => false,
      },
      throttle: { pace: (body) => body, spend: async () => {} },
      clock: systemClock,
      closedUntil: () => undefined,
      chunkBytes: 16 * 1024 * 1024,
      suspects: new Map(),
      onReached: async () => {},
    },
    {
      ...{ name, digest, signal: AbortSignal.timeout(60_000), sent: { bytes: 0 } },
      findMount: async () => undefined,
      open: async () => ({
        sizeBytes: bytes.byteLength,
        async *chunks({ start, end } = { start: 0, end: bytes.byteLength }) {
          for (let at = start; at < end; at += pieceBytes) {
            await onPiece(++pieces)
            yield bytes.subarray(at, Math.min(at + pieceBytes, end))
          }
        },
        sendTo: async () => {},
        close: async () => {},
        [Symbol.asyncDispose]: async () => {},
      }),
    },
  )
}

/** Waits until the other side has what was sent, then breaks each connection. */
async function breakOff(link: Awaited<ReturnType<typeof startLink>>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100))
  link.cut()
  link.mend()
}

async function linkTo(url: string) {
  const { hostname: host, port } = new URL(url)
  return startLink({ to: () => ({ host, port: Number(port) }) })
}

test('Distribution 2.8 ends an upload with its connection: the blob is begun again, and not without end', async () => {
  await using registry = await startDistribution('docker-registry')
  await using link = await linkTo(registry.url)
  await send(link.url, async (count) => {
    if (count === 20 || count === 50) await breakOff(link)
  })
  await using peer = connectPeer({ url: registry.url, credentials: { kind: 'none' } })
  assert.equal(await peer.hasBlob(name, digest), true)

  await using empty = await startDistribution('docker-registry')
  await using bad = await linkTo(empty.url)
  let breaks = 0
  const sent = send(bad.url, async (count) => {
    if (count % 5 !== 0) return
    breaks++
    await breakOff(bad)
  })
  await assert.rejects(sent, failure('unreachable'))
  assert.ok(breaks >= 4 && breaks <= 8, `${breaks} breaks`)
})

test('no byte is sent twice to a registry that counts what it received a moment later', async () => {
  let held = 0
  let shown = 0
  let twice = 0
  const registry = await startStandIn(async ({ method, url, raw, answer }) => {
    const { pathname } = url
    if (!pathname.includes('/blobs/uploads/')) return false
    const at = { location: '/v2/team/app/blobs/uploads/1', range: `0-${Math.max(0, shown - 1)}` }
    if (method !== 'PATCH') answer({ POST: 202, GET: 204, PUT: 201 }[method] ?? 400, at)
    else {
      const start = Number(/^\d+/.exec(raw.headers['content-range'] ?? '')?.[0])
      twice += held - start
      try {
        for await (const chunk of raw) held += Buffer.from(chunk).byteLength
        shown = held
        answer(202, { ...at, range: `0-${held - 1}` })
      } catch {
        setTimeout(() => {
          shown = held
        }, 700)
      }
    }
    return true
  })
  await using _ = registry
  await using link = await linkTo(registry.url)
  await send(link.url, async (count) => {
    if (count === 20) await breakOff(link)
  })
  assert.equal(twice, 0)
  assert.equal(shown, bytes.byteLength)
})
