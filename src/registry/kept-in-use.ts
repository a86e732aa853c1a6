import type { Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { type Kin, spreadUses, type Use, type Uses } from './in-use.ts'
import type { Repository } from './repository.ts'
import { retentionSetting } from './retention-settings.ts'
import { readSetting } from './settings.ts'

/**
 * Which images a repository keeps because they are in use: none, unless it or its registry says so. For whoever deletes or archives, in
 * the transaction that does it and under the repository's exclusive lock: a report that was answered before counts.
 */

/** What a question about a repository needs of it. */
type Asked = Pick<Repository, 'id' | 'registry' | 'name' | 'keepInUse'>

export async function keepsInUse(reader: Reader, { registry, keepInUse }: Pick<Repository, 'registry' | 'keepInUse'>) {
  return keepInUse ?? (await readSetting(reader, registry, retentionSetting)).keepInUse
}

/** Where images are looked for: in the repository, or in its recycle bin too. */
type Places = readonly (keyof typeof referencesOf)[]

const referencesOf = { manifest: 'manifest_reference', deleted_image: 'deleted_image_reference' } as const

/** Of these images those that are kept, and for which clusters; `now` in milliseconds since the epoch. */
export function findKeptInUse(
  reader: Reader,
  repository: Asked,
  digests: readonly Digest[],
  now: number,
): Promise<ReadonlyMap<Digest, Uses>> {
  return findKept(reader, repository, ['manifest'], digests, now)
}

/** The same of images in its recycle bin, be it that what they belong to is in the bin too or is not. */
export function findKeptInBin(
  reader: Reader,
  repository: Asked,
  digests: readonly Digest[],
  now: number,
): Promise<ReadonlyMap<Digest, Uses>> {
  return findKept(reader, repository, ['manifest', 'deleted_image'], digests, now)
}

async function findKept(
  reader: Reader,
  repository: Asked,
  places: Places,
  digests: readonly Digest[],
  now: number,
): Promise<ReadonlyMap<Digest, Uses>> {
  if (digests.length === 0 || !(await keepsInUse(reader, repository))) return new Map()
  if (!(await isReported(reader, repository, now))) return new Map()
  const images = await readKin(reader, repository.id, places, digests)
  const reported = await inParts([...images.keys()], (some) =>
    selectUses(reader, repository, now).where('image.digest', 'in', some).orderBy('image.cluster').execute(),
  )
  const uses = spreadUses([...images.values()], byDigest(reported))
  return new Map(digests.flatMap((digest) => (uses.has(digest) ? [[digest, uses.get(digest) ?? []] as const] : [])))
}

/** One image that the repository holds and keeps for that reason. */
export async function findOneKeptInUse(
  reader: Reader,
  repository: Asked,
  now: number,
): Promise<{ readonly digest: Digest; readonly inUseBy: Uses } | undefined> {
  if (!(await keepsInUse(reader, repository))) return undefined
  const row = await selectUses(reader, repository, now)
    .innerJoin('manifest', 'manifest.digest', 'image.digest')
    .where('manifest.repository_id', '=', repository.id)
    .orderBy('image.digest')
    .orderBy('image.cluster')
    .limit(1)
    .executeTakeFirst()
  return row && { digest: parseDigest(row.digest), inUseBy: [useOf(row)] }
}

/** Whether a deleted repository is kept for what it or its bin holds, and no other repository of its name does. */
export async function isKeptInBin(reader: Reader, repository: Asked, now: number): Promise<boolean> {
  if (!(await keepsInUse(reader, repository))) return false
  const { id, name } = repository
  const { account, region } = repository.registry
  const row = await selectUses(reader, repository, now)
    .where(({ or, not, exists, selectFrom }) => {
      const holds = (table: Places[number]) =>
        exists(
          selectFrom(table).select('digest').where('repository_id', '=', id).whereRef('digest', '=', 'image.digest'),
        )
      const elsewhere = selectFrom('repository')
        .innerJoin('manifest', 'manifest.repository_id', 'repository.id')
        .select('manifest.digest')
        .where('repository.account', '=', account)
        .where('repository.region', '=', region)
        .where('repository.name', '=', name)
        .whereRef('manifest.digest', '=', 'image.digest')
      return or([holds('manifest'), holds('deleted_image')]).and(not(exists(elsewhere)))
    })
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Rows that are read before other work gets its turn. */
const batchRows = 2_000

/** All that clusters reported of the repository, whether it holds it or not; nothing where it keeps none of it. */
export async function* readReported(
  reader: Reader,
  repository: Asked,
  now: number,
): AsyncGenerator<ReadonlyMap<Digest, Uses>, void> {
  if (!(await keepsInUse(reader, repository))) return
  let last: UseRow | undefined
  do {
    const after = last
    const rows = await selectUses(reader, repository, now)
      .$if(after !== undefined, (query) =>
        query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('image.digest', 'image.cluster'), '>', tuple(after?.digest ?? '', after?.cluster ?? '')),
        ),
      )
      .orderBy('image.digest')
      .orderBy('image.cluster')
      .limit(batchRows)
      .execute()
    yield byDigest(rows)
    last = rows.length < batchRows ? undefined : rows.at(-1)
  } while (last !== undefined)
}

interface UseRow {
  readonly digest: string
  readonly cluster: string
  readonly expires_at: number
}

/** A report that has expired says nothing, whether it is there still or not. */
function selectUses(reader: Reader, { registry: { account, region }, name }: Asked, now: number) {
  return reader
    .selectFrom('in_use_image as image')
    .innerJoin('in_use_report as report', (join) =>
      join
        .onRef('report.account', '=', 'image.account')
        .onRef('report.region', '=', 'image.region')
        .onRef('report.cluster', '=', 'image.cluster'),
    )
    .select(['image.digest', 'image.cluster', 'report.expires_at'])
    .where('image.account', '=', account)
    .where('image.region', '=', region)
    .where('image.repository', '=', name)
    .where('report.expires_at', '>', now)
}

async function isReported(reader: Reader, repository: Asked, now: number): Promise<boolean> {
  return (await selectUses(reader, repository, now).limit(1).executeTakeFirst()) !== undefined
}

function byDigest(rows: readonly UseRow[]): Map<Digest, Use[]> {
  const found = new Map<Digest, Use[]>()
  for (const row of rows) {
    const digest = parseDigest(row.digest)
    const uses = found.get(digest)
    if (uses === undefined) found.set(digest, [useOf(row)])
    else uses.push(useOf(row))
  }
  return found
}

function useOf({ cluster, expires_at }: UseRow): Use {
  return { cluster, until: expires_at }
}

type Writable = Kin & { readonly indexes: Digest[] }

/**
 * The images, all that they belong to, and what all those refer to: whatever may make one of them one that is in use. As far as they
 * are there.
 */
async function readKin(
  reader: Reader,
  id: number,
  places: Places,
  digests: readonly Digest[],
): Promise<ReadonlyMap<Digest, Kin>> {
  const images = new Map<Digest, Writable>()
  let above = digests
  while (above.length > 0) {
    const found = await readImages(reader, id, places, above)
    for (const image of found) images.set(image.digest, image)
    above = unknown(found.flatMap(({ subject, indexes }) => (subject === undefined ? indexes : [...indexes, subject])))
  }
  let below = [...images.keys()]
  while (below.length > 0) {
    const rows = await readReferences(reader, id, places, 'parent', below)
    const children = unknown(rows.map(({ child }) => parseDigest(child)))
    for (const digest of children) images.set(digest, { digest, subject: undefined, indexes: [] })
    for (const { parent, child } of rows) {
      const indexes = images.get(parseDigest(child))?.indexes
      const index = parseDigest(parent)
      if (indexes?.includes(index) === false) indexes.push(index)
    }
    below = children
  }
  return images

  function unknown(digests: readonly Digest[]): Digest[] {
    return [...new Set(digests)].filter((digest) => !images.has(digest))
  }
}

async function readImages(reader: Reader, id: number, places: Places, digests: readonly Digest[]): Promise<Writable[]> {
  const rows = await inPlaces(places, digests, (place, some) =>
    reader
      .selectFrom(place)
      .select(['digest', 'subject'])
      .where('repository_id', '=', id)
      .where('digest', 'in', some)
      .execute(),
  )
  const indexes = Map.groupBy(await readReferences(reader, id, places, 'child', digests), ({ child }) => child)
  return rows.map(({ digest, subject }) => ({
    digest: parseDigest(digest),
    subject: subject === null ? undefined : parseDigest(subject),
    indexes: (indexes.get(digest) ?? []).map(({ parent }) => parseDigest(parent)),
  }))
}

/** From indexes to what they refer to: of those whose `end` is one of these. */
function readReferences(
  reader: Reader,
  id: number,
  places: Places,
  end: 'parent' | 'child',
  digests: readonly Digest[],
) {
  return inPlaces(places, digests, (place, some) =>
    reader
      .selectFrom(referencesOf[place])
      .select(['parent', 'child'])
      .where('repository_id', '=', id)
      .where(end, 'in', some)
      .where('kind', '=', 'manifest')
      .execute(),
  )
}

/** All places, in parts. */
async function inPlaces<Row>(
  places: Places,
  digests: readonly Digest[],
  query: (place: Places[number], some: readonly Digest[]) => Promise<Row[]>,
) {
  const rows: Row[][] = []
  for (const place of places) rows.push(await inParts(digests, (some) => query(place, some)))
  return rows.flat()
}

/** Far below the number of values that either database takes in one statement. */
const atOnce = 1_000

async function inParts<Row>(digests: readonly Digest[], query: (some: readonly Digest[]) => Promise<Row[]>) {
  const parts: Row[][] = []
  for (let at = 0; at < digests.length; at += atOnce) parts.push(await query(digests.slice(at, at + atOnce)))
  return parts.flat()
}
