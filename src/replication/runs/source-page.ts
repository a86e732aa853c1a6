import { setImmediate } from 'node:timers/promises'
import { type Glob, matchesGlob, parseStars } from '#lib/glob.ts'
import type { Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { isSameRegistry } from '#names/registry.ts'
import { isRepositoryName } from '#names/repository-name.ts'
import { parseTag } from '#names/tag.ts'
import { readSetting } from '#registry/settings.ts'
import { type ReplicationRule, replicationSetting } from '#replication/configuration.ts'
import type { SourceRepository } from '#replication/destination.ts'
import { destinationsOf } from '#replication/rules.ts'
import type { KnownItem, SourceImage } from './compare.ts'
import type { Place, Run } from './run.ts'

/** Images of one repository that a run looks at together. */
export interface SourcePage {
  readonly repository: SourceRepository
  readonly images: readonly PagedImage[]
  /** The last image of the page, whether it is among `images` or not. */
  readonly last: Place
}

export interface PagedImage extends SourceImage {
  readonly pushedAt: number
}

const imagesAtOnce = 100
const repositoriesAtOnce = 500

/** The next images of a run: those of repositories that a rule covers now. `undefined` after the last one. */
export async function readPage(reader: Reader, run: Run): Promise<SourcePage | undefined> {
  const rules = await readSetting(reader, run.source, replicationSetting)
  let { digest } = run.after
  let repository = await findRepository(reader, { run, rules }, run.after.repository, digest !== '')
  while (repository !== undefined) {
    if (repository.name !== run.after.repository) digest = ''
    const rows = await selectImages(reader, repository.id)
      .where('digest', '>', digest)
      .orderBy('digest')
      .limit(imagesAtOnce)
      .execute()
    const last = rows.at(-1)
    if (last !== undefined) {
      const images = await describe(reader, { run, repository }, rows)
      return { repository, images, last: { repository: repository.name, digest: last.digest } }
    }
    await setImmediate()
    repository = await findRepository(reader, { run, rules }, repository.name, false)
  }
  return undefined
}

/** Those of these images that are still there, as they are now. */
export async function readAgain(
  reader: Reader,
  at: { readonly run: Run; readonly repository: SourceRepository },
  digests: readonly Digest[],
): Promise<readonly PagedImage[]> {
  if (digests.length === 0) return []
  const rows = await selectImages(reader, at.repository.id)
    .where('digest', 'in', [...digests])
    .orderBy('digest')
    .execute()
  return rows.length === 0 ? [] : describe(reader, at, rows)
}

/** Archived images are not copied. */
function selectImages(reader: Reader, repositoryId: number) {
  return reader
    .selectFrom('manifest')
    .select(['digest', 'pushed_at', 'subject'])
    .where('repository_id', '=', repositoryId)
    .where('status', '=', 'ACTIVE')
}

type ImageRow = Awaited<ReturnType<ReturnType<typeof selectImages>['execute']>>[number]

/** The first one after that name, or of that name itself. */
async function findRepository(
  reader: Reader,
  { run, rules }: { readonly run: Run; readonly rules: readonly ReplicationRule[] },
  from: string,
  orItself: boolean,
): Promise<SourceRepository | undefined> {
  const { prefixes } = run.request
  for (let [after, operator] = [from, orItself ? ('>=' as const) : ('>' as const)]; ; operator = '>') {
    const rows = await reader
      .selectFrom('repository')
      .select(['id', 'name'])
      .where('account', '=', run.source.account)
      .where('region', '=', run.source.region)
      .where('name', operator, after)
      .orderBy('name')
      .limit(repositoriesAtOnce)
      .execute()
    for (const { id, name } of rows) {
      if (!isRepositoryName(name)) continue
      if (prefixes.length > 0 && !prefixes.some((prefix) => name.startsWith(prefix))) continue
      if (destinationsOf(rules, name).some((each) => isSameRegistry(each, run.destination))) return { id, name }
    }
    const last = rows.at(-1)
    if (last === undefined) return undefined
    after = last.name
  }
}

async function describe(
  reader: Reader,
  { run, repository }: { readonly run: Run; readonly repository: SourceRepository },
  rows: readonly ImageRow[],
): Promise<readonly PagedImage[]> {
  const digests = rows.map(({ digest }) => digest)
  const tagRows = await reader
    .selectFrom('tag')
    .select(['tag', 'digest', 'moved_at'])
    .where('repository_id', '=', repository.id)
    .where('digest', 'in', digests)
    .orderBy('moved_at')
    .orderBy('tag')
    .execute()
  const tags = Map.groupBy(tagRows, ({ digest }) => digest)
  const items = await findItems(reader, { run, repository }, digests)
  const globs = run.request.tagPatterns.map(parseStars)
  const selected = globs.length === 0 ? undefined : await selectByTag(reader, repository.id, rows, globs)
  return rows
    .filter(({ digest }) => selected === undefined || selected.has(digest))
    .map((row) => ({
      ...{ digest: parseDigest(row.digest), pushedAt: row.pushed_at, item: items.get(row.digest) },
      tags: (tags.get(row.digest) ?? []).map(({ tag, moved_at }) => ({ tag: parseTag(tag), movedAt: moved_at })),
    }))
}

async function findItems(
  reader: Reader,
  { run, repository }: { readonly run: Run; readonly repository: SourceRepository },
  digests: readonly string[],
): Promise<ReadonlyMap<string, KnownItem>> {
  const rows = await reader
    .selectFrom('replication_item')
    .select(['digest', 'state', 'completed_at', 'failure_code', 'failure_reason'])
    .where('repository_id', '=', repository.id)
    .where('digest', 'in', [...digests])
    .where('account', '=', run.destination.account)
    .where('region', '=', run.destination.region)
    .execute()
  return new Map(
    rows.map((row) => [
      row.digest,
      {
        // Written by this room alone.
        state: row.state as KnownItem['state'],
        completedAt: row.completed_at ?? undefined,
        failure: row.failure_code === null ? undefined : { code: row.failure_code, reason: row.failure_reason ?? '' },
      },
    ]),
  )
}

/** Indexes in indexes, and signatures of signatures: no client makes more levels. */
const mostLevels = 8

/** Those that have such a tag, and those that belong to an image that has one: children of an index, and referrers. */
async function selectByTag(
  reader: Reader,
  repositoryId: number,
  rows: readonly ImageRow[],
  globs: readonly Glob[],
): Promise<ReadonlySet<string>> {
  const selected = new Set<string>()
  // For each image of the page, the images above it that are still to be looked at.
  let above = new Map(rows.map(({ digest }) => [digest, new Set([digest])]))
  for (let level = 0; level < mostLevels && above.size > 0; level++) {
    const all = [...new Set([...above.values()].flatMap((set) => [...set]))]
    const tagged = await findTagged(reader, repositoryId, all, globs)
    const next = new Map<string, Set<string>>()
    const parents = await findParents(reader, repositoryId, all)
    for (const [digest, looked] of above) {
      if ([...looked].some((each) => tagged.has(each))) selected.add(digest)
      else {
        const higher = new Set([...looked].flatMap((each) => parents.get(each) ?? []))
        if (higher.size > 0) next.set(digest, higher)
      }
    }
    above = next
  }
  return selected
}

async function findTagged(reader: Reader, repositoryId: number, digests: readonly string[], globs: readonly Glob[]) {
  const tagged = new Set<string>()
  for (const some of batchesOf(digests)) {
    const rows = await reader
      .selectFrom('tag')
      .select(['tag', 'digest'])
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', some)
      .execute()
    for (const { tag, digest } of rows) if (globs.some((glob) => matchesGlob(glob, tag))) tagged.add(digest)
  }
  return tagged
}

/** The indexes that list an image, and its subject. */
async function findParents(reader: Reader, repositoryId: number, digests: readonly string[]) {
  const parents = new Map<string, string[]>()
  const add = (digest: string, parent: string) => parents.set(digest, [...(parents.get(digest) ?? []), parent])
  for (const some of batchesOf(digests)) {
    const indexes = await reader
      .selectFrom('manifest_reference')
      .select(['parent', 'child'])
      .where('repository_id', '=', repositoryId)
      .where('child', 'in', some)
      .where('kind', '=', 'manifest')
      .execute()
    for (const { parent, child } of indexes) add(child, parent)
    const subjects = await reader
      .selectFrom('manifest')
      .select(['digest', 'subject'])
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', some)
      .where('subject', 'is not', null)
      .execute()
    for (const { digest, subject } of subjects) if (subject !== null) add(digest, subject)
  }
  return parents
}

function* batchesOf(digests: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < digests.length; at += 500) yield digests.slice(at, at + 500)
}
