import type { ErrorName } from '#admin/model.ts'
import type { CacheAskRefusals } from '#admin/refusals.ts'
import type { Exceptions } from '#aws/exceptions.ts'
import type { RegistryRefusals } from '#registry/refusals.ts'
import type { RefreshRefusals, UpstreamRefusals } from '#upstream/refusals.ts'
import { invalid } from './invalid.ts'

type Refusals = CacheAskRefusals &
  RefreshRefusals &
  Pick<UpstreamRefusals, 'CacheRuleNotFound'> &
  Pick<RegistryRefusals, 'ImageNotFound'>

export const pullThroughExceptions: Exceptions<Refusals, ErrorName> = {
  RefreshAmbiguous: [
    'InvalidParameterException',
    () => invalid('repositoryName', 'A repository with or without a tag, or else an ecrRepositoryPrefix must be given'),
  ],
  ImageUnnamed: ['InvalidParameterException', () => invalid('imageTag', 'An image digest or a tag must be given')],
  TagNotCached: [
    'ImageNotFoundException',
    ({ tag, repository }) =>
      `The tag '${tag}' in the repository '${repository}' did not come from an upstream registry, so that none can be asked about it.`,
  ],
  CacheRuleNotFound: [
    'PullThroughCacheRuleNotFoundException',
    ({ prefix, registry }) =>
      `Pull through cache rule with repository prefix '${prefix}' does not exist in the registry with id '${registry.account}'`,
  ],
  ImageNotFound: [
    'ImageNotFoundException',
    ({ query: { tag, digest }, repository }) => {
      const named = [
        ...(tag === undefined ? [] : [`tag '${tag}'`]),
        ...(digest === undefined ? [] : [`digest '${digest}'`]),
      ]
      return `The repository with name '${repository}' has no image with ${named.join(' and ')}`
    },
  ],
}
