import type { KeyFacts, KeyOwner, KeyStatus } from '#iam/keys/access-keys.ts'
import { type Call, CommandError, type CommandGroup } from './command.ts'
import { foundUser, type OpenAccount, openAccount } from './identities.ts'
import { type Fields, onePage, pageSize, time } from './output.ts'

const user = ['--user <user>', 'whose key; without it, that of the root of the account'] as const
const id = ['<access-key-id>', 'which key, such as AKIA…'] as const
const settings = ['account'] as const

export const keyCommands: CommandGroup = {
  name: 'key',
  description: 'access keys, at most two for each user, so that one can take the place of the other without a gap',
  commands: [
    {
      name: 'create',
      description: 'make an access key and print its secret, once',
      options: [user],
      settings,
      example: 'lading key create --user alice',
      run: createKey,
    },
    {
      name: 'list',
      description: "list a user's access keys and when each was last used",
      options: [user],
      settings,
      example: 'lading key list --user alice',
      run: listKeys,
    },
    {
      name: 'deactivate',
      description: 'refuse a key until it is activated again; its tokens end within ten seconds',
      arguments: [id],
      options: [user],
      settings,
      example: 'lading key deactivate AKIAEXAMPLEEXAMPLE12 --user alice',
      run: setStatus('Inactive'),
    },
    {
      name: 'activate',
      description: 'accept a key again',
      arguments: [id],
      options: [user],
      settings,
      example: 'lading key activate AKIAEXAMPLEEXAMPLE12 --user alice',
      run: setStatus('Active'),
    },
    {
      name: 'delete',
      description: 'delete a key; its tokens end within ten seconds',
      arguments: [id],
      options: [user],
      settings,
      example: 'lading key delete AKIAEXAMPLEEXAMPLE12 --user alice',
      run: deleteKey,
    },
  ],
}

async function createKey(call: Call): Promise<void> {
  const { management, secrets, owner } = await openOwner(call)
  await secrets()
  const { id: accessKeyId, secret: secretAccessKey, createdAt, status } = await management.keys.create(owner)
  call.output.show({ user: owner.user, accessKeyId, secretAccessKey, status, createdAt: time(createdAt) })
  call.output.note('The secret is not shown again.')
}

async function listKeys(call: Call): Promise<void> {
  const { management, account, owner } = await openOwner(call)
  const { items } = await management.keys.list(owner, { limit: pageSize })
  const rows: Fields[] = []
  for (const key of items) rows.push({ ...keyFields(key), ...(await lastUse(management, account, key.id)) })
  await call.output.list('keys', onePage(rows), ['accessKeyId', 'status', 'createdAt', 'lastUsedAt', 'lastUsedFor'])
}

async function lastUse({ keys }: OpenAccount['management'], account: OpenAccount['account'], key: string) {
  const last = (await keys.findUse(account, key))?.last
  return { lastUsedAt: time(last?.at), lastUsedFor: last && `${last.service} in ${last.region}` }
}

function setStatus(status: KeyStatus) {
  return async (call: Call): Promise<void> => {
    const { management, owner } = await openOwner(call)
    const accessKeyId = await namedKey(call, { management, owner })
    await management.keys.setStatus(owner, accessKeyId, status)
    call.output.show({ user: owner.user, accessKeyId, status })
  }
}

async function deleteKey(call: Call): Promise<void> {
  const { management, owner } = await openOwner(call)
  const accessKeyId = await namedKey(call, { management, owner })
  await management.keys.delete(owner, accessKeyId)
  call.output.show({ deleted: true, user: owner.user, accessKeyId })
}

async function openOwner(call: Call): Promise<OpenAccount & { readonly owner: KeyOwner }> {
  const opened = await openAccount(call)
  const { options } = call
  const named = typeof options.user === 'string' ? (await foundUser(opened, options.user)).name : undefined
  return { ...opened, owner: { account: opened.account, user: named } }
}

/** @throws CommandError that says which keys there are */
async function namedKey(
  { arguments: [wanted = ''] }: Call,
  { management, owner }: Pick<OpenAccount, 'management'> & { readonly owner: KeyOwner },
): Promise<string> {
  const { items } = await management.keys.list(owner, { limit: pageSize })
  if (items.some((key) => key.id === wanted)) return wanted
  const whose = owner.user === undefined ? `the root of account ${owner.account}` : `user ${owner.user}`
  const there = items.length === 0 ? 'none' : items.map((key) => key.id).join(', ')
  throw new CommandError(`${whose} has no such access key: there is ${there}`)
}

function keyFields({ id: accessKeyId, status, createdAt }: KeyFacts): Fields {
  return { accessKeyId, status, createdAt: time(createdAt) }
}
