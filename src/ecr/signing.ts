import type { Handlers } from '#aws/operation.ts'
import type { ImageLists } from '#registry/image-lists.ts'
import type { Repositories } from '#registry/repositories.ts'
import type { SigningRule } from '#signing/configuration.ts'
import type { Signing } from '#signing/signing.ts'
import { readImageQuery } from './image-ids.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { repositoryKey, repositoryResource } from './request.ts'

/** Managed signing: its rules, and what has become of an image. */
export interface SigningParts {
  readonly repositories: Repositories
  readonly imageLists: ImageLists
  readonly signing: Signing
}

/** What became of every signature that a rule asks for. */
const notSigned = {
  status: 'FAILED',
  failureCode: 'SigningNotSupported',
  failureReason: 'This version of Lading keeps signing rules and signs no images.',
} as const

export function signingOperations({ repositories, imageLists, signing }: SigningParts) {
  return {
    PutSigningConfiguration: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const rules = await signing.putRules(
          registry,
          input.signingConfiguration.rules.map(({ signingProfileArn, repositoryFilters = [] }) => ({
            profileArn: signingProfileArn,
            filters: repositoryFilters.map(({ filter }) => filter),
          })),
        )
        return { signingConfiguration: describeSigning(rules) }
      },
    },

    GetSigningConfiguration: {
      resource: () => '*',
      handle: async ({ registry }) => ({
        registryId: registry.account,
        signingConfiguration: describeSigning(await signing.getRules(registry)),
      }),
    },

    DeleteSigningConfiguration: {
      resource: () => '*',
      handle: async ({ registry }) => ({
        registryId: registry.account,
        signingConfiguration: describeSigning(await signing.deleteRules(registry)),
      }),
    },

    DescribeImageSigningStatus: {
      resource: repositoryResource,
      handle: async (request) => {
        const key = repositoryKey(request)
        const query = await readImageQuery(repositories, key, request.input.imageId)
        const { digest, artifactType } = await imageLists.get(key, query)
        const profiles = await signing.profilesFor(key.registry, { repository: key.name, artifactType })
        return {
          registryId: key.registry.account,
          repositoryName: key.name,
          imageId: { imageDigest: digest, imageTag: query.tag },
          signingStatuses: profiles.map((signingProfileArn) => ({ signingProfileArn, ...notSigned })),
        }
      },
    },
  } satisfies Handlers<
    Operations,
    'PutSigningConfiguration' | 'GetSigningConfiguration' | 'DeleteSigningConfiguration' | 'DescribeImageSigningStatus'
  >
}

function describeSigning(rules: readonly SigningRule[]): wire.SigningConfiguration {
  return {
    rules: rules.map(({ profileArn, filters }) => ({
      signingProfileArn: profileArn,
      ...(filters.length > 0 && {
        repositoryFilters: filters.map((filter) => ({ filter, filterType: 'WILDCARD_MATCH' as const })),
      }),
    })),
  }
}
