import assert from 'node:assert/strict'
import type { ECR } from '@aws-sdk/client-ecr'
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

/** Replaces the rules of a registry by one. Without filters it covers each repository. */
export async function replicate(
  { ecr }: RegistryClient,
  to: readonly RegistryClient[],
  filters: readonly string[] = [],
): Promise<void> {
  const repositoryFilters = filters.map((filter) => ({ filter, filterType: 'PREFIX_MATCH' as const }))
  const destinations = to.map(({ registryId, region }) => ({ registryId, region }))
  const rule = { destinations, ...(filters.length > 0 && { repositoryFilters }) }
  await ecr.putReplicationConfiguration({ replicationConfiguration: { rules: to.length === 0 ? [] : [rule] } })
}

/** Creates the repository unless it is there, and pushes the image with everything below it. */
export async function pushTo({ ecr }: RegistryClient, repositoryName: string, image: Image, tag?: string) {
  await ecr.createRepository({ repositoryName }).catch((error: Error) => {
    if (error.name !== 'RepositoryAlreadyExistsException') throw error
  })
  await pushImageTo(ecr, repositoryName, image, tag)
}

/** The status of an image at each destination, as `account/region: STATUS code`. */
export async function statusesOf(
  { ecr }: RegistryClient,
  repositoryName: string,
  imageId: { readonly imageDigest?: string; readonly imageTag?: string },
): Promise<string[]> {
  const { replicationStatuses = [] } = await ecr.describeImageReplicationStatus({ repositoryName, imageId })
  return replicationStatuses.map(
    ({ registryId, region, status, failureCode }) =>
      `${registryId}/${region}: ${status}${failureCode === undefined ? '' : ` ${failureCode}`}`,
  )
}

/** Waits until the image is in progress nowhere, and answers its statuses. */
export async function settled(registry: RegistryClient, repositoryName: string, imageDigest: string) {
  let statuses: string[] = []
  await until(async () => {
    statuses = await statusesOf(registry, repositoryName, { imageDigest })
    return statuses.length > 0 && statuses.every((status) => !status.includes('IN_PROGRESS'))
  })
  return statuses
}

/** Digests and tags of a repository, as `digest tag,tag`; `undefined` where there is no repository. */
export async function contentOf({ ecr }: RegistryClient, repositoryName: string): Promise<string[] | undefined> {
  try {
    const lines: string[] = []
    for (let nextToken: string | undefined; ; ) {
      const page = await ecr.describeImages({ repositoryName, nextToken, maxResults: 1_000 })
      for (const { imageDigest, imageTags = [] } of page.imageDetails ?? []) lines.push(lineOf(imageDigest, imageTags))
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
