/**
 * Replication between two network namespaces over a link that is cut, while either side is killed with SIGKILL. In the end both sides hold
 * the same digests, no blob was sent twice whole, and the status was true at each look. `LADING_TEST_LINK_CUTS` and
 * `LADING_TEST_LINK_KILLS` are other numbers of cuts and of kills.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Databases, eachDatabase } from '#test/support/databases.ts'
import { pushImageTo } from '#test/support/ecr-push.ts'
import { type Blob, type Image, image, type Layer, layer } from '#test/support/images/build.ts'
import { noise } from '#test/support/images/content.ts'
import { type NetworkPair, namespacesProblem, openNetworkPair } from '#test/support/network-pair.ts'
import { type Link, startLink } from '#test/support/peers/link.ts'
import { type LinkedSide, rootKey, startLinkedSide } from '#test/support/peers/linked-side.ts'
import { contentOf, replicateTo } from '#test/support/replication.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'

const cuts = Number(process.env.LADING_TEST_LINK_CUTS ?? 20)
const kills = Number(process.env.LADING_TEST_LINK_KILLS ?? 10)
const count = Number(process.env.LADING_TEST_LINK_IMAGES ?? 200)
const repositories = ['team/one', 'team/two', 'other/three', 'other/four']
const there = { region: 'eu-central-1', registryId: '000000000000' }
/** Slow enough for cuts and kills to fall into transfers. */
const bandwidth = '1MiB'

interface Pushed {
  readonly repository: string
  readonly image: Image
  readonly tag: string
}

interface Stage {
  readonly near: LinkedSide
  readonly far: LinkedSide
  readonly link: Link
  readonly network: NetworkPair
}

/** Each image has a layer that many have, one that a few have, and one of its own. */
function makeImages(): Pushed[] {
  const shared = Array.from({ length: 6 }, (_, at) => layerOf(`base/${at}`, 2_500_000))
  const families = Array.from({ length: 20 }, (_, at) => layerOf(`family/${at}`, 200_000))
  return Array.from({ length: count }, (_, at) => ({
    repository: pick(repositories, at),
    image: image({ layers: [pick(shared, at), pick(families, Math.floor(at / 10)), layerOf(`own/${at}`, 100_000)] }),
    tag: `v${at}`,
  }))
}

function pick<Item>(items: readonly Item[], at: number): Item {
  return items[at % items.length] ?? assert.fail()
}

function layerOf(seed: string, bytes: number): Layer {
  return layer({ [seed]: noise(seed, bytes) })
}

/** `COMPLETE` means that the other side has the image with its tag. Nothing is refused here, so nothing has failed. */
async function isComplete({ near, far }: Stage, { repository, image: { digest }, tag }: Pushed): Promise<boolean> {
  const imageId = { imageDigest: digest }
  const { replicationStatuses } = await near.ecr.describeImageReplicationStatus({ repositoryName: repository, imageId })
  const status = replicationStatuses?.[0]?.status
  if (status === 'IN_PROGRESS') return false
  assert.equal(status, 'COMPLETE', `${repository}@${digest} ${replicationStatuses?.[0]?.failureCode}`)
  const { imageDetails } = await far.ecr.describeImages({ repositoryName: repository, imageIds: [imageId] })
  assert.deepEqual(imageDetails?.[0]?.imageTags, [tag])
  return true
}

/** In an order that is random, so that each is among pushes and transfers of all kinds. */
function disturbances({ near, far, link, network }: Stage): (() => Promise<void>)[] {
  const restart = async (side: LinkedSide) => {
    await side.kill()
    await delay(randomInt(200))
    await side.start()
  }
  const broken = async () => {
    link.cut()
    await delay(randomInt(100, 600))
    link.mend()
  }
  /** No packet passes, and no connection breaks. */
  const silent = async () => {
    await network.b.down()
    await delay(randomInt(100, 1_000))
    await network.b.up()
  }
  const all = [
    ...Array.from({ length: cuts }, (_, at) => (at % 4 === 3 ? silent : broken)),
    ...Array.from({ length: kills }, (_, at) => () => restart(at % 2 === 0 ? near : far)),
  ]
  return all
    .map((work) => ({ work, order: Math.random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ work }) => work)
}

async function until(condition: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  for (const deadline = Date.now() + ms; Date.now() < deadline; await delay(50)) if (await condition()) return true
  return false
}

async function openStage(stack: AsyncDisposableStack, databases: Databases): Promise<Stage> {
  const network = stack.use(await openNetworkPair())
  const folder = stack.use(await temporaryFolder())
  /** A database server that listens on this machine's loopback is not there in a namespace. */
  const reachable = async (outside: string) => {
    const url = await databases.url()
    if (!url.startsWith('postgres:')) return url
    const { hostname: host, port } = new URL(url)
    const relay = stack.use(await startLink({ host: outside, to: () => ({ host, port: Number(port) }), reads: false }))
    return Object.assign(new URL(url), { host: new URL(relay.url).host }).href
  }
  const { a, b } = network
  const far = stack.use(await startLinkedSide(b, { region: there.region, database: await reachable(b.outside) }))
  const link = stack.use(await startLink({ host: a.outside, to: () => ({ host: b.address, port: far.port }) }))
  const peers = join(folder.path, 'peers.yaml')
  const registries = [{ account: there.registryId, region: there.region }]
  const peer = { name: 'far', kind: 'lading', url: link.url, ...rootKey, registries, bandwidth }
  await writeFile(peers, JSON.stringify({ peers: [peer] }))
  const near = stack.use(
    await startLinkedSide(a, { region: 'us-east-1', database: await reachable(a.outside), flags: ['--peers', peers] }),
  )
  return { near, far, link, network }
}

/** No byte of the link was for a blob that had passed whole before. */
function requireSentOnce({ link: { sent } }: Stage, images: readonly Pushed[]) {
  const blobs = new Map<string, Blob>(
    images.flatMap(({ image: { blobs: own } }) => own.map((blob) => [blob.digest, blob])),
  )
  const wrong: string[] = []
  let bytes = 0
  let size = 0
  for (const { digest, bytes: content } of blobs.values()) {
    const times = sent.timesWhole(digest, content.byteLength)
    if (times !== 1) wrong.push(`${digest} of ${content.byteLength} bytes: ${times} times`)
    bytes += sent.bytesOf(digest)
    size += content.byteLength
  }
  assert.deepEqual(wrong, [], 'no blob is sent twice whole')
  return { bytes, size, lost: sent.lostBytes }
}

eachDatabase((databases) => {
  const name = `${count} images arrive over a link that is cut ${cuts} times, between sides that are killed ${kills} times, on ${databases.dialect}`
  test(name, { timeout: 600_000 }, async (t) => {
    const problem = await namespacesProblem()
    if (problem !== undefined) return t.skip(problem)
    await using stack = new AsyncDisposableStack()
    const stage = await openStage(stack, databases)
    const { near, far, link } = stage
    for (const repositoryName of repositories) await near.ecr.createRepository({ repositoryName })
    await replicateTo(near.ecr, [there])

    const images = makeImages()
    const pushed: Pushed[] = []
    const steps = disturbances(stage)
    const atOnce = Math.ceil(count / Math.max(1, steps.length))
    const started = Date.now()
    let looks = 0
    for (const disturb of steps) {
      for (const each of images.slice(pushed.length, pushed.length + atOnce)) {
        await pushImageTo(near.ecr, each.repository, each.image, each.tag)
        pushed.push(each)
      }
      const before = link.bytes
      await until(() => link.bytes > before + 20_000, 12_000)
      await delay(randomInt(300))
      await disturb()
      for (let look = 0; look < 3; look++) {
        await isComplete(stage, pick(pushed, randomInt(pushed.length)))
        looks += 1
      }
    }
    const waited = Date.now()
    const waiting = new Set(pushed)
    const isDone = async () => {
      for (const each of waiting) if (await isComplete(stage, each)) waiting.delete(each)
      return waiting.size === 0
    }
    assert.ok(await until(isDone, 300_000), `${waiting.size} images are on their way`)
    for (const repositoryName of repositories) {
      assert.deepEqual(await contentOf(far.ecr, repositoryName), await contentOf(near.ecr, repositoryName))
    }
    const { bytes, size, lost } = requireSentOnce(stage, pushed)
    const seconds = (from: number) => Math.round((Date.now() - from) / 1_000)
    t.diagnostic(`${bytes} bytes for ${size}, and ${lost} in uploads that never ended; ${looks} looks at the status`)
    t.diagnostic(`${seconds(started)} seconds, the last ${seconds(waited)} without disturbance`)
  })
})
