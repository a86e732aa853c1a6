import { type Page, pageOf } from '#lib/page.ts'
import type { Reader, Transaction } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseRepositoryName, type RepositoryName } from '#names/repository-name.ts'
import { parseTag, type Tag } from '#names/tag.ts'
import type { Compared, ComparedTag } from './compare.ts'
import type { Run, RunCounts } from './run.ts'

/** An image, or one of its tags, that is not the same on both sides. */
export interface Finding {
  readonly kind: FindingKind
  readonly digest: Digest
  readonly tag: Tag | undefined
  /** What the tag points to at the destination. */
  readonly there: Digest | undefined
  readonly reason: string | undefined
}

/**
 * `MISSING`: it is not there. `WAITING`: it is on its way. `FAILED`: the destination refused it. `DELETED`: the destination deleted it.
 * `LOST`: it was there and is gone without a trace. `DIFFERS`: the tag points to another image there.
 */
export type FindingKind = 'MISSING' | 'WAITING' | 'FAILED' | 'DELETED' | 'LOST' | 'DIFFERS'

export interface ListedFinding extends Finding {
  readonly id: number
  readonly repository: RepositoryName
}

/** A run keeps so many. More are counted. */
export const mostFindings = 10_000

const imageKinds = {
  present: undefined,
  ...{ waiting: 'WAITING', failed: 'FAILED', missing: 'MISSING', deleted: 'DELETED', lost: 'LOST' },
} as const satisfies Record<Compared['state'], FindingKind | undefined>

const tagKinds = {
  same: undefined,
  ...{ waiting: 'WAITING', missing: 'MISSING', behind: 'DIFFERS', kept: 'DIFFERS', deleted: 'DELETED', lost: 'LOST' },
} as const satisfies Record<ComparedTag['state'], FindingKind | undefined>

const differences: Partial<Record<ComparedTag['state'], string>> = {
  behind: 'the tag moved here, and was not sent since then',
  kept: 'the tag was sent: it is immutable there, or a later push there moved it',
}

/** What one image shows. The tags of an image that is not there are not reported beside it. */
export function findingsOf({ image, state, tags }: Compared): readonly Finding[] {
  const kind = imageKinds[state]
  if (kind !== undefined) {
    const { failure } = image.item ?? {}
    const reason = failure && `${failure.code}: ${failure.reason}`
    return [{ kind, digest: image.digest, tag: undefined, there: undefined, reason }]
  }
  return tags.flatMap((each) => {
    const tagKind = tagKinds[each.state]
    if (tagKind === undefined) return []
    return [{ kind: tagKind, digest: image.digest, tag: each.tag, there: each.there, reason: differences[each.state] }]
  })
}

export function countsOf(compared: readonly Compared[]): Partial<RunCounts> {
  const images = (state: Compared['state']) => compared.filter((each) => each.state === state).length
  const tags = (...states: ComparedTag['state'][]) =>
    compared.reduce((sum, each) => {
      if (each.state !== 'present') return sum
      return sum + each.tags.filter((tag) => states.includes(tag.state)).length
    }, 0)
  return {
    ...{ listed: compared.length, present: images('present'), waiting: images('waiting'), failed: images('failed') },
    ...{ missing: images('missing'), deleted: images('deleted'), lost: images('lost') },
    ...{ tagsMissing: tags('missing', 'lost'), tagsDiffering: tags('behind', 'kept'), tagsDeleted: tags('deleted') },
  }
}

/** Returns how many it dropped because the run has enough. */
export async function addFindings(
  trx: Transaction,
  { id }: Pick<Run, 'id'>,
  repository: string,
  findings: readonly Finding[],
): Promise<number> {
  if (findings.length === 0) return 0
  const { count } = await trx
    .selectFrom('replication_finding')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('run_id', '=', id)
    .executeTakeFirstOrThrow()
  const kept = findings.slice(0, Math.max(0, mostFindings - Number(count)))
  for (const { kind, digest, tag = null, there = null, reason = null } of kept) {
    await trx
      .insertInto('replication_finding')
      .values({ run_id: id, repository, digest, tag, kind, there, reason })
      .execute()
  }
  return findings.length - kept.length
}

export async function listFindings(
  reader: Reader,
  run: Pick<Run, 'id'>,
  {
    kind,
    limit,
    after,
  }: { readonly kind: FindingKind | undefined; readonly limit: number; readonly after: number | undefined },
): Promise<Page<ListedFinding, number>> {
  const rows = await reader
    .selectFrom('replication_finding')
    .selectAll()
    .where('run_id', '=', run.id)
    .$if(kind !== undefined, (query) => query.where('kind', '=', kind ?? ''))
    .$if(after !== undefined, (query) => query.where('id', '>', after ?? 0))
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  const findings = rows.map((row) => ({
    // Written by `addFindings`.
    ...{ id: row.id, kind: row.kind as FindingKind, repository: parseRepositoryName(row.repository) },
    ...{ digest: parseDigest(row.digest), tag: row.tag === null ? undefined : parseTag(row.tag) },
    ...{ there: row.there === null ? undefined : parseDigest(row.there), reason: row.reason ?? undefined },
  }))
  return pageOf(findings, limit, ({ id }) => id)
}
