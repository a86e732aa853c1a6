import { setImmediate } from 'node:timers/promises'
import type { ExpressionBuilder } from 'kysely'
import type { Reader } from '#metadata/metadata.ts'
import type { Schema } from '#metadata/schema.ts'
import { type Digest, parseDigest } from '#names/digest.ts'

/** A cached image that no index of its repository has, and that is no referrer of an image there. */
export interface EvictionCandidate {
  readonly repositoryId: number
  readonly digest: Digest
  /** Its last pull, or that of a child, or its arrival, whichever came last. Milliseconds since the epoch. */
  readonly usedAt: number
}

/** The candidates of these repositories, the one that has been unused for longest first. Other work runs between two repositories. */
export async function findCandidates(reader: Reader, repositoryIds: readonly number[]): Promise<EvictionCandidate[]> {
  const found: EvictionCandidate[] = []
  for (const id of repositoryIds) {
    found.push(...(await findCandidatesIn(reader, id)))
    await setImmediate()
  }
  return found.sort((a, b) => a.usedAt - b.usedAt || (a.digest < b.digest ? -1 : 1))
}

/** Of one repository, or of these images in it. */
export async function findCandidatesIn(
  reader: Reader,
  repositoryId: number,
  digests?: readonly Digest[],
): Promise<EvictionCandidate[]> {
  const rows = await reader
    .selectFrom('manifest')
    .innerJoin('cached_image', (join) =>
      join
        .onRef('cached_image.repository_id', '=', 'manifest.repository_id')
        .onRef('cached_image.digest', '=', 'manifest.digest'),
    )
    .select((eb) => [
      'manifest.digest',
      'manifest.pulled_at',
      'cached_image.fetched_at',
      eb
        .selectFrom('manifest_reference as below')
        .innerJoin('manifest as child', (join) =>
          join.onRef('child.repository_id', '=', 'below.repository_id').onRef('child.digest', '=', 'below.child'),
        )
        .select(({ fn }) => fn.max('child.pulled_at').as('at'))
        .whereRef('below.repository_id', '=', 'manifest.repository_id')
        .whereRef('below.parent', '=', 'manifest.digest')
        .where('below.kind', '=', 'manifest')
        .as('child_pulled_at'),
    ])
    .where('manifest.repository_id', '=', repositoryId)
    .$if(digests !== undefined, (query) => query.where('manifest.digest', 'in', [...(digests ?? [])]))
    .where('manifest.status', '=', 'ACTIVE')
    .where(hasCachedTagsOnly)
    .where(({ and, or, not, exists, eb, selectFrom }) =>
      and([
        not(
          exists(
            selectFrom('manifest_reference as above')
              .select('above.parent')
              .whereRef('above.repository_id', '=', 'manifest.repository_id')
              .whereRef('above.child', '=', 'manifest.digest')
              .where('above.kind', '=', 'manifest'),
          ),
        ),
        or([
          eb('manifest.subject', 'is', null),
          not(
            exists(
              selectFrom('manifest as subject')
                .select('subject.digest')
                .whereRef('subject.repository_id', '=', 'manifest.repository_id')
                .whereRef('subject.digest', '=', 'manifest.subject'),
            ),
          ),
        ]),
      ]),
    )
    .execute()
  return rows.map(({ digest, pulled_at, fetched_at, child_pulled_at }) => ({
    repositoryId,
    digest: parseDigest(digest),
    usedAt: Math.max(pulled_at ?? 0, Number(child_pulled_at ?? 0), fetched_at),
  }))
}

/** Whether the upstream made each tag of an image. A tag that a client pushed keeps its image. */
function hasCachedTagsOnly({ not, exists, selectFrom }: ExpressionBuilder<Schema, 'manifest'>) {
  return not(
    exists(
      selectFrom('tag')
        .leftJoin('cached_tag', (join) =>
          join.onRef('cached_tag.repository_id', '=', 'tag.repository_id').onRef('cached_tag.tag', '=', 'tag.tag'),
        )
        .select('tag.tag')
        .whereRef('tag.repository_id', '=', 'manifest.repository_id')
        .whereRef('tag.digest', '=', 'manifest.digest')
        .where(({ or, and, eb }) =>
          or([
            eb('cached_tag.tag', 'is', null),
            and([
              eb('cached_tag.digest', '!=', eb.ref('tag.digest')),
              or([eb('cached_tag.over_digest', 'is', null), eb('cached_tag.over_digest', '!=', eb.ref('tag.digest'))]),
            ]),
          ]),
        ),
    ),
  )
}

/**
 * The image with what goes along with it: its cached children that no other index has, and cached referrers of all these. One that has a
 * tag stays, and so does one that was pushed or is archived. Requires the repository's exclusive lock, if it is to stay true.
 */
export async function findWhole(reader: Reader, repositoryId: number, digest: Digest): Promise<Digest[]> {
  const whole = new Set([digest])
  for (let before = 0; whole.size > before; ) {
    before = whole.size
    const rows = await reader
      .selectFrom('manifest')
      .innerJoin('cached_image', (join) =>
        join
          .onRef('cached_image.repository_id', '=', 'manifest.repository_id')
          .onRef('cached_image.digest', '=', 'manifest.digest'),
      )
      .select('manifest.digest')
      .where('manifest.repository_id', '=', repositoryId)
      .where('manifest.digest', 'not in', [...whole])
      .where('manifest.status', '=', 'ACTIVE')
      .where(({ eb, or, and, not, exists, selectFrom }) => {
        const reference = () =>
          selectFrom('manifest_reference as above')
            .select('above.parent')
            .where('above.repository_id', '=', repositoryId)
            .whereRef('above.child', '=', 'manifest.digest')
            .where('above.kind', '=', 'manifest')
        const tag = selectFrom('tag')
          .select('tag.tag')
          .where('tag.repository_id', '=', repositoryId)
          .whereRef('tag.digest', '=', 'manifest.digest')
        return and([
          not(exists(tag)),
          not(exists(reference().where('above.parent', 'not in', [...whole]))),
          or([eb('manifest.subject', 'in', [...whole]), exists(reference().where('above.parent', 'in', [...whole]))]),
        ])
      })
      .execute()
    for (const row of rows) whole.add(parseDigest(row.digest))
  }
  return [...whole]
}
