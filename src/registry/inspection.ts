import type { Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import { inParts } from './copying/parts.ts'
import { findDeletedImages, findDeletedTags } from './own-deletions.ts'
import { type RepositoryKey, selectRepositories } from './repository.ts'

/** What a repository has of some images and tags. `deleted`: it had them, and deleted them by itself. */
export interface RepositoryInspection {
  readonly images: ReadonlyMap<Digest, 'present' | 'archived' | 'absent' | 'deleted'>
  readonly tags: ReadonlyMap<Tag, Digest | 'absent' | 'deleted'>
}

/** A repository that does not exist has nothing. One in the recycle bin had what it holds. */
export async function inspectRepository(
  reader: Reader,
  key: RepositoryKey,
  { digests, tags }: { readonly digests: readonly Digest[]; readonly tags: readonly Tag[] },
): Promise<RepositoryInspection> {
  const row = await selectRepositories(reader, key.registry).where('name', '=', key.name).executeTakeFirst()
  const statuses = row === undefined ? new Map<Digest, string>() : await findStatuses(reader, row.id, digests)
  const targets = row === undefined ? new Map<Tag, Digest>() : await findTargets(reader, row.id, tags)
  const lacking = digests.filter((digest) => !statuses.has(digest))
  const deleted = new Set<Digest>()
  for (const id of await findDeletedRepositories(reader, key)) {
    for (const digest of (await findStatuses(reader, id, lacking)).keys()) deleted.add(digest)
    for (const digest of await findDeletedImages(reader, id, lacking)) deleted.add(digest)
  }
  if (row !== undefined) for (const digest of await findDeletedImages(reader, row.id, lacking)) deleted.add(digest)
  const free = tags.filter((tag) => !targets.has(tag))
  const deletedTags = row === undefined ? new Set<Tag>() : await findDeletedTags(reader, row.id, free)
  return {
    images: new Map(
      digests.map((digest) => {
        const status = statuses.get(digest)
        if (status !== undefined) return [digest, status === 'ARCHIVED' ? 'archived' : 'present']
        return [digest, deleted.has(digest) ? 'deleted' : 'absent']
      }),
    ),
    tags: new Map(tags.map((tag) => [tag, targets.get(tag) ?? (deletedTags.has(tag) ? 'deleted' : 'absent')])),
  }
}

async function findStatuses(
  reader: Reader,
  repositoryId: number,
  digests: readonly Digest[],
): Promise<ReadonlyMap<Digest, string>> {
  const rows = await inParts(digests, (some) =>
    reader
      .selectFrom('manifest')
      .select(['digest', 'status'])
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', some)
      .execute(),
  )
  return new Map(rows.map(({ digest, status }) => [parseDigest(digest), status]))
}

async function findTargets(
  reader: Reader,
  repositoryId: number,
  tags: readonly Tag[],
): Promise<ReadonlyMap<Tag, Digest>> {
  const rows = await inParts(tags, (some) =>
    reader
      .selectFrom('tag')
      .select(['tag', 'digest'])
      .where('repository_id', '=', repositoryId)
      .where('tag', 'in', some)
      .execute(),
  )
  return new Map(rows.map(({ tag, digest }) => [parseTag(tag), parseDigest(digest)]))
}

async function findDeletedRepositories(reader: Reader, { registry, name }: RepositoryKey): Promise<number[]> {
  const rows = await reader
    .selectFrom('deleted_repository')
    .select('repository_id')
    .where('account', '=', registry.account)
    .where('region', '=', registry.region)
    .where('name', '=', name)
    .execute()
  return rows.map(({ repository_id }) => repository_id)
}
