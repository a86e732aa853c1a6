import type { Group } from '#iam/identities/groups.ts'
import { everyPage } from '#lib/every-page.ts'
import type { Call, CommandGroup } from './command.ts'
import { foundGroup, foundUser, openAccount, readName } from './identities.ts'
import { type Fields, pageSize, shownPages, time } from './output.ts'
import { attachPolicy, detachPolicy, policy, policyNames } from './policies.ts'

const name = ['<group>', 'its name'] as const
const user = ['<user>', 'who'] as const
const settings = ['account'] as const

export const groupCommands: CommandGroup = {
  name: 'group',
  description: 'groups of an account: users who share policies',
  commands: [
    {
      name: 'create',
      description: 'create a group without members',
      arguments: [name],
      settings,
      example: 'lading group create builders',
      run: createGroup,
    },
    {
      name: 'list',
      description: 'list the groups of an account',
      settings,
      example: 'lading group list',
      run: listGroups,
    },
    {
      name: 'show',
      description: 'show a group with its members and policies',
      arguments: [name],
      settings,
      example: 'lading group show builders',
      run: showGroup,
    },
    {
      name: 'delete',
      description: 'delete a group that has no members and policies any more',
      arguments: [name],
      settings,
      example: 'lading group delete builders',
      run: deleteGroup,
    },
    {
      name: 'add-user',
      description: 'make a user a member of a group',
      arguments: [name, user],
      settings,
      example: 'lading group add-user builders alice',
      run: changeMembers((groups) => groups.addUser),
    },
    {
      name: 'remove-user',
      description: 'end a membership',
      arguments: [name, user],
      settings,
      example: 'lading group remove-user builders alice',
      run: changeMembers((groups) => groups.removeUser),
    },
    {
      name: 'attach-policy',
      description: 'give all members a managed policy; servers decide by it at once',
      arguments: [name, policy],
      settings,
      example: 'lading group attach-policy builders AmazonEC2ContainerRegistryPowerUser',
      run: attachPolicy('group', foundGroup),
    },
    {
      name: 'detach-policy',
      description: 'take a managed policy from a group',
      arguments: [name, policy],
      settings,
      example: 'lading group detach-policy builders AmazonEC2ContainerRegistryPowerUser',
      run: detachPolicy('group', foundGroup),
    },
  ],
}

async function createGroup(call: Call): Promise<void> {
  const {
    arguments: [text = ''],
    output,
  } = call
  const wanted = readName(text, 'group')
  const { management, account } = await openAccount(call)
  output.show(groupFields(await management.groups.create(account, { name: wanted, path: '/' })))
}

async function listGroups(call: Call): Promise<void> {
  const { management, account } = await openAccount(call)
  const read = (after?: string) => management.groups.list(account, { pathPrefix: '/', limit: pageSize, after })
  await call.output.list('groups', shownPages(everyPage(read), groupFields), ['group', 'id', 'path', 'createdAt'])
}

async function showGroup(call: Call): Promise<void> {
  const {
    arguments: [text = ''],
    output,
  } = call
  const opened = await openAccount(call)
  const { management, account } = opened
  const group = await foundGroup(opened, text)
  const members: string[] = []
  const read = (after?: string) => management.groups.listUsers(account, group.name, { limit: pageSize, after })
  for await (const page of everyPage(read)) members.push(...page.map((member) => member.name))
  const policies = await policyNames(management, { account, kind: 'group', name: group.name })
  output.show({ ...groupFields(group), users: members, ...policies })
}

async function deleteGroup(call: Call): Promise<void> {
  const {
    arguments: [text = ''],
    output,
  } = call
  const opened = await openAccount(call)
  const group = await foundGroup(opened, text)
  await opened.management.groups.delete(opened.account, group.name)
  output.show({ deleted: true, ...groupFields(group) })
}

type Groups = Awaited<ReturnType<typeof openAccount>>['management']['groups']

function changeMembers(way: (groups: Groups) => Groups['addUser']) {
  return async (call: Call): Promise<void> => {
    const [groupName = '', userName = ''] = call.arguments
    const opened = await openAccount(call)
    const { management, account } = opened
    const group = await foundGroup(opened, groupName)
    const member = await foundUser(opened, userName)
    await way(management.groups)(account, group.name, member.name)
    const { items } = await management.groups.listOfUser(account, member.name, { limit: pageSize })
    call.output.show({ user: member.name, groups: items.map((each) => each.name) })
  }
}

function groupFields({ name: group, id, arn, path, createdAt }: Group): Fields {
  return { group, id, arn, path, createdAt: time(createdAt) }
}
