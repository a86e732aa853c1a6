import type { Reader } from '#metadata/metadata.ts'
import { parseAccountId } from '#names/account.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'
import type { RepositoryKey } from '#registry/repository.ts'

/** The repository with that number, unless it was deleted. */
export async function findRepositoryKey(reader: Reader, id: number): Promise<RepositoryKey | undefined> {
  const row = await reader
    .selectFrom('repository')
    .leftJoin('deleted_repository', 'deleted_repository.repository_id', 'repository.id')
    .select(['repository.account', 'repository.region', 'repository.name'])
    .where('repository.id', '=', id)
    .where('deleted_repository.repository_id', 'is', null)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const registry = { account: parseAccountId(row.account), region: parseRegion(row.region) }
  return { registry, name: parseRepositoryName(row.name) }
}
