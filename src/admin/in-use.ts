import type { Handlers } from '#aws/operation.ts'
import { inUseReportArn, repositoryArn } from '#names/arn.ts'
import { parseDigest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { InUseReport, InUseReports } from '#registry/in-use-reports.ts'
import type { RepositoryRetention, RepositoryRetentions } from '#registry/repository-retention.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { openPage } from './paging.ts'

export interface InUseParts {
  readonly inUseReports: InUseReports
  readonly repositoryRetentions: RepositoryRetentions
}

/** As long as a report counts that does not say so itself. */
const usualTtlSeconds = 24 * 60 * 60

/** What clusters run, and which repositories keep it. */
export function inUseOperations({ inUseReports, repositoryRetentions }: InUseParts) {
  return {
    ReportImagesInUse: {
      resource: ({ input, registry }) => inUseReportArn(registry, input.cluster),
      // Room for 20,000 images with the longest names and digests. Each is an entry of a list, an object and its two members.
      largeBody: { maxBytes: 9 * 1024 * 1024, maxEntries: 100_000 },
      handle: async ({ input, registry, principal, may }) => {
        const { cluster, images, ttlSeconds = usualTtlSeconds } = input
        const { unknownImages, ...report } = await inUseReports.report(registry, {
          cluster,
          images: images.map(({ repositoryName, imageDigest }) => ({
            repository: repositoryName,
            digest: parseDigest(imageDigest),
          })),
          ttlMs: ttlSeconds * 1_000,
          by: principal.arn,
        })
        // Told to all, it would tell a cluster's key what repositories hold that it may not see.
        const told = await may('ecr:ListImages', everyRepository(registry))
        return {
          registryId: registry.account,
          report: describeReport(report),
          ...(told && { unknownImageCount: unknownImages }),
        }
      },
    },

    ListInUseReports: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const page = openPage(input, ['ListInUseReports', registry], 1)
        const { items, next } = await inUseReports.list(registry, { limit: page.limit, after: page.after?.[0] })
        return {
          registryId: registry.account,
          reports: items.map(describeReport),
          nextToken: page.nextToken(next === undefined ? undefined : [next]),
        }
      },
    },

    ListImagesInUse: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const { cluster, repositoryName: repository } = input
        const page = openPage(input, ['ListImagesInUse', registry, cluster, repository], 3)
        const [name = '', digest = '', last = ''] = page.after ?? []
        const after = page.after && ([name, digest, last] as const)
        const { items, next } = await inUseReports.listImages(
          registry,
          { cluster, repository },
          { limit: page.limit, after },
        )
        return {
          registryId: registry.account,
          images: items.map((image) => ({
            repositoryName: image.repository,
            imageDigest: image.digest,
            cluster: image.cluster,
            expiresAt: new Date(image.expiresAt),
          })),
          nextToken: page.nextToken(next),
        }
      },
    },

    DeleteInUseReport: {
      resource: ({ input, registry }) => inUseReportArn(registry, input.cluster),
      handle: async ({ input: { cluster }, registry }) => {
        await inUseReports.delete(registry, cluster)
        return { registryId: registry.account, cluster }
      },
    },

    GetRepositoryRetention: {
      resource: ({ input, registry }) => repositoryArn(registry, input.repositoryName),
      handle: async ({ input: { repositoryName: name }, registry }) =>
        describeRetention(registry, name, await repositoryRetentions.get({ registry, name })),
    },

    PutRepositoryRetention: {
      resource: ({ input, registry }) => repositoryArn(registry, input.repositoryName),
      handle: async ({ input: { repositoryName: name, keepInUse }, registry }) => {
        const retention = await repositoryRetentions.putKeepInUse({ registry, name }, choices[keepInUse])
        return describeRetention(registry, name, retention)
      },
    },
  } satisfies Handlers<
    Operations,
    | 'ReportImagesInUse'
    | 'ListInUseReports'
    | 'ListImagesInUse'
    | 'DeleteInUseReport'
    | 'GetRepositoryRetention'
    | 'PutRepositoryRetention'
  >
}

const choices = {
  ENABLED: true,
  DISABLED: false,
  INHERITED: undefined,
} as const satisfies Record<wire.KeepInUse, boolean | undefined>

function describeReport({ cluster, reportedAt, reportedBy, expiresAt, images }: InUseReport): wire.InUseReport {
  return {
    ...{ cluster, reportedAt: new Date(reportedAt), reportedBy, expiresAt: new Date(expiresAt) },
    imageCount: images,
  }
}

function describeRetention(
  { account }: Registry,
  repositoryName: RepositoryName,
  { keepInUse, keepsInUse }: RepositoryRetention,
): wire.GetRepositoryRetentionResponse {
  const own: wire.KeepInUse = keepInUse === undefined ? 'INHERITED' : keepInUse ? 'ENABLED' : 'DISABLED'
  return { registryId: account, repositoryName, keepInUse: own, keepsInUse }
}

/** As a resource of its own: whoever may act on it has a statement for all repositories. */
function everyRepository({ account, region }: Registry): string {
  return `arn:aws:ecr:${region}:${account}:repository/*`
}
