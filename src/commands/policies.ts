import type { OwnerRef } from '#iam/identities/owners.ts'
import type { OwnerKind } from '#iam/policies/usage.ts'
import { everyPage } from '#lib/every-page.ts'
import { type Call, CommandError, type DeploymentCommand } from './command.ts'
import type { Management } from './deployment.ts'
import { type OpenAccount, openAccount } from './identities.ts'
import { nearby } from './nearby.ts'
import { type Fields, pageSize } from './output.ts'

/** Managed policies of users and groups, named by ARN or shorter. */
export const policy = ['<policy>', "a managed policy's ARN, or the name of one of the account or of AWS"] as const

/** Gives what the first argument names the policy that the second one names. */
export function attachPolicy(kind: OwnerKind, find: Find): DeploymentCommand['run'] {
  return change(kind, find, (management, owner, arn) => management.attachments.attach(owner, arn))
}

export function detachPolicy(kind: OwnerKind, find: Find): DeploymentCommand['run'] {
  return change(kind, find, (management, owner, arn) => management.attachments.detach(owner, arn))
}

type Find = (where: OpenAccount, name: string) => Promise<{ readonly name: string }>

function change(
  kind: OwnerKind,
  find: Find,
  act: (management: Management, owner: OwnerRef, arn: string) => Promise<void>,
): DeploymentCommand['run'] {
  return async (call: Call) => {
    const [ownerName = '', policyName = ''] = call.arguments
    const opened = await openAccount(call)
    const { management, account } = opened
    const { name } = await find(opened, ownerName)
    const owner = { account, kind, name }
    await act(management, owner, await policyArn(opened, policyName))
    call.output.show({ [kind]: name, ...(await policyNames(management, owner)) })
  }
}

/** What it has, for `show`. */
export async function policyNames({ attachments, inline }: Management, owner: OwnerRef): Promise<Fields> {
  const attached = await attachments.list(owner, { pathPrefix: '/', limit: pageSize })
  const names = await inline.list(owner, { limit: pageSize })
  return { policies: attached.items.map(({ arn }) => arn), inlinePolicies: names.items }
}

/** @throws CommandError that says which there are */
async function policyArn({ management, account }: OpenAccount, text: string): Promise<string> {
  if (text.startsWith('arn:')) return text
  const filter = { owners: ['account', 'aws'], pathPrefix: '/', ways: [] } as const
  const names: string[] = []
  for await (const page of everyPage((after?: string) =>
    management.policies.list(account, filter, { limit: pageSize, after }),
  )) {
    const found = page.find(({ name }) => name.toLowerCase() === text.toLowerCase())
    if (found !== undefined) return found.arn
    names.push(...page.map(({ name }) => name))
  }
  throw new CommandError(`there is no policy ${JSON.stringify(text)} in account ${account}: ${nearby(text, names)}`)
}
