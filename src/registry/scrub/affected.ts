import type { Reader } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import type { RepositoryKey } from '#registry/repository.ts'

/** Whom it concerns that a blob is damaged: the repositories that link it, with the images that need it, deleted ones too. */
export interface AffectedRepository extends RepositoryKey {
  /** The first of them. */
  readonly images: readonly Digest[]
}

/** A base image's layer may be anywhere. */
const mostRepositories = 1_000
const mostImages = 20

export async function findAffected(reader: Reader, digest: Digest): Promise<readonly AffectedRepository[]> {
  const rows = await selectKeys(reader)
    .innerJoin('repository_blob', 'repository_blob.repository_id', 'repository.id')
    .where('repository_blob.digest', '=', digest)
    .limit(mostRepositories)
    .execute()
  const affected: AffectedRepository[] = []
  for (const row of rows) {
    const parents = await Promise.all(
      (['manifest_reference', 'deleted_image_reference'] as const).map((table) =>
        reader
          .selectFrom(table)
          .select('parent')
          .distinct()
          .where('repository_id', '=', row.id)
          .where('child', '=', digest)
          .limit(mostImages)
          .execute(),
      ),
    )
    const images = new Set(parents.flat().map(({ parent }) => parseDigest(parent)))
    affected.push({ ...parseKey(row), images: [...images].slice(0, mostImages) })
  }
  return affected
}

/** The repository of a manifest; `undefined` if it is gone. */
export async function findKeyOf(reader: Reader, repositoryId: number): Promise<RepositoryKey | undefined> {
  const row = await selectKeys(reader).where('repository.id', '=', repositoryId).executeTakeFirst()
  return row && parseKey(row)
}

/** Repositories by what they are called, or were before they went to the recycle bin. */
export function selectKeys(reader: Reader) {
  return reader
    .selectFrom('repository')
    .leftJoin('deleted_repository as deleted', 'deleted.repository_id', 'repository.id')
    .select(({ fn }) => [
      'repository.id',
      fn.coalesce('deleted.account', 'repository.account').as('account'),
      fn.coalesce('deleted.region', 'repository.region').as('region'),
      fn.coalesce('deleted.name', 'repository.name').as('name'),
    ])
}

export function parseKey(row: {
  readonly account: string
  readonly region: string
  readonly name: string
}): RepositoryKey {
  return {
    registry: { account: parseAccountId(row.account), region: parseRegion(row.region) },
    name: parseRepositoryName(row.name),
  }
}
