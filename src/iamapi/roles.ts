import type { Handlers, ResourceRequest } from '#aws/operation.ts'
import type { Owners } from '#iam/identities/owners.ts'
import type { Role as RoleOf, Roles } from '#iam/identities/roles.ts'
import type { Boundaries } from '#iam/policies/boundaries.ts'
import { boundaryConditions, tagConditions } from './conditions.ts'
import type { Operations, Role } from './model.ts'
import { openPage } from './paging.ts'
import { encodeDocument, readTags, tagShapes } from './shapes.ts'

export interface RoleParts {
  readonly roles: Roles
  readonly owners: Owners
  readonly boundaries: Boundaries
}

/** Roles: what they are, whom they trust, their tags and their boundaries. */
export function roleOperations({ roles, owners, boundaries }: RoleParts) {
  const roleArn = ({ input, principal: { account } }: ResourceRequest<{ readonly RoleName: string }>) =>
    owners.arnOf({ account, kind: 'role', name: input.RoleName })

  return {
    CreateRole: {
      resource: ({ input: { Path = '/', RoleName }, principal }) =>
        `arn:aws:iam::${principal.account}:role${Path}${RoleName}`,
      also: ({ Tags }) => (Tags?.length ? ['iam:TagRole'] : []),
      conditions: (request) => [...tagConditions(request), ...boundaryConditions(request)],
      handle: async ({ input, principal }) => {
        const role = await roles.create(principal.account, {
          name: input.RoleName,
          path: input.Path ?? '/',
          description: input.Description,
          trustPolicy: input.AssumeRolePolicyDocument,
          maxSessionSeconds: input.MaxSessionDuration ?? 3_600,
          boundaryArn: input.PermissionsBoundary,
          tags: readTags(input.Tags),
        })
        return { Role: roleShape(role) }
      },
    },
    GetRole: {
      resource: roleArn,
      handle: async ({ input, principal }) => ({ Role: roleShape(await roles.get(principal.account, input.RoleName)) }),
    },
    ListRoles: {
      resource: ({ input: { PathPrefix = '/' }, principal }) => `arn:aws:iam::${principal.account}:role${PathPrefix}`,
      handle: async ({ input, principal }) => {
        const { PathPrefix: pathPrefix = '/' } = input
        const page = openPage(input, ['ListRoles', principal.account, pathPrefix])
        const { limit, after } = page
        const { items, next } = await roles.list(principal.account, { pathPrefix, limit, after: after?.[0] })
        return { Roles: items.map(listedRole), ...page.next(next === undefined ? undefined : [next]) }
      },
    },
    UpdateRole: {
      resource: roleArn,
      handle: async ({ input, principal }) => {
        const { Description: description, MaxSessionDuration: maxSessionSeconds } = input
        await roles.update(principal.account, input.RoleName, { description, maxSessionSeconds })
        return {}
      },
    },
    UpdateRoleDescription: {
      resource: roleArn,
      handle: async ({ input, principal }) => {
        const role = await roles.update(principal.account, input.RoleName, { description: input.Description })
        return { Role: roleShape(role) }
      },
    },
    UpdateAssumeRolePolicy: {
      resource: roleArn,
      handle: async ({ input, principal }) => {
        await roles.putTrustPolicy(principal.account, input.RoleName, input.PolicyDocument)
        return {}
      },
    },
    DeleteRole: {
      resource: roleArn,
      handle: async ({ input, principal }) => {
        await roles.delete(principal.account, input.RoleName)
        return {}
      },
    },
    TagRole: {
      resource: roleArn,
      conditions: tagConditions,
      handle: async ({ input, principal }) => {
        await roles.addTags(principal.account, input.RoleName, readTags(input.Tags))
        return {}
      },
    },
    UntagRole: {
      resource: roleArn,
      conditions: tagConditions,
      handle: async ({ input, principal }) => {
        await roles.removeTags(principal.account, input.RoleName, input.TagKeys)
        return {}
      },
    },
    ListRoleTags: {
      resource: roleArn,
      handle: async ({ input, principal }) => {
        const { tags } = await roles.get(principal.account, input.RoleName)
        return { Tags: tagShapes(tags), IsTruncated: false }
      },
    },
    PutRolePermissionsBoundary: {
      resource: roleArn,
      conditions: boundaryConditions,
      handle: async ({ input, principal: { account } }) => {
        await boundaries.put({ account, kind: 'role', name: input.RoleName }, input.PermissionsBoundary)
        return {}
      },
    },
    DeleteRolePermissionsBoundary: {
      resource: roleArn,
      handle: async ({ input, principal: { account } }) => {
        await boundaries.delete({ account, kind: 'role', name: input.RoleName })
        return {}
      },
    },
    ListInstanceProfilesForRole: {
      resource: roleArn,
      handle: async ({ input, principal }) => {
        await roles.get(principal.account, input.RoleName)
        // They belong to virtual machines, of which there are none.
        return { InstanceProfiles: [], IsTruncated: false }
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

function roleShape(role: RoleOf): Role {
  const { description: Description, boundaryArn, tags, lastUsed } = role
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.createdAt),
    AssumeRolePolicyDocument: encodeDocument(role.trustPolicy),
    ...(Description && { Description }),
    MaxSessionDuration: role.maxSessionSeconds,
    ...(boundaryArn && {
      PermissionsBoundary: {
        PermissionsBoundaryType: 'PermissionsBoundaryPolicy',
        PermissionsBoundaryArn: boundaryArn,
      },
    }),
    ...(Object.keys(tags).length > 0 && { Tags: tagShapes(tags) }),
    RoleLastUsed: lastUsed ? { LastUsedDate: new Date(lastUsed.at), Region: lastUsed.region } : {},
  }
}

/** A list leaves out what costs AWS a look-up (IAM API reference, ListRoles). */
function listedRole(role: RoleOf): Role {
  const { PermissionsBoundary: _, Tags: __, RoleLastUsed: ___, ...shape } = roleShape(role)
  return shape
}
