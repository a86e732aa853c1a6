import type { Handlers, ResourceRequest } from '#aws/operation.ts'
import type { Owners } from '#iam/identities/owners.ts'
import type { Role as RoleOf, Roles } from '#iam/identities/roles.ts'
import type { Boundaries } from '#iam/policies/boundaries.ts'
import { boundaryArn, requireArn } from './arns.ts'
import { boundaryConditions, tagConditions } from './conditions.ts'
import type { Operations, Role } from './model.ts'
import { openPage } from './paging.ts'
import { boundaryShape, encodeDocument, readTags, tagShapes } from './shapes.ts'
import { tagPage } from './tag-page.ts'

export interface RoleParts {
  readonly roles: Roles
  readonly owners: Owners
  readonly boundaries: Boundaries
}

/** What IAM sets where a request names no MaxSessionDuration, an update included (IAM API reference, UpdateRole). */
const defaultSessionSeconds = 3_600

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
          maxSessionSeconds: input.MaxSessionDuration ?? defaultSessionSeconds,
          boundaryArn: boundaryArn(input),
          tags: readTags(input.Tags),
        })
        return { Role: changedRole(role) }
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
        const { Description: description, MaxSessionDuration: maxSessionSeconds = defaultSessionSeconds } = input
        await roles.update(principal.account, input.RoleName, { description, maxSessionSeconds })
        return {}
      },
    },
    UpdateRoleDescription: {
      resource: roleArn,
      handle: async ({ input, principal }) => {
        const role = await roles.update(principal.account, input.RoleName, { description: input.Description })
        return { Role: changedRole(role) }
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
        const { id, tags } = await roles.get(principal.account, input.RoleName)
        return tagPage(input, ['ListRoleTags', id], tags)
      },
    },
    PutRolePermissionsBoundary: {
      resource: roleArn,
      conditions: boundaryConditions,
      handle: async ({ input, principal: { account } }) => {
        await boundaries.put({ account, kind: 'role', name: input.RoleName }, requireArn(input.PermissionsBoundary))
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
    ...(boundaryArn && { PermissionsBoundary: boundaryShape(boundaryArn) }),
    ...(Object.keys(tags).length > 0 && { Tags: tagShapes(tags) }),
    RoleLastUsed: lastUsed ? { LastUsedDate: new Date(lastUsed.at), Region: lastUsed.region } : {},
  }
}

/** What CreateRole and UpdateRoleDescription send of a role: neither how long its sessions may be nor its last use. */
function changedRole(role: RoleOf): Role {
  const { MaxSessionDuration: _, RoleLastUsed: __, ...shape } = roleShape(role)
  return shape
}

/** A list leaves out what costs AWS a look-up (IAM API reference, ListRoles). */
function listedRole(role: RoleOf): Role {
  const { PermissionsBoundary: _, Tags: __, RoleLastUsed: ___, ...shape } = roleShape(role)
  return shape
}
