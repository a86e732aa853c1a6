import type { Role } from '#iam/identities/roles.ts'
import { everyPage } from '#lib/every-page.ts'
import type { Call, CommandGroup } from './command.ts'
import { foundRole, openAccount } from './identities.ts'
import { type Fields, pageSize, shownPages, time } from './output.ts'
import { policyNames } from './policies.ts'

const settings = ['account'] as const

/** Roles are made by the API of IAM, by `aws iam` or Terraform: a trust policy wants an editor. */
export const roleCommands: CommandGroup = {
  name: 'role',
  description: 'roles of an account, which CI systems and other accounts take on',
  commands: [
    {
      name: 'list',
      description: 'list the roles of an account',
      settings,
      example: 'lading role list',
      run: listRoles,
    },
    {
      name: 'show',
      description: 'show a role with its trust policy and its policies',
      arguments: [['<role>', 'its name']],
      settings,
      example: 'lading role show ci',
      run: showRole,
    },
  ],
}

async function listRoles(call: Call): Promise<void> {
  const { management, account } = await openAccount(call)
  const read = (after?: string) => management.roles.list(account, { pathPrefix: '/', limit: pageSize, after })
  await call.output.list('roles', shownPages(everyPage(read), roleFields), [
    'role',
    'id',
    'path',
    'createdAt',
    'lastUsedAt',
  ])
}

async function showRole(call: Call): Promise<void> {
  const {
    arguments: [text = ''],
    output,
  } = call
  const opened = await openAccount(call)
  const role = await foundRole(opened, text)
  const { account, management } = opened
  output.show({
    ...roleFields(role),
    description: role.description,
    maxSessionSeconds: role.maxSessionSeconds,
    boundary: role.boundaryArn,
    tags: role.tags,
    trustPolicy: JSON.parse(role.trustPolicy),
    ...(await policyNames(management, { account, kind: 'role', name: role.name })),
  })
}

function roleFields({ name: role, id, arn, path, createdAt, lastUsed }: Role): Fields {
  return { role, id, arn, path, createdAt: time(createdAt), lastUsedAt: time(lastUsed?.at) }
}
