/**
 * Who works on the registry during the soak, each until it is told to stop: pushers as docker pushes, pullers, people who delete, and
 * one who changes lifecycle policies. Each knows which refusals are fair while others do what they do; any other fails the test.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import {
  BatchDeleteImageCommand,
  DeleteRepositoryCommand,
  ListImagesCommand,
  PutLifecyclePolicyCommand,
} from '@aws-sdk/client-ecr'
import { type Client, ensureRepository, Interrupted } from '#test/support/cluster/client.ts'
import {
  artifact,
  type Blob,
  type Image,
  image,
  index,
  type Layer,
  layer,
  manifestsOf,
} from '#test/support/images/build.ts'
import { digest, noise } from '#test/support/images/content.ts'
import { type Registry, request } from '#test/support/push.ts'

export interface World {
  readonly clients: readonly Client[]
  readonly repositories: readonly string[]
  /** Which set of layers is the fashion: an older one is garbage by and by. */
  epoch(): number
  readonly signal: AbortSignal
  count(what: string): void
}

type Actor = (world: World, who: number) => Promise<void>

/** Goes on until the world ends. What a killed server leaves unanswered is tried no more; the next turn is another. */
function turns(turn: Actor): Actor {
  return async (world, who) => {
    while (!world.signal.aborted) {
      try {
        await turn(world, who)
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error
        world.count('interrupted')
        // The servers need the processor to start again.
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
}

const layersOfAnEpoch = 8
const layers = new Map<string, Layer>()

function sharedLayer(epoch: number): Layer {
  const name = `${epoch}/${randomInt(layersOfAnEpoch)}`
  let found = layers.get(name)
  if (found === undefined) {
    found = layer({ content: noise(name, 20_000 + 10_000 * randomInt(5)) })
    layers.set(name, found)
  }
  return found
}

let images = 0

function newImage(epoch: number): Image {
  const single = () => image({ seed: `soak/${++images}`, layers: [sharedLayer(epoch), sharedLayer(epoch), 500] })
  switch (randomInt(6)) {
    case 0:
      return index({ children: [single(), single()] })
    default:
      return single()
  }
}

export const pusher = turns(async ({ clients, repositories, epoch, count }, who) => {
  const client = pick(clients)
  const repository = pick(repositories)
  const pushed = newImage(epoch())
  const tag = randomInt(2) === 0 ? `moving-${randomInt(6)}` : `${who}-${++images}`
  const status = await client.oci((registry) => push(registry, repository, pushed, tag))
  if (status === 'no repository') await ensureRepository(client, repository)
  count(`push: ${status}`)
  if (status !== 'pushed' || randomInt(5) > 0) return
  const signature = artifact({ artifactType: 'application/vnd.soak.signature', subject: pushed })
  count(`push of a referrer: ${await client.oci((registry) => push(registry, repository, signature))}`)
})

type PushStatus = 'pushed' | 'no repository' | 'content went'

/** As docker: a layer that is there is not sent again, and what went meanwhile is told by the manifest's refusal. */
async function push(registry: Registry, repository: string, pushed: Image, tag?: string): Promise<PushStatus> {
  for (const manifest of manifestsOf(pushed)) {
    for (const blob of manifest.blobs) if (!(await sendBlob(registry, repository, blob))) return 'no repository'
    const path = `/v2/${repository}/manifests/${manifest === pushed ? (tag ?? manifest.digest) : manifest.digest}`
    const headers = { 'content-type': manifest.mediaType }
    const answer = await request(registry, path, { method: 'PUT', headers, body: new Uint8Array(manifest.bytes) })
    const text = await answer.text()
    if (answer.status === 201) continue
    if (text.includes('NAME_UNKNOWN')) return 'no repository'
    // Somebody deleted a child, or the repository was made anew, since its blobs were found there.
    if (/MANIFEST_BLOB_UNKNOWN|MANIFEST_UNKNOWN/.test(text)) return 'content went'
    assert.fail(`PUT ${path}: ${answer.status} ${text}`)
  }
  return 'pushed'
}

/** False where there is no repository. */
async function sendBlob(registry: Registry, repository: string, blob: Blob): Promise<boolean> {
  const path = `/v2/${repository}/blobs/`
  const head = await request(registry, `${path}${blob.digest}`, { method: 'HEAD' })
  if (head.status === 200) return true
  const started = await request(registry, `${path}uploads/`, { method: 'POST' })
  const refusal = await started.text()
  if (refusal.includes('NAME_UNKNOWN')) return false
  assert.equal(started.status, 202, refusal)
  const location = started.headers.get('location') ?? ''
  for (const [method, to, body] of [
    ['PATCH', location, new Uint8Array(blob.bytes)],
    ['PUT', `${location}?digest=${blob.digest}`, undefined],
  ] as const) {
    const answer = await request(registry, to, { method, ...(body && { body }) })
    const text = await answer.text()
    // The repository went, and its uploads with it.
    if (/NAME_UNKNOWN|BLOB_UPLOAD_UNKNOWN/.test(text)) return false
    assert.ok(answer.status < 300, `${method} ${to}: ${answer.status} ${text}`)
  }
  return true
}

export const puller = turns(async ({ clients, repositories, count }) => {
  const repository = pick(repositories)
  await pick(clients).oci(async (registry) => {
    const listed = await request(registry, `/v2/${repository}/tags/list`)
    if (listed.status === 404) return listed.text()
    const { tags } = (await listed.json()) as { tags: string[] }
    if (tags.length === 0) return
    count(`pull: ${await pull(registry, repository, pick(tags))}`)
  })
})

/** What a manifest refers to is there as long as the manifest is. */
export async function pull(registry: Registry, repository: string, reference: string): Promise<'whole' | 'gone'> {
  const answer = await request(registry, `/v2/${repository}/manifests/${reference}`)
  const body = Buffer.from(await answer.arrayBuffer())
  if (answer.status === 404) return 'gone'
  assert.equal(answer.status, 200, body.toString())
  const pulled = digest(body)
  assert.equal(answer.headers.get('docker-content-digest'), pulled)
  const manifest = JSON.parse(body.toString()) as {
    config?: { digest: string }
    layers?: { digest: string }[]
    manifests?: { digest: string }[]
  }
  for (const child of manifest.manifests ?? []) {
    if ((await pull(registry, repository, child.digest)) === 'gone') return goneToo(child.digest)
  }
  for (const blob of [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])]) {
    const content = await request(registry, `/v2/${repository}/blobs/${blob.digest}`)
    const bytes = Buffer.from(await content.arrayBuffer())
    if (content.status === 404) return goneToo(blob.digest)
    assert.equal(content.status, 200)
    assert.equal(digest(bytes), blob.digest)
  }
  return 'whole'

  async function goneToo(missing: string): Promise<'gone'> {
    const { status } = await request(registry, `/v2/${repository}/manifests/${pulled}`, { method: 'HEAD' })
    assert.equal(status, 404, `${pulled} of ${repository} is there, and ${missing}, which it refers to, is not`)
    return 'gone'
  }
}

export const deleter = turns(async ({ clients, repositories, count }) => {
  await new Promise((resolve) => setTimeout(resolve, 20))
  const client = pick(clients)
  const repositoryName = pick(repositories)
  try {
    if (randomInt(100) === 0) {
      await client.ecr((ecr) => ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true })))
      count('delete: repository')
      return
    }
    const { imageIds = [] } = await client.ecr((ecr) => ecr.send(new ListImagesCommand({ repositoryName })))
    const some = Array.from({ length: Math.min(3, imageIds.length) }, () => pick(imageIds))
    if (some.length === 0) return
    await client.ecr((ecr) => ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: some })))
    count('delete: images')
  } catch (error) {
    if (!(error instanceof Error && error.name === 'RepositoryNotFoundException')) throw error
    await ensureRepository(client, repositoryName)
  }
})

export const policyMaker = turns(async ({ clients, repositories, count }) => {
  const client = pick(clients)
  const repositoryName = pick(repositories)
  const rule = {
    rulePriority: 1,
    selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 5 + randomInt(20) },
    action: { type: 'expire' },
  }
  const lifecyclePolicyText = JSON.stringify({ rules: [rule] })
  try {
    await client.ecr((ecr) => ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText })))
    count('lifecycle policy')
  } catch (error) {
    if (!(error instanceof Error && error.name === 'RepositoryNotFoundException')) throw error
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000))
})

/** Begins uploads that nobody ends. */
export const forgetful = turns(async ({ clients, repositories, count }, who) => {
  await pick(clients).oci(async (registry) => {
    const started = await request(registry, `/v2/${pick(repositories)}/blobs/uploads/`, { method: 'POST' })
    await started.text()
    const location = started.headers.get('location')
    if (location === null) return
    await request(registry, location, { method: 'PATCH', body: new Uint8Array(noise(`${who}`, 5_000)) })
    count('upload left open')
  })
  await new Promise((resolve) => setTimeout(resolve, 200))
})

function pick<Item>(items: readonly Item[]): Item {
  return items[randomInt(items.length)] ?? assert.fail('there is something to pick')
}
