import type { Handlers } from '#aws/operation.ts'
import { type Owners, ownerArn } from '#iam/identities/owners.ts'
import type { User as UserOf, Users } from '#iam/identities/users.ts'
import type { Boundaries } from '#iam/policies/boundaries.ts'
import type { AccountId } from '#names/account.ts'
import { rootArn } from '#names/arn.ts'
import { boundaryArn, requireArn } from './arns.ts'
import { rootName, userMeant, userMeantArn } from './callers.ts'
import { boundaryConditions, tagConditions } from './conditions.ts'
import type { Operations, User } from './model.ts'
import { openPage } from './paging.ts'
import { boundaryShape, readTags, tagShapes } from './shapes.ts'
import { tagPage } from './tag-page.ts'

export interface UserParts {
  readonly users: Users
  readonly owners: Owners
  readonly boundaries: Boundaries
}

/** Users: what they are, their tags and their boundaries. */
export function userOperations({ users, owners, boundaries }: UserParts) {
  const resource = userMeantArn(owners)
  return {
    CreateUser: {
      resource: ({ input: { UserName: name, Path: path = '/' }, principal: { account } }) =>
        ownerArn({ account, kind: 'user', path, name }),
      also: ({ Tags }) => (Tags?.length ? ['iam:TagUser'] : []),
      conditions: (request) => [...tagConditions(request), ...boundaryConditions(request)],
      handle: async ({ input, principal: { account } }) => {
        const { UserName: name, Path: path = '/', Tags } = input
        const user = { name, path, tags: readTags(Tags), boundaryArn: boundaryArn(input) }
        return { User: userShape(await users.create(account, user)) }
      },
    },

    GetUser: {
      resource,
      handle: async ({ input, principal }) => {
        const { account } = principal
        const name = userMeant(input, principal)
        if (name !== undefined) return { User: userShape(await users.get(account, name)) }
        return { User: rootShape(account, await owners.rootSince(account)) }
      },
    },

    ListUsers: {
      resource: ({ input: { PathPrefix = '/' }, principal: { account } }) =>
        `arn:aws:iam::${account}:user${PathPrefix}`,
      handle: async ({ input, principal: { account } }) => {
        const { PathPrefix: pathPrefix = '/' } = input
        const page = openPage(input, ['ListUsers', account, pathPrefix])
        const { items, next } = await users.list(account, { pathPrefix, limit: page.limit, after: page.after?.[0] })
        return { Users: items.map(listedUserShape), ...page.next(next === undefined ? undefined : [next]) }
      },
    },

    UpdateUser: {
      // Whoever renames or moves a user must be allowed to do so to what it is and to what it becomes.
      resource: async ({ input: { UserName, NewUserName, NewPath }, principal: { account } }) => {
        const arn = await owners.arnOf({ account, kind: 'user', name: UserName })
        const [, path = '/', name = UserName] = /:user(\/(?:.*\/)?)([^/]+)$/.exec(arn) ?? []
        return [arn, ownerArn({ account, kind: 'user', path: NewPath ?? path, name: NewUserName ?? name })]
      },
      handle: async ({ input, principal: { account } }) => {
        await users.update(account, input.UserName, { name: input.NewUserName, path: input.NewPath })
        return {}
      },
    },

    DeleteUser: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        await users.delete(account, input.UserName)
        return {}
      },
    },

    TagUser: {
      resource,
      conditions: tagConditions,
      handle: async ({ input, principal: { account } }) => {
        await users.addTags(account, input.UserName, readTags(input.Tags))
        return {}
      },
    },

    UntagUser: {
      resource,
      conditions: tagConditions,
      handle: async ({ input, principal: { account } }) => {
        await users.removeTags(account, input.UserName, input.TagKeys)
        return {}
      },
    },

    ListUserTags: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        const { id, tags } = await users.get(account, input.UserName)
        return tagPage(input, ['ListUserTags', id], tags)
      },
    },

    PutUserPermissionsBoundary: {
      resource,
      conditions: boundaryConditions,
      handle: async ({ input, principal: { account } }) => {
        await boundaries.put({ account, kind: 'user', name: input.UserName }, requireArn(input.PermissionsBoundary))
        return {}
      },
    },

    DeleteUserPermissionsBoundary: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        await boundaries.delete({ account, kind: 'user', name: input.UserName })
        return {}
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

/** What a list tells of a user (IAM API reference, ListUsers: neither tags nor the boundary). */
export function listedUserShape({ path, name, id, arn, createdAt }: UserOf): User {
  return { Path: path, UserName: name, UserId: id, Arn: arn, CreateDate: new Date(createdAt) }
}

function userShape(user: UserOf): User {
  const { boundaryArn, tags } = user
  return {
    ...listedUserShape(user),
    ...(boundaryArn !== undefined && { PermissionsBoundary: boundaryShape(boundaryArn) }),
    ...(Object.keys(tags).length > 0 && { Tags: tagShapes(tags) }),
  }
}

/** The root is no user and has no name; the shape asks for one. Its unique id is the account's number, as STS tells it. */
function rootShape(account: AccountId, createdAt: number): User {
  return { Path: '/', UserName: rootName, UserId: account, Arn: rootArn(account), CreateDate: new Date(createdAt) }
}
