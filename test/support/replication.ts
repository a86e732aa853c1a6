import assert from 'node:assert/strict'
import type { ECR, ReplicationRule } from '@aws-sdk/client-ecr'
import { pushImageTo } from './ecr-push.ts'
import type { EcrSession } from './ecr-session.ts'
import type { Image } from './images/build.ts'
import type { Credentials } from './server.ts'
import { until } from './until.ts'

/** A registry of a running server, and a client of its account. */
export interface RegistryClient {
  readonly ecr: ECR
  readonly registryId: string
  readonly region: string
  /** As statuses of images name it. */
  readonly name: string
}

let regions = 0

/** A registry that no other test has. */
export function freshRegistry(
  session: EcrSession,
  { account = session.server.account, credentials }: { account?: string; credentials?: Credentials } = {},
): RegistryClient {
  const region = `test-region-${++regions}`
  const ecr = session.client({ region, ...(credentials && { credentials }) })
  return { ecr, registryId: account, region, name: `${account}/${region}` }
}

/** Replaces the rules of the client's registry. Without filters they cover each repository. */
export async function replicateTo(
  ecr: ECR,
  destinations: readonly { readonly region: string; readonly registryId: string }[],
  filters: readonly string[] = [],
): Promise<void> {
  const repositoryFilters = filters.map((filter) => ({ filter, filterType: 'PREFIX_MATCH' as const }))
  const rule: ReplicationRule = {
    destinations: destinations.map(({ region, registryId }) => ({ region, registryId })),
    ...(filters.length > 0 && { repositoryFilters }),
  }
  await ecr.putReplicationConfiguration({
    replicationConfiguration: { rules: destinations.length === 0 ? [] : [rule] },
  })
}

/** Creates the repository unless it is there, and pushes the image with everything below it. */
export async function pushTo(ecr: ECR, repositoryName: string, image: Image, tag?: string): Promise<void> {
  await ecr.createRepository({ repositoryName }).catch((error: Error) => {
    if (error.name !== 'RepositoryAlreadyExistsException') throw error
  })
  await pushImageTo(ecr, repositoryName, image, tag)
}

/** The status of an image at each destination, as `account/region: STATUS code`. */
export async function statusesOf(
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
        lines.push(lineOf(imageDigest, imageTags))
      }
      nextToken = page.nextToken
      if (nextToken === undefined) return lines.sort(byText)
    }
  } catch (error) {
    assert(error instanceof Error)
    if (error.name === 'RepositoryNotFoundException') return undefined
    throw error
  }
}

/** What `contentOf` answers for these images and their tags. */
export function linesOf(...images: readonly (readonly [image: { readonly digest: string }, ...tags: string[]])[]) {
  return images.map(([{ digest }, ...tags]) => lineOf(digest, tags)).sort(byText)
}

function lineOf(digest = '', tags: readonly string[]): string {
  return `${digest} ${tags.toSorted(byText).join(',')}`.trimEnd()
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1
}
