import type { Handlers } from '#aws/operation.ts'
import { repositoryArn } from '#names/arn.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { ScanningConfiguration } from '#scanning/configuration.ts'
import type { Scanning } from '#scanning/scanning.ts'
import { registryTexts } from '#wording/registry.ts'
import { readImageQuery } from './image-ids.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { repositoryKey, repositoryResource } from './request.ts'

/** Scanning: what is scanned when, of the registry and of a repository, and what a scan has found. */
export interface ScanningParts {
  readonly repositories: Repositories
  readonly scanning: Scanning
}

export function scanningOperations({ repositories, scanning }: ScanningParts) {
  return {
    GetRegistryScanningConfiguration: {
      resource: () => '*',
      handle: async ({ registry }) => ({
        registryId: registry.account,
        scanningConfiguration: describeConfiguration(await scanning.getConfiguration(registry)),
      }),
    },

    PutRegistryScanningConfiguration: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const { scanType: type = 'BASIC', rules = [] } = input
        const configuration = await scanning.putConfiguration(registry, {
          type,
          rules: rules.map(({ scanFrequency, repositoryFilters }) => ({
            frequency: scanFrequency,
            filters: repositoryFilters.map(({ filter }) => filter),
          })),
        })
        return { registryScanningConfiguration: describeConfiguration(configuration) }
      },
    },

    BatchGetRepositoryScanningConfiguration: {
      resource: ({ input, registry }) => input.repositoryNames.map((name) => repositoryArn(registry, name)),
      handle: async ({ input, registry }) => {
        const names = [...new Set(input.repositoryNames)]
        const found = await scanning.describeRepositories(registry, names)
        const failures = names.filter((name) => !found.has(name))
        return {
          scanningConfigurations: [...found].map(([name, { frequency, filters, scanOnPush }]) => ({
            repositoryArn: repositoryArn(registry, name),
            repositoryName: name,
            scanOnPush,
            scanFrequency: frequency,
            appliedScanFilters: filters.map(describeFilter),
          })),
          failures: failures.map((repository) => ({
            repositoryName: repository,
            failureCode: 'REPOSITORY_NOT_FOUND' as const,
            failureReason: registryTexts.RepositoryNotFound({ registry, repository }),
          })),
        }
      },
    },

    PutImageScanningConfiguration: {
      resource: repositoryResource,
      handle: async (request) => {
        const { repositoryName, imageScanningConfiguration } = request.input
        const { scanOnPush = false } = imageScanningConfiguration
        await repositories.putScanOnPush(repositoryKey(request), scanOnPush)
        const registryId = request.registry.account
        return { registryId, repositoryName, imageScanningConfiguration: { scanOnPush } }
      },
    },

    StartImageScan: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        return scanning.start(key, await readImageQuery(repositories, key, request.input.imageId))
      },
    },

    DescribeImageScanFindings: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        return scanning.getFindings(key, await readImageQuery(repositories, key, request.input.imageId))
      },
    },
  } satisfies Handlers<
    Operations,
    | 'GetRegistryScanningConfiguration'
    | 'PutRegistryScanningConfiguration'
    | 'BatchGetRepositoryScanningConfiguration'
    | 'PutImageScanningConfiguration'
    | 'StartImageScan'
    | 'DescribeImageScanFindings'
  >
}

function describeConfiguration({ type, rules }: ScanningConfiguration): wire.RegistryScanningConfiguration {
  return {
    scanType: type,
    rules: rules.map(({ frequency, filters }) => ({
      scanFrequency: frequency,
      repositoryFilters: filters.map(describeFilter),
    })),
  }
}

function describeFilter(filter: string): wire.ScanningRepositoryFilter {
  return { filter, filterType: 'WILDCARD' }
}
