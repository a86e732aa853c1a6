import assert from 'node:assert/strict'
import type { ECR, ReplicationRule } from '@aws-sdk/client-ecr'
import { until } from './until.ts'

/** Replaces the rules of the client's registry. Without filters they cover each repository. */
export async function replicateTo(
  ecr: ECR,
  destinations: readonly { readonly region: string; readonly registryId: string }[],
  filters: readonly string[] = [],
): Promise<void> {
  const repositoryFilters = filters.map((filter) => ({ filter, filterType: 'PREFIX_MATCH' as const }))
  const rule: ReplicationRule = {
    destinations: [...destinations],
    ...(filters.length > 0 && { repositoryFilters }),
  }
  await ecr.putReplicationConfiguration({
    replicationConfiguration: { rules: destinations.length === 0 ? [] : [rule] },
  })
}

/** The status of an image at each destination, as `account/region: STATUS code`. */
async function statusesOf(
  ecr: ECR,
  repositoryName: string,
  imageId: { readonly imageDigest?: string; readonly imageTag?: string },
): Promise<string[]> {
  const { replicationStatuses = [] } = await ecr.describeImageReplicationStatus({ repositoryName, imageId })
  return replicationStatuses.map(
    ({ registryId, region, status, failureCode }) =>
      `${registryId}/${region}: ${status}${failureCode === undefined ? '' : ` ${failureCode}`}`,
  )
}

/** Waits until no destination of the image is in progress, and answers its statuses. */
export async function settled(ecr: ECR, repositoryName: string, imageDigest: string): Promise<string[]> {
  let statuses: string[] = []
  await until(async () => {
    statuses = await statusesOf(ecr, repositoryName, { imageDigest })
    return statuses.length > 0 && statuses.every((status) => !status.includes('IN_PROGRESS'))
  })
  return statuses
}

/** Digests and tags of a repository, as `digest tag,tag`; `undefined` where there is none. */
export async function contentOf(ecr: ECR, repositoryName: string): Promise<string[] | undefined> {
  try {
    const lines: string[] = []
    for (let nextToken: string | undefined; ; ) {
      const page = await ecr.describeImages({ repositoryName, nextToken, maxResults: 1_000 })
      for (const { imageDigest, imageTags = [] } of page.imageDetails ?? []) {
        lines.push(`${imageDigest} ${imageTags.toSorted((a, b) => (a < b ? -1 : 1)).join(',')}`.trimEnd())
      }
      nextToken = page.nextToken
      if (nextToken === undefined) return lines.sort((a, b) => (a < b ? -1 : 1))
    }
  } catch (error) {
    assert(error instanceof Error)
    if (error.name === 'RepositoryNotFoundException') return undefined
    throw error
  }
}
