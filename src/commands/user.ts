import type { User } from '#iam/identities/users.ts'
import { everyPage } from '#lib/every-page.ts'
import type { Call, CommandGroup } from './command.ts'
import { foundUser, openAccount, readName } from './identities.ts'
import { type Fields, pageSize, shownPages, time } from './output.ts'
import { attachPolicy, detachPolicy, policy, policyNames } from './policies.ts'

const name = ['<user>', 'its name'] as const
const settings = ['account'] as const

export const userCommands: CommandGroup = {
  name: 'user',
  description: 'users of an account: people and programs with access keys of their own',
  commands: [
    {
      name: 'create',
      description: 'create a user, who may do nothing yet',
      arguments: [name],
      settings,
      example: 'lading user create alice --account 123456789012',
      run: createUser,
    },
    {
      name: 'list',
      description: 'list the users of an account',
      settings,
      example: 'lading user list',
      run: listUsers,
    },
    {
      name: 'show',
      description: 'show a user with its groups, policies and access keys',
      arguments: [name],
      settings,
      example: 'lading user show alice',
      run: showUser,
    },
    {
      name: 'delete',
      description: 'delete a user who has no keys, groups and policies any more',
      arguments: [name],
      settings,
      example: 'lading user delete alice',
      run: deleteUser,
    },
    {
      name: 'attach-policy',
      description: 'give a user a managed policy; servers decide by it at once',
      arguments: [name, policy],
      settings,
      example: 'lading user attach-policy alice AmazonEC2ContainerRegistryPowerUser',
      run: attachPolicy('user', foundUser),
    },
    {
      name: 'detach-policy',
      description: 'take a managed policy from a user',
      arguments: [name, policy],
      settings,
      example: 'lading user detach-policy alice AmazonEC2ContainerRegistryPowerUser',
      run: detachPolicy('user', foundUser),
    },
  ],
}

async function createUser(call: Call): Promise<void> {
  const {
    arguments: [text = ''],
    output,
  } = call
  const wanted = readName(text, 'user')
  const { management, account } = await openAccount(call)
  const user = await management.users.create(account, { name: wanted, path: '/', tags: [], boundaryArn: undefined })
  output.show(userFields(user))
  output.note(`An access key: lading key create --user ${user.name}`)
}

async function listUsers(call: Call): Promise<void> {
  const { management, account } = await openAccount(call)
  const read = (after?: string) => management.users.list(account, { pathPrefix: '/', limit: pageSize, after })
  await call.output.list('users', shownPages(everyPage(read), userFields), ['user', 'id', 'path', 'createdAt'])
}

async function showUser(call: Call): Promise<void> {
  const {
    arguments: [text = ''],
    output,
  } = call
  const opened = await openAccount(call)
  const { management, account } = opened
  const user = await foundUser(opened, text)
  const owner = { account, kind: 'user', name: user.name } as const
  const page = { limit: pageSize }
  const groups = await management.groups.listOfUser(account, user.name, page)
  const keys = await management.keys.list({ account, user: user.name }, page)
  output.show({
    ...userFields(user),
    boundary: user.boundaryArn,
    tags: user.tags,
    groups: groups.items.map((group) => group.name),
    ...(await policyNames(management, owner)),
    keys: keys.items.map(({ id, status }) => ({ accessKeyId: id, status })),
  })
}

async function deleteUser(call: Call): Promise<void> {
  const {
    arguments: [text = ''],
    output,
  } = call
  const opened = await openAccount(call)
  const user = await foundUser(opened, text)
  await opened.management.users.delete(opened.account, user.name)
  output.show({ deleted: true, ...userFields(user) })
}

function userFields({ name: user, id, arn, path, createdAt }: User): Fields {
  return { user, id, arn, path, createdAt: time(createdAt) }
}
