import type { Handlers } from '#aws/operation.ts'
import type { ManagedPolicies } from '#iam/policies/managed.ts'
import type { ManagedPolicy } from '#iam/policies/managed-policy.ts'
import { type OwnerKind, type PolicyUsage, unused } from '#iam/policies/usage.ts'
import { policyArn } from './arns.ts'
import { tagConditions } from './conditions.ts'
import type { EntityType, Operations, Policy, PolicyUsageType } from './model.ts'
import { isPrintable, openPage } from './paging.ts'
import { readTags, tagShapes } from './shapes.ts'
import { tagPage } from './tag-page.ts'

export interface PolicyParts {
  readonly policies: ManagedPolicies
}

/** Managed policies: what they are, who has them, and their tags. */
export function policyOperations({ policies }: PolicyParts) {
  return {
    CreatePolicy: {
      resource: ({ input: { PolicyName, Path = '/' }, principal }) =>
        `arn:aws:iam::${principal.account}:policy${Path}${PolicyName}`,
      also: ({ Tags }) => (Tags?.length ? ['iam:TagPolicy'] : []),
      conditions: tagConditions,
      handle: async ({ input, principal: { account } }) => {
        const { PolicyName: name, Path: path = '/', Description: description, PolicyDocument: document } = input
        const policy = await policies.create(account, { name, path, description, document, tags: readTags(input.Tags) })
        const Tags = tagShapes(policy.tags)
        return { Policy: { ...listedPolicyShape(policy, unused), ...(Tags.length > 0 && { Tags }) } }
      },
    },
    GetPolicy: {
      resource: policyArn,
      handle: async ({ input, principal: { account } }) => {
        const { usage, ...policy } = await policies.get(account, input.PolicyArn)
        return { Policy: policyShape(policy, usage) }
      },
    },
    ListPolicies: {
      resource: ({ input: { PathPrefix = '/' }, principal }) => `arn:aws:iam::${principal.account}:policy${PathPrefix}`,
      handle: async ({ input, principal: { account } }) => {
        const { Scope = 'All', OnlyAttached = false, PathPrefix: pathPrefix = '/', PolicyUsageFilter } = input
        const page = openPage(input, ['ListPolicies', account, Scope, OnlyAttached, pathPrefix, PolicyUsageFilter])
        const { items, next } = await policies.list(
          account,
          {
            owners: Scope === 'All' ? ['account', 'aws'] : Scope === 'AWS' ? ['aws'] : ['account'],
            pathPrefix,
            ways: OnlyAttached || PolicyUsageFilter !== undefined ? waysOf(PolicyUsageFilter) : [],
          },
          { limit: page.limit, after: page.after?.[0] },
        )
        return {
          Policies: items.map(({ usage, ...policy }) => listedPolicyShape(policy, usage)),
          ...page.next(next === undefined ? undefined : [next]),
        }
      },
    },
    DeletePolicy: {
      resource: policyArn,
      handle: async ({ input, principal: { account } }) => {
        await policies.delete(account, input.PolicyArn)
        return {}
      },
    },
    ListEntitiesForPolicy: {
      resource: policyArn,
      handle: async ({ input, principal: { account } }) => {
        const { PolicyArn: arn, EntityFilter, PathPrefix: pathPrefix = '/', PolicyUsageFilter } = input
        const scope = ['ListEntitiesForPolicy', account, arn, EntityFilter, pathPrefix, PolicyUsageFilter]
        const page = openPage(input, scope, [isPrintable, isPrintable])
        const [kind, id] = page.after ?? []
        const { items, next } = await policies.owners(account, arn, {
          ...{ kinds: kindsOf(EntityFilter), ways: waysOf(PolicyUsageFilter), pathPrefix, limit: page.limit },
          ...(kind !== undefined && id !== undefined && { after: [kind, id] }),
        })
        const of = (wanted: OwnerKind) => items.filter((owner) => owner.kind === wanted)
        return {
          PolicyGroups: of('group').map(({ name, id }) => ({ GroupName: name, GroupId: id })),
          PolicyUsers: of('user').map(({ name, id }) => ({ UserName: name, UserId: id })),
          PolicyRoles: of('role').map(({ name, id }) => ({ RoleName: name, RoleId: id })),
          ...page.next(next),
        }
      },
    },
    TagPolicy: {
      resource: policyArn,
      conditions: tagConditions,
      handle: async ({ input, principal: { account } }) => {
        await policies.addTags(account, input.PolicyArn, readTags(input.Tags))
        return {}
      },
    },
    UntagPolicy: {
      resource: policyArn,
      conditions: tagConditions,
      handle: async ({ input, principal: { account } }) => {
        await policies.removeTags(account, input.PolicyArn, input.TagKeys)
        return {}
      },
    },
    ListPolicyTags: {
      resource: policyArn,
      handle: async ({ input, principal: { account } }) => {
        const { id, tags } = await policies.get(account, input.PolicyArn)
        return tagPage(input, ['ListPolicyTags', id], tags)
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

function waysOf(filter: PolicyUsageType | undefined): (keyof PolicyUsage)[] {
  switch (filter) {
    case 'PermissionsPolicy':
      return ['attachments']
    case 'PermissionsBoundary':
      return ['boundaries']
    case undefined:
      return ['attachments', 'boundaries']
  }
}

function kindsOf(filter: EntityType | undefined): OwnerKind[] {
  switch (filter) {
    case 'User':
      return ['user']
    case 'Role':
      return ['role']
    case 'Group':
      return ['group']
    default:
      return ['user', 'role', 'group']
  }
}

/** What a list tells of a policy: neither its description nor its tags (IAM API reference, ListPolicies). */
function listedPolicyShape(policy: ManagedPolicy, { attachments, boundaries }: PolicyUsage): Policy {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: `v${policy.defaultVersion}`,
    AttachmentCount: attachments,
    PermissionsBoundaryUsageCount: boundaries,
    IsAttachable: true,
    CreateDate: new Date(policy.createdAt),
    UpdateDate: new Date(policy.updatedAt),
  }
}

function policyShape(policy: ManagedPolicy, usage: PolicyUsage): Policy {
  const { description, tags } = policy
  return {
    ...listedPolicyShape(policy, usage),
    ...(description && { Description: description }),
    Tags: tagShapes(tags),
  }
}
