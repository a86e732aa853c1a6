import type { Selectable } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { type Page, pageOf } from '#lib/page.ts'
import type { Metadata, Reader } from '#metadata/metadata.ts'
import type { TagMoveTable } from '#metadata/schema/registry.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import { getRepository, type Repository, type RepositoryKey } from './repository.ts'
import type { Act, TagMove, TagMoveCause } from './tag-moves.ts'
import { parseSource } from './tag-source.ts'

/** What tags pointed to, as far back as their moves are kept: from before that, each tag's last move alone. */
export interface TagHistory {
  /** Of one tag or of all, newest first; `after` is the `id` of the last one that was listed. @throws Refusal `RepositoryNotFound` */
  list(key: RepositoryKey, request: TagMovesRequest): Promise<Page<RecordedTagMove, number>>
  /** @throws Refusal `RepositoryNotFound` */
  at(key: RepositoryKey, tag: Tag, time: number): Promise<TagAt>
}

export interface TagMovesRequest {
  readonly tag?: Tag | undefined
  readonly limit: number
  readonly after?: number | undefined
}

export interface RecordedTagMove extends TagMove, Act {
  /** Grows with each move of a repository. */
  readonly id: number
  readonly cause: TagMoveCause
  /** The registry that replicated the tag, if one did. */
  readonly source: Registry | undefined
}

/** What a tag pointed to at a time. */
export interface TagAt {
  /** The last move by then; `undefined` if none is known. */
  readonly move: RecordedTagMove | undefined
  /** What becomes of the image meanwhile; `undefined` where the tag pointed to none. */
  readonly state: PastImageState | undefined
}

export type PastImageState = 'active' | 'archived' | 'in recycle bin' | 'gone'

export function createTagHistory({ metadata: { reader }, clock }: { metadata: Metadata; clock: Clock }): TagHistory {
  return {
    async list(key, { tag, limit, after }) {
      const { id } = await getRepository(reader, key)
      const rows = await reader
        .selectFrom('tag_move')
        .selectAll()
        .where('repository_id', '=', id)
        .$if(tag !== undefined, (query) => query.where('tag', '=', tag ?? ''))
        .$if(after !== undefined, (query) => query.where('id', '<', after ?? 0))
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(parseMove), limit, (move) => move.id)
    },

    async at(key, tag, time) {
      const repository = await getRepository(reader, key)
      const move = await findLastMove(reader, repository, tag, time)
      return { move, state: move?.to && (await findImageState(reader, repository, move.to, clock())) }
    },
  }
}

/** The last move of a tag by a time. */
export async function findLastMove(
  reader: Reader,
  { id }: Pick<Repository, 'id'>,
  tag: Tag,
  by: number,
): Promise<RecordedTagMove | undefined> {
  const row = await reader
    .selectFrom('tag_move')
    .selectAll()
    .where('repository_id', '=', id)
    .where('tag', '=', tag)
    .where('moved_at', '<=', by)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && parseMove(row)
}

/** The last image that a tag pointed to and that is another than it points to now, if it points to any. */
export async function findLastOther(
  reader: Reader,
  { id }: Pick<Repository, 'id'>,
  tag: Tag,
  now: Digest | undefined,
): Promise<Digest | undefined> {
  const row = await reader
    .selectFrom('tag_move')
    .select('from_digest')
    .where('repository_id', '=', id)
    .where('tag', '=', tag)
    .where('from_digest', 'is not', null)
    .$if(now !== undefined, (query) => query.where('from_digest', '!=', now ?? ''))
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined || row.from_digest === null ? undefined : parseDigest(row.from_digest)
}

/** Whether any move of the tag that is kept came from or went to that image. */
export async function hasPointedTo(
  reader: Reader,
  { id }: Pick<Repository, 'id'>,
  tag: Tag,
  digest: Digest,
): Promise<boolean> {
  const row = await reader
    .selectFrom('tag_move')
    .select('id')
    .where('repository_id', '=', id)
    .where('tag', '=', tag)
    .where((where) => where.or([where('to_digest', '=', digest), where('from_digest', '=', digest)]))
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export async function findImageState(
  reader: Reader,
  { id }: Pick<Repository, 'id'>,
  digest: Digest,
  now: number,
): Promise<PastImageState> {
  // In one statement, so that an image that is deleted or restored meanwhile is in one place or the other.
  const row = await reader
    .selectNoFrom((select) => [
      select
        .selectFrom('manifest')
        .select('status')
        .where('repository_id', '=', id)
        .where('digest', '=', digest)
        .as('status'),
      select
        .selectFrom('deleted_image')
        .select('digest')
        .where('repository_id', '=', id)
        .where('digest', '=', digest)
        // One whose time is up cannot be restored, whether it has been taken away yet or not.
        .where('purge_at', '>', now)
        .as('deleted'),
    ])
    .executeTakeFirstOrThrow()
  if (row.status !== null) return row.status === 'ACTIVE' ? 'active' : 'archived'
  return row.deleted === null ? 'gone' : 'in recycle bin'
}

function parseMove(row: Selectable<TagMoveTable>): RecordedTagMove {
  return {
    id: row.id,
    tag: parseTag(row.tag),
    from: row.from_digest === null ? undefined : parseDigest(row.from_digest),
    to: row.to_digest === null ? undefined : parseDigest(row.to_digest),
    at: row.moved_at,
    by: row.moved_by,
    // Written by this room alone.
    cause: row.cause as TagMoveCause,
    source: parseSource(row),
  }
}
