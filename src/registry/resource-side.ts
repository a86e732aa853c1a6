import type { FindResourceSide } from '#iam/authorize.ts'
import type { CompileDocument } from '#iam/compiled.ts'
import type { Policy } from '#iam/policy/compile.ts'
import type { Metadata } from '#metadata/metadata.ts'
import { registryPolicySetting } from './registry-policy.ts'
import type { ResourceTags } from './resource-tags.ts'

/**
 * What ECR's resources say of who may act on them: the policy and the tags of a repository, and the policy of its registry. The
 * registry's is asked for actions without a resource too (ECR user guide, "Private registry permissions"). A repository in the recycle
 * bin has its policy and its tags still, for whoever would restore it.
 */
export function createResourceSide({
  metadata,
  compile,
}: {
  readonly metadata: Metadata
  readonly compile: CompileDocument
}): FindResourceSide {
  const selectRepository = metadata.prepare<Place, RepositoryRow>((db, parameter) =>
    db
      .selectFrom('repository')
      .leftJoin('repository_policy as policy', 'policy.repository_id', 'repository.id')
      .select(['repository.resource_tags', 'policy.document'])
      .where('repository.account', '=', parameter('account'))
      .where('repository.region', '=', parameter('region'))
      .where('repository.name', '=', parameter('name')),
  )
  const selectRegistry = metadata.prepare<Place, { document: string }>((db, parameter) =>
    db
      .selectFrom('registry_setting')
      .select('document')
      .where('account', '=', parameter('account'))
      .where('region', '=', parameter('region'))
      .where('name', '=', parameter('name')),
  )

  async function registryPolicies({ account, region }: { account: string; region: string }): Promise<Policy[]> {
    const [row] = await selectRegistry({ account, region, name: registryPolicySetting.name })
    if (row === undefined) return []
    const { text } = registryPolicySetting.parse(JSON.parse(row.document))
    return [compile(`registry policy of ${account} in ${region}`, text, 'registry')]
  }

  async function findDeleted({ account, region, name }: Place, id: number): Promise<RepositoryRow[]> {
    return metadata.reader
      .selectFrom('deleted_repository as deleted')
      .innerJoin('repository', 'repository.id', 'deleted.repository_id')
      .leftJoin('repository_policy as policy', 'policy.repository_id', 'repository.id')
      .select(['repository.resource_tags', 'policy.document'])
      .where('deleted.repository_id', '=', id)
      .where('deleted.account', '=', account)
      .where('deleted.region', '=', region)
      .where('deleted.name', '=', name)
      .execute()
  }

  return async function resourceSide({ action, resource, deleted, registry }) {
    const repository = repositoryOf(resource)
    if (repository === undefined) {
      return { policies: resource === '*' ? await registryPolicies(registry) : [], tags: {} }
    }
    if (action === creation) return { policies: await registryPolicies(repository), tags: {} }
    const [[row], policies] = await Promise.all([
      deleted === undefined ? selectRepository(repository) : findDeleted(repository, deleted),
      registryPolicies(repository),
    ])
    if (row === undefined) return { policies, tags: {} }
    // Written by `Repositories`.
    const tags = JSON.parse(row.resource_tags) as ResourceTags
    if (row.document === null || action === replication) return { policies, tags }
    return {
      policies: [compile(`repository policy of ${repository.name}`, row.document, 'repository'), ...policies],
      tags,
    }
  }
}

/**
 * Is about a repository that is not there yet: neither the policy nor the tags of one of that name count (ECR user guide, "Using
 * tag-based access control"), or the answer would tell that there is one.
 */
const creation = 'ecr:CreateRepository'

/** The registry policy alone opens a registry to copies from another account (ECR user guide, "Private registry permissions"). */
const replication = 'ecr:ReplicateImage'

interface Place extends Record<string, string> {
  readonly account: string
  readonly region: string
  readonly name: string
}

/** Where policies speak of all repositories, `name` is `*`, which none has. */
function repositoryOf(resource: string): Place | undefined {
  const [, region, account, name] = /^arn:aws:ecr:([^:]*):(\d{12}):repository\/(.+)$/.exec(resource) ?? []
  return region === undefined || account === undefined || name === undefined ? undefined : { account, region, name }
}

interface RepositoryRow {
  readonly resource_tags: string
  readonly document: string | null
}
