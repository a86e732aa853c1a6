import type { Reader } from '#metadata/metadata.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseRepository, type RepositoryKey } from '#registry/repository.ts'

/** Whom it concerns that a blob is damaged: the repositories that link it, with the images that need it. */
export interface AffectedRepository extends RepositoryKey {
  /** The first of them. */
  readonly images: readonly Digest[]
}

/** A base image's layer may be anywhere. */
const mostRepositories = 1_000
const mostImages = 20

export async function findAffected(reader: Reader, digest: Digest): Promise<readonly AffectedRepository[]> {
  const rows = await reader
    .selectFrom('repository_blob')
    .innerJoin('repository', 'repository.id', 'repository_blob.repository_id')
    .selectAll('repository')
    .where('repository_blob.digest', '=', digest)
    // One in the recycle bin belongs to nobody.
    .where('repository.account', '!=', '')
    .limit(mostRepositories)
    .execute()
  const affected: AffectedRepository[] = []
  for (const row of rows) {
    const { id, registry, name } = parseRepository(row)
    const parents = await reader
      .selectFrom('manifest_reference')
      .select('parent')
      .distinct()
      .where('repository_id', '=', id)
      .where('child', '=', digest)
      .limit(mostImages)
      .execute()
    affected.push({ registry, name, images: parents.map(({ parent }) => parseDigest(parent)) })
  }
  return affected
}

/** The repository of a manifest; `undefined` if it is gone, or in the recycle bin. */
export async function findKeyOf(reader: Reader, repositoryId: number): Promise<RepositoryKey | undefined> {
  const row = await reader
    .selectFrom('repository')
    .selectAll()
    .where('id', '=', repositoryId)
    .where('account', '!=', '')
    .executeTakeFirst()
  return row && parseRepository(row)
}
