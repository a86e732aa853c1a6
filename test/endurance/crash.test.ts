/**
 * Promise 1: what was acknowledged is there. The server is killed with SIGKILL in the middle of pushes, forty times over
 * one data folder, at moments that no push can choose. `LADING_TEST_CRASHES` is another number of times.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { image, index, manifestsOf } from '#test/support/images/build.ts'
import { pullWhole, pushBlob, pushImage, pushManifest, type Registry, request } from '#test/support/push.ts'
import { startServeProcess } from '#test/support/serve-process.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import { until } from '#test/support/until.ts'

const crashes = Number(process.env.LADING_TEST_CRASHES ?? 40)
const pushers = 4
const repository = 'crash/app'
const rootKey = { accessKeyId: 'AKIACRASHCRASHCRASH1', secretAccessKey: 'crash-secret-crash-secret-crash-secret' }

/** What clients were told, over all lives of the server. */
class Acknowledged {
  readonly digests = new Set<string>()
  readonly blobs = new Set<string>()
  /** Where a tag may point: where its last acknowledged push put it, or a later one that got no answer. */
  readonly tags = new Map<string, { certain: boolean; readonly digests: Set<string> }>()
  /** The tags that were pushed since the server was last checked. */
  touched = new Set<string>()

  pushing(tag: string, digest: string): void {
    const known = this.tags.get(tag) ?? { certain: false, digests: new Set() }
    known.digests.add(digest)
    this.tags.set(tag, known)
    this.touched.add(tag)
  }

  pushed(tag: string, digest: string): void {
    this.tags.set(tag, { certain: true, digests: new Set([digest]) })
    this.digests.add(digest)
  }

  /** However slow the machine is, some lives come so far. */
  async nextBlob(): Promise<void> {
    const before = this.blobs.size
    await until(() => this.blobs.size > before)
  }

  async nextImage(): Promise<void> {
    const before = this.digests.size
    await until(() => this.digests.size > before)
  }
}

async function start(dataDir: string) {
  return startServeProcess([
    ...['--listen', '127.0.0.1:0', '--data-dir', dataDir, '--log', 'error'],
    ...['--root-access-key-id', rootKey.accessKeyId, '--root-secret-access-key', rootKey.secretAccessKey],
  ])
}

async function logIn(url: string): Promise<Registry> {
  const client = new ECRClient({ endpoint: url, region: 'us-east-1', credentials: rootKey })
  await client.send(new CreateRepositoryCommand({ repositoryName: repository })).catch((error: Error) => {
    if (error.name !== 'RepositoryAlreadyExistsException') throw error
  })
  const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}))
  client.destroy()
  return { url, authorization: `Basic ${authorizationData?.[0]?.authorizationToken}` }
}

/** Pushes images one after another until the server is gone, and notes what it acknowledged. */
async function pushUntilKilled(registry: Registry, who: string, acknowledged: Acknowledged): Promise<void> {
  for (let round = 0; ; round++) {
    const seed = `${who}/${round}`
    const single = image({ seed, layers: [randomInt(1_000, 200_000), 20_000] })
    const pushed = round % 3 === 2 ? index({ children: [single, image({ seed: `${seed}/other` })] }) : single
    const tag = round % 2 === 0 ? `moving-${who.split('/')[1]}` : `${who.replace('/', '-')}-${round}`
    try {
      for (const manifest of manifestsOf(pushed)) {
        for (const blob of manifest.blobs) {
          await pushBlob(registry, repository, blob)
          acknowledged.blobs.add(blob.digest)
        }
        if (manifest !== pushed) {
          await pushManifest(registry, repository, manifest)
          acknowledged.digests.add(manifest.digest)
        }
      }
      acknowledged.pushing(tag, pushed.digest)
      await pushManifest(registry, repository, pushed, tag)
      acknowledged.pushed(tag, pushed.digest)
    } catch (error) {
      // The server died; anything that it answered before that must not have been a refusal.
      if (error instanceof assert.AssertionError) throw error
      return
    }
  }
}

async function tagsOf(registry: Registry): Promise<string[]> {
  const tags: string[] = []
  for (let next: string | undefined = `/v2/${repository}/tags/list`; next !== undefined; ) {
    const answer: Response = await request(registry, next)
    tags.push(...((await answer.json()) as { tags: string[] }).tags)
    next = /<(.*)>/.exec(answer.headers.get('link') ?? '')?.[1]
  }
  return tags
}

test(`after each of ${crashes} kills, every acknowledged image is whole and nothing else is served`, async (t) => {
  await using folder = await temporaryFolder()
  const acknowledged = new Acknowledged()

  for (let life = 0; life < crashes; life++) {
    await using server = await start(folder.path)
    const registry = await logIn(await server.url())
    await checkTags(registry, acknowledged, acknowledged.touched)
    acknowledged.touched = new Set()

    const pushing = Array.from({ length: pushers }, (_, at) => pushUntilKilled(registry, `${life}/${at}`, acknowledged))
    await [async () => {}, acknowledged.nextBlob, acknowledged.nextImage][life % 3]?.call(acknowledged)
    await delay(randomInt(5, 400))
    server.signal('SIGKILL')
    await server.exit
    await Promise.all(pushing)
  }

  await using server = await start(folder.path)
  const registry = await logIn(await server.url())
  for (const digest of acknowledged.digests) await pullWhole(registry, repository, digest)
  for (const digest of acknowledged.blobs) {
    const { status } = await request(registry, `/v2/${repository}/blobs/${digest}`, { method: 'HEAD' })
    assert.equal(status, 200, `the acknowledged blob ${digest} is there`)
  }
  await checkTags(registry, acknowledged, acknowledged.tags.keys())
  for (const tag of await tagsOf(registry)) await pullWhole(registry, repository, tag)
  await pushImage(registry, repository, image({ seed: 'after all' }), 'after-all')
  t.diagnostic(`${acknowledged.digests.size} images and ${acknowledged.blobs.size} blobs were acknowledged`)
  assert.ok(acknowledged.digests.size > 0, 'something was pushed')
})

/** Each of these tags points to an image that somebody pushed to it last; it is missing only if nobody was told that it is there. */
async function checkTags(registry: Registry, acknowledged: Acknowledged, tags: Iterable<string>): Promise<void> {
  for (const tag of tags) {
    const { certain, digests } = acknowledged.tags.get(tag) ?? assert.fail()
    const answer = await request(registry, `/v2/${repository}/manifests/${tag}`, { method: 'HEAD' })
    if (answer.status === 404 && !certain) continue
    const digest = answer.headers.get('docker-content-digest') ?? ''
    assert.ok(digests.has(digest), `${tag} points to ${digest} (${answer.status}), not to ${[...digests]}`)
  }
}
