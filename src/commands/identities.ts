import type { Group } from '#iam/identities/groups.ts'
import type { Role } from '#iam/identities/roles.ts'
import type { User } from '#iam/identities/users.ts'
import type { OwnerKind } from '#iam/policies/usage.ts'
import { Refusal } from '#lib/refusal.ts'
import type { AccountId } from '#names/account.ts'
import { requireAccount } from './account.ts'
import { type Call, CommandError } from './command.ts'
import type { Deployment } from './deployment.ts'
import { nearby } from './nearby.ts'
import { pageSize } from './output.ts'

/** The users, groups and roles that a person names on the command line. */

export interface OpenAccount extends Pick<Deployment, 'management' | 'secrets'> {
  readonly account: AccountId
}

/** The deployment, and the account of the settings, which must be there. @throws CommandError */
export async function openAccount({ settings, open }: Call): Promise<OpenAccount> {
  const deployment = await open()
  return {
    management: deployment.management,
    secrets: () => deployment.secrets(),
    account: await requireAccount(deployment, settings.account),
  }
}

/** Imposed by IAM ("IAM and AWS STS quotas", "IAM name requirements"). */
const longest: Readonly<Record<OwnerKind, number>> = { user: 64, group: 128, role: 64 }

/** A name that a new user or group may have. @throws CommandError */
export function readName(text: string, kind: OwnerKind): string {
  if (/^[\w+=,.@-]+$/.test(text) && text.length <= longest[kind]) return text
  throw new CommandError(
    `${JSON.stringify(text)} is no name of a ${kind}: expected up to ${longest[kind]} letters, digits and any of _+=,.@-`,
  )
}

/** @throws CommandError that says who is there */
export function foundUser(where: OpenAccount, name: string): Promise<User> {
  return found('user', name, where, where.management.users)
}

/** @throws CommandError that says which are there */
export function foundGroup(where: OpenAccount, name: string): Promise<Group> {
  return found('group', name, where, where.management.groups)
}

/** @throws CommandError that says which are there */
export function foundRole(where: OpenAccount, name: string): Promise<Role> {
  return found('role', name, where, where.management.roles)
}

interface Named<Item> {
  get(account: AccountId, name: string): Promise<Item>
  list(
    account: AccountId,
    page: { readonly pathPrefix: string; readonly limit: number },
  ): Promise<{ readonly items: readonly Item[] }>
}

async function found<Item extends { readonly name: string }>(
  kind: OwnerKind,
  name: string,
  { account }: OpenAccount,
  all: Named<Item>,
): Promise<Item> {
  try {
    return await all.get(account, name)
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'EntityNotFound') throw error
    const { items } = await all.list(account, { pathPrefix: '/', limit: pageSize })
    const names = items.map((item) => item.name)
    throw new CommandError(`there is no ${kind} ${JSON.stringify(name)} in account ${account}: ${nearby(name, names)}`)
  }
}
