import { createHash } from 'node:crypto'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { parseTag } from '#names/tag.ts'
import { createImagePush } from '#registry/image-push.ts'
import { getRepository } from '#registry/repository.ts'
import { queueItem } from '#replication/queue.ts'
import { type EcrSession, startEcrSession } from '#test/support/ecr-session.ts'
import { type Image, image } from '#test/support/images/build.ts'
import type { Limit } from '../harness/figure.ts'

const images = 1_000
const repositoryName = 'bench/replication-within'
const destination = { account: parseAccountId('000000000000'), region: parseRegion('eu-west-1') }

/** How many tagged images with a config and three layers each a server replicates to another region of its own in a second. */
export const replicationWithin: Limit = {
  name: 'replication-within',
  title: `replication of ${images} images within the deployment`,
  unit: 'images',
  atLeast: 300,
  async measure() {
    await using session = await startEcrSession()
    const metadata = await openMetadata(`sqlite:${session.server.dataDir}/lading.db`, () => {})
    try {
      return await measureCopies(session, metadata)
    } finally {
      await metadata.close()
    }
  },
}

async function measureCopies({ ecr, server }: EcrSession, metadata: Metadata): Promise<number> {
  const store = join(server.dataDir, 'blobs')
  const source = { account: parseAccountId(server.account), region: parseRegion(server.region) }
  const key = { registry: source, name: parseRepositoryName(repositoryName) }
  await ecr.createRepository({ repositoryName })
  const { id: repositoryId } = await getRepository(metadata.reader, key)
  const pushed = Array.from({ length: images }, (_, at) => image({ layers: [100, 100, 100], seed: `${at}` }))
  await storeBlobs(metadata, repositoryId, store, pushed)
  const push = createImagePush({ metadata, clock: Date.now, quotas })
  for (const [at, { bytes, mediaType }] of pushed.entries()) {
    await push.put(key, { body: bytes, mediaType, tag: parseTag(`v${at}`), by: '' })
  }
  const destinations = [{ registryId: destination.account, region: destination.region }]
  await ecr.putReplicationConfiguration({ replicationConfiguration: { rules: [{ destinations }] } })
  const before = await filesOf(store)

  const [startedAt, used] = [performance.now(), process.cpuUsage()]
  await metadata.transaction(async (trx) => {
    const now = Date.now()
    for (const [at, { digest }] of pushed.entries()) {
      const tags = [{ tag: parseTag(`v${at}`), pushedAt: now }]
      await queueItem(trx, { repositoryId, source, destination, digest, cause: 'push', pushedAt: now, tags }, now)
    }
  })
  while ((await countComplete(metadata)) < images) await delay(10)
  const seconds = (performance.now() - startedAt) / 1_000
  const { user, system } = process.cpuUsage(used)
  process.stderr.write(`${((user + system) / 1_000 / images).toFixed(2)} ms of processor time an image\n`)
  if ((await filesOf(store)) !== before) throw new Error('the copies changed files of the store')
  return images / seconds
}

/** As pushes leave them, but for what makes those durable. */
async function storeBlobs(metadata: Metadata, repositoryId: number, store: string, pushed: readonly Image[]) {
  const blobs = new Map(pushed.flatMap((one) => one.blobs.map(({ digest, bytes }) => [digest, bytes] as const)))
  for (const bytes of blobs.values()) {
    const hex = createHash('sha256').update(bytes).digest('hex')
    const shard = join(store, 'sha256', hex.slice(0, 2))
    await mkdir(shard, { recursive: true })
    await writeFile(join(shard, hex), bytes)
  }
  await metadata.transaction(async (trx) => {
    for (const [digest, { byteLength: size }] of blobs) {
      await trx.insertInto('blob').values({ digest, size, stored_at: 1 }).execute()
      await trx.insertInto('repository_blob').values({ repository_id: repositoryId, digest, linked_at: 1 }).execute()
    }
  })
}

async function countComplete({ reader }: Metadata): Promise<number> {
  const { count } = await reader
    .selectFrom('replication_item')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('state', '=', 'COMPLETE')
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Each file with its inode, links and times. */
async function filesOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const lines: string[] = []
  for (const file of files) {
    const { ino, nlink, size, mtimeMs, ctimeMs } = await stat(file)
    lines.push([file, ino, nlink, size, mtimeMs, ctimeMs].join(' '))
  }
  return lines.sort((a, b) => (a < b ? -1 : 1)).join('\n')
}
