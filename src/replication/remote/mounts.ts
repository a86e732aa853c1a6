import type { Reader } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import { parseRepositoryName, type RepositoryName } from '#names/repository-name.ts'

export interface MountWanted {
  readonly source: Registry
  readonly destination: Registry
  /** Number of the source's repository that the blob is sent from. */
  readonly repositoryId: number
  readonly digest: Digest
}

/** Another repository with an image that needs this blob and has reached the destination, so that the blob is there already. */
export async function findMountSource(
  reader: Reader,
  { source, destination, repositoryId, digest }: MountWanted,
): Promise<RepositoryName | undefined> {
  const row = await reader
    .selectFrom('repository_blob as link')
    .innerJoin('repository', 'repository.id', 'link.repository_id')
    .select('repository.name')
    .where('link.digest', '=', digest)
    .where('link.repository_id', '!=', repositoryId)
    .where('repository.account', '=', source.account)
    .where('repository.region', '=', source.region)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('manifest_reference as reference')
          .innerJoin('replication_item as item', (join) =>
            join
              .onRef('item.repository_id', '=', 'reference.repository_id')
              .onRef('item.digest', '=', 'reference.parent'),
          )
          .select('item.id')
          .whereRef('reference.repository_id', '=', 'link.repository_id')
          .where('reference.child', '=', digest)
          .where('item.account', '=', destination.account)
          .where('item.region', '=', destination.region)
          .where('item.completed_at', 'is not', null),
      ),
    )
    .limit(1)
    .executeTakeFirst()
  return row && parseRepositoryName(row.name)
}
