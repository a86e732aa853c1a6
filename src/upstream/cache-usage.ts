import { setImmediate } from 'node:timers/promises'
import { readInSteps } from '#lib/slices.ts'
import type { Reader } from '#metadata/metadata.ts'
import type { RepositoryPrefix } from '#names/repository-prefix.ts'
import { isUnderRule } from './rule-repositories.ts'
import type { RuleKey } from './rule-status.ts'

/**
 * What the repositories under a rule have cached. Read in steps, with other work of the process between two steps: a large cache has
 * hundreds of thousands of links.
 */

/** The numbers of the repositories that hold something of an upstream, or did so before. */
export async function readCachedRepositories(
  reader: Reader,
  rule: RuleKey,
  prefixes: readonly RepositoryPrefix[],
): Promise<number[]> {
  const rows = await reader
    .selectFrom('repository')
    .select('id')
    .where((eb) => isUnderRule(eb, rule, prefixes))
    .where(({ exists, selectFrom }) =>
      exists(selectFrom('cached_image').select('digest').whereRef('cached_image.repository_id', '=', 'repository.id')),
    )
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

export interface ImageCounts {
  /** Repositories that hold cached images. */
  readonly repositories: number
  readonly images: number
}

export async function countCachedImages(reader: Reader, repositoryIds: readonly number[]): Promise<ImageCounts> {
  let [repositories, images] = [0, 0]
  for (const id of repositoryIds) {
    const row = await reader
      .selectFrom('cached_image')
      .innerJoin('manifest', (join) =>
        join
          .onRef('manifest.repository_id', '=', 'cached_image.repository_id')
          .onRef('manifest.digest', '=', 'cached_image.digest'),
      )
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('cached_image.repository_id', '=', id)
      .executeTakeFirstOrThrow()
    const count = Number(row.count)
    images += count
    if (count > 0) repositories++
    await setImmediate()
  }
  return { repositories, images }
}

const linksAtOnce = 1_000

/** Of the blobs that cached images refer to, each counted once. Foreign layers count where a repository has them. */
export async function readCachedBytes(reader: Reader, repositoryIds: readonly number[]): Promise<number> {
  const counted = new Set<number>()
  let bytes = 0
  for (const id of repositoryIds) {
    const steps = readInSteps<LinkRow>(linksAtOnce, (after, limit) => readLinks(reader, id, after?.digest ?? '', limit))
    for await (const links of steps) {
      for (const { digest, size } of links) {
        const key = keyOf(digest)
        if (counted.has(key)) continue
        counted.add(key)
        bytes += size
      }
    }
    await setImmediate()
  }
  return bytes
}

interface LinkRow {
  readonly digest: string
  readonly size: number
}

/** 52 bits of a digest: a number needs far less memory than a text, and a million of them hardly ever meet. */
function keyOf(digest: string): number {
  const start = digest.indexOf(':') + 1
  return Number.parseInt(digest.slice(start, start + 13), 16)
}

function readLinks(reader: Reader, repositoryId: number, after: string, limit: number): Promise<LinkRow[]> {
  return reader
    .selectFrom('repository_blob as link')
    .innerJoin('blob', 'blob.digest', 'link.digest')
    .select(['link.digest', 'blob.size'])
    .where('link.repository_id', '=', repositoryId)
    .where('link.digest', '>', after)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('manifest_reference as reference')
          .innerJoin('cached_image', (join) =>
            join
              .onRef('cached_image.repository_id', '=', 'reference.repository_id')
              .onRef('cached_image.digest', '=', 'reference.parent'),
          )
          .select('reference.child')
          .where('reference.repository_id', '=', repositoryId)
          .whereRef('reference.child', '=', 'link.digest')
          .where('reference.kind', '!=', 'manifest'),
      ),
    )
    .orderBy('link.digest')
    .limit(limit)
    .execute()
}
