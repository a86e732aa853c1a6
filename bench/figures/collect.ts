import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FileBlobStore } from '#blobs/file.ts'
import { ecrQuotas as quotas } from '#config/quotas.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { openMetadata } from '#metadata/open.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import { collectGarbage, createCollectionWorkers } from '#registry/collection/jobs.ts'
import { createRepositories } from '#registry/repositories.ts'
import { run } from '#test/support/run.ts'
import { temporaryFolder } from '#test/support/temporary-folder.ts'
import type { Limit } from '../harness/figure.ts'

const garbage = 1_000
const rounds = 5
const rowsAtOnce = 500
const hourMs = 3_600_000
const clock = () => Date.now() + hourMs

/**
 * How much longer it takes to collect a thousand blobs, from their links to their files, where a hundred thousand are stored than where
 * two thousand are. The rounds of the two alternate; in each the garbage is made anew.
 */
export const collect: Limit = {
  name: 'collect',
  title: 'collecting 1,000 blobs among 100,000, against 2,000',
  unit: '×',
  atMost: 2,
  full: true,
  async measure() {
    await using folder = await temporaryFolder()
    const place = (name: string) => openPlace(join(folder.path, name), `sqlite:${join(folder.path, `${name}.db`)}`)
    return await measureCollection(await place('few'), await place('many'))
  },
}

interface Place {
  readonly root: string
  readonly metadata: Metadata
  readonly repositoryId: number
}

async function openPlace(root: string, database: string): Promise<Place> {
  const metadata = await openMetadata(database, () => {})
  const registry = { account: parseAccountId('111122223333'), region: parseRegion('eu-west-1') }
  const key = { registry, name: parseRepositoryName('bench/collect') }
  const { id } = await createRepositories({ metadata, clock, quotas, repositoryCreated: [] }).create(key, {})
  return { root, metadata, repositoryId: id }
}

/** Closes both. */
async function measureCollection(few: Place, many: Place): Promise<number> {
  await store(few, 0, 2_000 - garbage, 'kept')
  await store(many, 0, 100_000 - garbage, 'kept')
  const ratios: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? [few, many] : [many, few]
    const seconds = new Map<Place, number>()
    for (const place of order) {
      await store(place, 100_000 + round * garbage, garbage, 'garbage')
      await run('sync', [])
      seconds.set(place, await collectOnce(place))
    }
    // The first is to warm up.
    if (round > 0) ratios.push((seconds.get(many) ?? Number.NaN) / (seconds.get(few) ?? Number.NaN))
  }
  await Promise.all([few.metadata.close(), many.metadata.close()])
  return ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? Number.NaN
}

/** As pushes leave them, but for what makes those durable. Garbage has had its grace. */
async function store(place: Place, from: number, count: number, fate: 'kept' | 'garbage'): Promise<void> {
  const { root, metadata, repositoryId } = place
  const blobs = Array.from({ length: count }, (_, index) => {
    const bytes = Buffer.from(`blob ${from + index}`)
    return { bytes, hex: createHash('sha256').update(bytes).digest('hex') }
  })
  for (let at = 0; at < blobs.length; at += rowsAtOnce) {
    const part = blobs.slice(at, at + rowsAtOnce)
    for (const { bytes, hex } of part) {
      const shard = join(root, 'sha256', hex.slice(0, 2))
      await mkdir(shard, { recursive: true })
      await writeFile(join(shard, hex), bytes)
    }
    const rows = part.map(({ bytes, hex }) => ({ digest: `sha256:${hex}`, size: bytes.byteLength }))
    await metadata.transaction(async (trx) => {
      await trx
        .insertInto('blob')
        .values(rows.map((row) => ({ ...row, stored_at: 0 })))
        .execute()
      const links = rows.map(({ digest }) => ({ repository_id: repositoryId, digest }))
      await trx
        .insertInto('repository_blob')
        .values(links.map((link) => ({ ...link, linked_at: 0 })))
        .execute()
      if (fate === 'kept') return
      await trx
        .insertInto('link_candidate')
        .values(links.map((link) => ({ ...link, since: 0 })))
        .execute()
    })
  }
}

/** How long the job takes, in seconds. */
async function collectOnce({ root, metadata }: Place): Promise<number> {
  const blobs = await FileBlobStore.open(root)
  const workers = createCollectionWorkers({ metadata, blobs, clock, gcGraceHours: 24, uploadExpiryHours: 24 })
  const { work } = workers.find(({ kind }) => kind === collectGarbage.kind) ?? { work: undefined }
  const before = await countBlobs(metadata)
  const startedAt = performance.now()
  await work?.({}, { signal: new AbortController().signal })
  const seconds = (performance.now() - startedAt) / 1000
  const gone = before - (await countBlobs(metadata))
  if (gone !== garbage) throw new Error(`${gone} blobs were collected instead of ${garbage}`)
  return seconds
}

async function countBlobs({ reader }: Metadata): Promise<number> {
  const { count } = await reader
    .selectFrom('blob')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}
