import type { Handlers } from '#aws/operation.ts'
import { parseRepositoryArn } from '#names/arn.ts'
import type { Registry } from '#names/registry.ts'
import type { Repositories } from '#registry/repositories.ts'
import { requestTagConditions } from './conditions.ts'
import type { Operations } from './model.ts'
import { refuse } from './refusals.ts'
import { describeResourceTags, resourceTagsOf } from './shapes.ts'

/** Tags of repositories, for bills and conditions. The repository is named by its ARN, and may only be one of this region. */
export function resourceTagOperations({ repositories }: { readonly repositories: Repositories }) {
  return {
    TagResource: {
      resource: requireOwnRegion,
      conditions: ({ input }) => requestTagConditions(input.tags),
      handle: async ({ input }) => {
        await repositories.addResourceTags(parseRepositoryArn(input.resourceArn), resourceTagsOf(input.tags))
        return {}
      },
    },

    UntagResource: {
      resource: requireOwnRegion,
      conditions: ({ input }) => [['aws:TagKeys', input.tagKeys]],
      handle: async ({ input }) => {
        await repositories.removeResourceTags(parseRepositoryArn(input.resourceArn), input.tagKeys)
        return {}
      },
    },

    ListTagsForResource: {
      resource: requireOwnRegion,
      handle: async ({ input }) => {
        const { account, region, repository: name } = parseRepositoryArn(input.resourceArn)
        const { resourceTags } = await repositories.get({ registry: { account, region }, name })
        return { tags: describeResourceTags(resourceTags) }
      },
    },
  } satisfies Handlers<Operations, 'TagResource' | 'UntagResource' | 'ListTagsForResource'>
}

interface ResourceRequest {
  readonly input: { readonly resourceArn: string }
  readonly registry: Registry
}

/** @throws Refusal `NameInvalid`, `ParameterInvalid` */
function requireOwnRegion({ input: { resourceArn }, registry }: ResourceRequest): string {
  if (parseRepositoryArn(resourceArn).region !== registry.region) {
    const constraint = `Invalid ARN: it must name a repository in region ${registry.region}`
    throw refuse('ParameterInvalid', { member: 'resourceArn', constraint })
  }
  return resourceArn
}
