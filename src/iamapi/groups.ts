import type { Handlers, ResourceRequest } from '#aws/operation.ts'
import type { Group as GroupOf, Groups } from '#iam/identities/groups.ts'
import { type Owners, ownerArn } from '#iam/identities/owners.ts'
import { userMeantArn } from './callers.ts'
import type { Group, Operations } from './model.ts'
import { openPage } from './paging.ts'
import { listedUserShape } from './users.ts'

export interface GroupParts {
  readonly groups: Groups
  readonly owners: Owners
}

/** Groups and who is in them. */
export function groupOperations({ groups, owners }: GroupParts) {
  const resource = ({ input, principal }: ResourceRequest<{ readonly GroupName: string }>) =>
    owners.arnOf({ account: principal.account, kind: 'group', name: input.GroupName })
  return {
    CreateGroup: {
      resource: ({ input: { GroupName: name, Path: path = '/' }, principal: { account } }) =>
        ownerArn({ account, kind: 'group', path, name }),
      handle: async ({ input: { GroupName: name, Path: path = '/' }, principal: { account } }) => ({
        Group: groupShape(await groups.create(account, { name, path })),
      }),
    },

    GetGroup: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        const group = await groups.get(account, input.GroupName)
        const page = openPage(input, ['GetGroup', group.id])
        const { items, next } = await groups.listUsers(account, group.name, {
          limit: page.limit,
          after: page.after?.[0],
        })
        const members = items.map(listedUserShape)
        return { Group: groupShape(group), Users: members, ...page.next(next === undefined ? undefined : [next]) }
      },
    },

    ListGroups: {
      resource: ({ input: { PathPrefix = '/' }, principal: { account } }) =>
        `arn:aws:iam::${account}:group${PathPrefix}`,
      handle: async ({ input, principal: { account } }) => {
        const { PathPrefix: pathPrefix = '/' } = input
        const page = openPage(input, ['ListGroups', account, pathPrefix])
        const { items, next } = await groups.list(account, { pathPrefix, limit: page.limit, after: page.after?.[0] })
        return { Groups: items.map(groupShape), ...page.next(next === undefined ? undefined : [next]) }
      },
    },

    UpdateGroup: {
      // Whoever renames or moves a group must be allowed to do so to what it is and to what it becomes.
      resource: async ({ input: { GroupName, NewGroupName, NewPath }, principal: { account } }) => {
        const arn = await owners.arnOf({ account, kind: 'group', name: GroupName })
        const [, path = '/', name = GroupName] = /:group(\/(?:.*\/)?)([^/]+)$/.exec(arn) ?? []
        return [arn, ownerArn({ account, kind: 'group', path: NewPath ?? path, name: NewGroupName ?? name })]
      },
      handle: async ({ input, principal: { account } }) => {
        await groups.update(account, input.GroupName, { name: input.NewGroupName, path: input.NewPath })
        return {}
      },
    },

    DeleteGroup: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        await groups.delete(account, input.GroupName)
        return {}
      },
    },

    AddUserToGroup: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        await groups.addUser(account, input.GroupName, input.UserName)
        return {}
      },
    },

    RemoveUserFromGroup: {
      resource,
      handle: async ({ input, principal: { account } }) => {
        await groups.removeUser(account, input.GroupName, input.UserName)
        return {}
      },
    },

    ListGroupsForUser: {
      resource: userMeantArn(owners),
      handle: async ({ input, principal: { account } }) => {
        const page = openPage(input, ['ListGroupsForUser', account, input.UserName])
        const { items, next } = await groups.listOfUser(account, input.UserName, {
          limit: page.limit,
          after: page.after?.[0],
        })
        return { Groups: items.map(groupShape), ...page.next(next === undefined ? undefined : [next]) }
      },
    },
  } satisfies Partial<Handlers<Operations>>
}

function groupShape({ path, name, id, arn, createdAt }: GroupOf): Group {
  return { Path: path, GroupName: name, GroupId: id, Arn: arn, CreateDate: new Date(createdAt) }
}
