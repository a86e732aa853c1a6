/** Replication to a peer over a link that breaks in the middle of a blob, and to a peer that restarts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '#lib/clock.ts'
import { eachDatabaseInCi } from '#test/support/databases.ts'
import { type Blob, type Image, image } from '#test/support/images/build.ts'
import { type Link, startLink } from '#test/support/peers/link.ts'
import { startPair, there } from '#test/support/peers/pair.ts'
import { contentOf, settled } from '#test/support/replication.ts'
import { until } from '#test/support/until.ts'

const complete = [`${there.registryId}/${there.region}: COMPLETE`]
const layerBytes = 3_000_000

function largestOf({ blobs }: Image): Blob {
  return blobs.reduce((one, other) => (one.bytes.byteLength > other.bytes.byteLength ? one : other))
}

async function startLinkedPair(
  databases: { url(): Promise<string> },
  entry: Readonly<Record<string, unknown>>,
  clock?: Clock,
) {
  let link: Link | undefined
  const pair = await startPair({
    source: { database: await databases.url(), ...(clock && { clock }) },
    destination: { database: await databases.url() },
    entry,
    through: async (url) => {
      const { hostname: host, port } = new URL(url)
      link = await startLink({ to: () => ({ host, port: Number(port) }) })
      return link.url
    },
  })
  assert.ok(link)
  return { ...pair, link }
}

eachDatabaseInCi((databases) => {
  test(`a blob goes on where the link broke, three times (${databases.dialect})`, async () => {
    await using both = await startLinkedPair(databases, { bandwidth: '2MiB' })
    await using link = both.link
    const { source, destination } = both
    const pushed = image({ seed: 'breaks', layers: [layerBytes] })
    const repositoryName = await source.repository()
    await source.push(repositoryName, pushed, 'v1')
    for (const part of [0.2, 0.5, 0.8]) {
      await until(() => link.bytes > part * layerBytes)
      link.cut()
      const { replicationStatuses } = await source.ecr.describeImageReplicationStatus({
        repositoryName,
        imageId: { imageTag: 'v1' },
      })
      assert.equal(replicationStatuses?.[0]?.status, 'IN_PROGRESS')
      link.mend()
    }
    assert.deepEqual(await settled(source.ecr, repositoryName, pushed.digest), complete)
    assert.deepEqual(await contentOf(destination.ecr, repositoryName), [`${pushed.digest} v1`])
    const { digest, bytes } = largestOf(pushed)
    const sent = link.sent.bytesOf(digest)
    assert.ok(sent < 1.2 * bytes.byteLength, `${sent} bytes for ${bytes.byteLength}`)
    assert.equal(link.sent.lostBytes, 0)
  })

  test(`a bandwidth is kept within a tenth by all streams together (${databases.dialect})`, async () => {
    await using both = await startLinkedPair(databases, { bandwidth: '1MiB' })
    await using link = both.link
    const pushed = Array.from({ length: 4 }, (_, at) => image({ seed: `paced/${at}`, layers: [1_500_000] }))
    const repositoryName = await both.source.repository()
    for (const each of pushed) await both.source.push(repositoryName, each)
    await until(() => link.bytes > 1_000_000)
    const [from, started] = [link.bytes, performance.now()]
    await until(() => link.bytes > 5_000_000)
    const perSecond = (link.bytes - from) / ((performance.now() - started) / 1_000)
    assert.ok(Math.abs(perSecond / 1_048_576 - 1) < 0.1, `${Math.round(perSecond)} bytes a second`)
  })

  test(`outside of its hours a peer is sent nothing (${databases.dialect})`, async () => {
    const hour = (new Date().getUTCHours() + 12) % 24
    const text = (value: number) => `${String(value % 24).padStart(2, '0')}:00`
    await using both = await startLinkedPair(databases, { hours: `${text(hour)}-${text(hour + 1)}` })
    await using link = both.link
    const pushed = image({ seed: 'hours' })
    const repositoryName = await both.source.repository()
    await both.source.push(repositoryName, pushed, 'v1')
    await delay(1_500)
    assert.equal(link.bytes, 0)
    const { replicationStatuses } = await both.source.ecr.describeImageReplicationStatus({
      repositoryName,
      imageId: { imageTag: 'v1' },
    })
    assert.equal(replicationStatuses?.[0]?.status, 'IN_PROGRESS')
  })

  test(`a transfer pauses at the end of a chunk when hours are over, and goes on there (${databases.dialect})`, async () => {
    let moved = 0
    const minute = Math.floor(Date.now() / 60_000) % 1_440
    const text = (value: number) =>
      [Math.floor(value / 60) % 24, value % 60].map((part) => String(part).padStart(2, '0')).join(':')
    const hours = `${text(minute + 5)}-${text(minute + 2)}`
    await using both = await startLinkedPair(databases, { bandwidth: '600KiB', hours }, () => Date.now() + moved)
    await using link = both.link
    const { source, destination } = both
    const pushed = image({ seed: 'pause', layers: [8_000_000] })
    const repositoryName = await source.repository()
    await source.push(repositoryName, pushed, 'v1')
    await until(() => link.bytes > 1_000_000)
    moved = 3 * 60_000
    let before = 0
    await until(async () => {
      before = link.bytes
      await delay(500)
      return link.bytes === before
    })
    assert.ok(before > 6_000_000 && before < 6_500_000, `${before} bytes passed`)
    moved = 0
    assert.deepEqual(await settled(source.ecr, repositoryName, pushed.digest), complete)
    assert.deepEqual(await contentOf(destination.ecr, repositoryName), [`${pushed.digest} v1`])
    const { digest, bytes } = largestOf(pushed)
    assert.equal(link.sent.bytesOf(digest), bytes.byteLength)
  })
})
