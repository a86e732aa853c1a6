import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { isImmutable, type TagMutabilityMode } from '#registry/tag-mutability.ts'
import type { TagState } from './freshness.ts'

/** What is known of tags that come from an upstream, in SQL. */
export interface TagStates {
  /** Of a repository that is not there, nothing. Each pull by tag of a cached repository asks: `bench` figure "manifest GET, cached". */
  find(key: RepositoryKey, tag: Tag): Promise<TagState>
}

interface StateRow {
  readonly tag_mutability: string
  readonly tag_mutability_exclusions: string
  readonly local: string | null
  readonly digest: string | null
  readonly over_digest: string | null
  readonly checked_at: number | null
  readonly pending: string | null
  readonly failed_at: number | null
}

type ByTag = { account: string; region: string; name: string; tag: string }

const unknown: TagState = { local: undefined, isImmutable: false, cached: undefined }

export function createTagStates({ metadata }: { readonly metadata: Metadata }): TagStates {
  const findState = metadata.prepare<ByTag, StateRow>((db, p) =>
    db
      .selectFrom('repository')
      .leftJoin('tag', (join) => join.onRef('tag.repository_id', '=', 'repository.id').on('tag.tag', '=', p('tag')))
      .leftJoin('cached_tag', (join) =>
        join.onRef('cached_tag.repository_id', '=', 'repository.id').on('cached_tag.tag', '=', p('tag')),
      )
      .leftJoin('pending_manifest', (join) =>
        join
          .onRef('pending_manifest.repository_id', '=', 'repository.id')
          .onRef('pending_manifest.digest', '=', 'cached_tag.digest'),
      )
      .select([
        'repository.tag_mutability',
        'repository.tag_mutability_exclusions',
        'tag.digest as local',
        'cached_tag.digest',
        'cached_tag.over_digest',
        'cached_tag.checked_at',
        'pending_manifest.digest as pending',
        'pending_manifest.failed_at',
      ])
      .where('repository.account', '=', p('account'))
      .where('repository.region', '=', p('region'))
      .where('repository.name', '=', p('name')),
  )

  return {
    async find({ registry: { account, region }, name }, tag) {
      const [row] = await findState({ account, region, name, tag })
      return row === undefined ? unknown : stateOf(row, tag)
    },
  }
}

/** The digests were parsed when they were stored, and the columns of the repository when it was. */
function stateOf(row: StateRow, tag: Tag): TagState {
  const local = (row.local ?? undefined) as Digest | undefined
  const isFixed =
    row.tag_mutability !== 'MUTABLE' &&
    isImmutable(
      {
        mode: row.tag_mutability as TagMutabilityMode,
        exclusions: JSON.parse(row.tag_mutability_exclusions) as string[],
      },
      tag,
    )
  if (row.digest === null || row.checked_at === null) return { local, isImmutable: isFixed, cached: undefined }
  const pending = row.pending === null ? 'none' : row.failed_at === null ? 'arriving' : 'failing'
  const digest = row.digest as Digest
  const over = (row.over_digest ?? undefined) as Digest | undefined
  return { local, isImmutable: isFixed, cached: { digest, over, checkedAt: row.checked_at, pending } }
}

/**
 * Keeps what the upstream says of a tag, in a transaction that holds the repository. The tag may point here to something else still. A tag
 * that a client pushed stays the client's: then nothing is kept.
 */
export async function recordTag(
  trx: Transaction,
  repositoryId: number,
  tag: Tag,
  { digest, now }: { readonly digest: Digest; readonly now: number },
): Promise<boolean> {
  const { local, isOurs } = await readOwner(trx, repositoryId, tag)
  if (!isOurs) return false
  await writeTag(trx, repositoryId, tag, { digest, over: local === digest ? undefined : local, now })
  return true
}

/** As `recordTag`, of a tag that the cache has moved in the same transaction. */
export async function recordMovedTag(
  trx: Transaction,
  repositoryId: number,
  tag: Tag,
  { digest, now }: { readonly digest: Digest; readonly now: number },
): Promise<void> {
  await writeTag(trx, repositoryId, tag, { digest, over: undefined, now })
}

async function writeTag(
  trx: Transaction,
  repositoryId: number,
  tag: Tag,
  { digest, over, now }: { readonly digest: Digest; readonly over: string | undefined; readonly now: number },
): Promise<void> {
  const row = { digest, over_digest: over ?? null, checked_at: now }
  await trx
    .insertInto('cached_tag')
    .values({ repository_id: repositoryId, tag, ...row })
    .onConflict((conflict) => conflict.columns(['repository_id', 'tag']).doUpdateSet(row))
    .execute()
}

/** To be called by transactions in which a client moves a tag: the tag is the client's, though it may point to what the upstream has. */
export async function forgetTag(trx: Transaction, repositoryId: number, tag: Tag): Promise<void> {
  await trx.deleteFrom('cached_tag').where('repository_id', '=', repositoryId).where('tag', '=', tag).execute()
}

/** Whether the cache may move a tag: one that is not here, or points to what the cache put there. */
export async function mayMove(trx: Transaction, repositoryId: number, tag: Tag): Promise<boolean> {
  return (await readOwner(trx, repositoryId, tag)).isOurs
}

async function readOwner(trx: Transaction, repositoryId: number, tag: Tag) {
  const row = await trx
    .selectFrom('tag')
    .leftJoin('cached_tag', (join) =>
      join.onRef('cached_tag.repository_id', '=', 'tag.repository_id').onRef('cached_tag.tag', '=', 'tag.tag'),
    )
    .select(['tag.digest as local', 'cached_tag.digest', 'cached_tag.over_digest'])
    .where('tag.repository_id', '=', repositoryId)
    .where('tag.tag', '=', tag)
    .executeTakeFirst()
  if (row === undefined) return { local: undefined, isOurs: true }
  return { local: row.local, isOurs: row.local === row.digest || row.local === row.over_digest }
}

/** The tags that are to point to a pending manifest once its content is here. */
export async function findTagsFor(reader: Reader, repositoryId: number, digest: Digest): Promise<Tag[]> {
  const rows = await reader
    .selectFrom('cached_tag')
    .leftJoin('tag', (join) =>
      join.onRef('tag.repository_id', '=', 'cached_tag.repository_id').onRef('tag.tag', '=', 'cached_tag.tag'),
    )
    .select(['cached_tag.tag', 'cached_tag.over_digest', 'tag.digest as local'])
    .where('cached_tag.repository_id', '=', repositoryId)
    .where('cached_tag.digest', '=', digest)
    .execute()
  // A tag that a push moved meanwhile stays where the push put it.
  return rows
    .filter(({ local, over_digest: over }) => local === null || local === over || local === digest)
    .map(({ tag }) => tag as Tag)
}
