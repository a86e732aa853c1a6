import { ensureRoot, generateKey } from '#iam/access-keys.ts'
import { everyPage } from '#lib/every-page.ts'
import { type AccountId, isAccountId } from '#names/account.ts'
import { type Call, CommandError, type CommandGroup } from './command.ts'
import type { Deployment } from './deployment.ts'
import { nearby } from './nearby.ts'
import { pageSize, time } from './output.ts'

const id = ['<id>', 'twelve digits'] as const

export const accountCommands: CommandGroup = {
  name: 'account',
  description: 'accounts, each with registries, users and a root key of its own',
  commands: [
    {
      name: 'create',
      description: 'create an account and print its root key, once',
      arguments: [id],
      options: [['--name <name>', 'what people call it']],
      example: 'lading account create 123456789012 --name production',
      run: createAccount,
    },
    {
      name: 'list',
      description: 'list the accounts',
      example: 'lading account list',
      run: listAccounts,
    },
    {
      name: 'root-key',
      description: "tell an account's root key; its secret is printed only when the key is made",
      arguments: [id],
      options: [['--rotate', 'make a new one; the old one is refused from then on, and so are its tokens']],
      example: 'lading account root-key 123456789012 --rotate',
      run: rootKey,
    },
  ],
}

async function createAccount({ arguments: [text = ''], options: { name }, output, open }: Call): Promise<void> {
  const account = readAccount(text)
  const deployment = await open()
  const box = await deployment.secrets()
  const created = await deployment.accounts.create(account, typeof name === 'string' ? name : undefined)
  if (created === undefined) {
    throw new CommandError(`account ${account} exists already; lading account root-key ${account} tells its root key`)
  }
  const { accessKeyId, secretAccessKey } = await ensureRoot({ ...deployment, box }, account)
  output.show({
    account,
    name: created.name,
    createdAt: time(created.createdAt),
    accessKeyId,
    secretAccessKey,
  })
  output.note('The secret is not shown again.')
}

async function listAccounts({ output, open }: Call): Promise<void> {
  const { accounts } = await open()
  await output.list('accounts', accountPages(accounts), ['account', 'name', 'createdAt'])
}

async function* accountPages(accounts: Deployment['accounts']) {
  for await (const page of everyPage((after?: string) => accounts.list({ limit: pageSize, after }))) {
    yield page.map(({ id: account, name, createdAt }) => ({ account, name, createdAt: time(createdAt) }))
  }
}

async function rootKey({ arguments: [text = ''], options: { rotate }, settings, output, open }: Call): Promise<void> {
  const deployment = await open()
  const account = await requireAccount(deployment, readAccount(text))
  const given = settings.rootKey !== undefined && settings.account === account
  if (rotate === true && given) {
    throw new CommandError(
      `the root key of account ${account} is given by the settings LADING_ROOT_ACCESS_KEY_ID and LADING_ROOT_SECRET_ACCESS_KEY: change those`,
    )
  }
  const box = await deployment.secrets()
  const root = await ensureRoot({ ...deployment, box }, account, rotate === true ? generateKey() : undefined)
  const isNew = rotate === true || root.generated
  const { accessKeyId, secretAccessKey } = root
  output.show({ account, accessKeyId, ...(isNew && { secretAccessKey }) })
  output.note(
    isNew ? 'The secret is not shown again.' : 'Its secret was shown when it was made; --rotate makes a new key.',
  )
}

export function readAccount(text: string): AccountId {
  if (isAccountId(text)) return text
  throw new CommandError(`${JSON.stringify(text)} is no account: expected twelve digits`)
}

/** The account, if there is one of that number. @throws CommandError that names those there are */
export async function requireAccount({ accounts }: Deployment, account: AccountId): Promise<AccountId> {
  if ((await accounts.find(account)) !== undefined) return account
  const { items } = await accounts.list({ limit: pageSize })
  throw new CommandError(
    `there is no account ${account}: ${nearby(
      account,
      items.map(({ id }) => id),
    )}`,
  )
}
