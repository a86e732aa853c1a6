import { Refusal } from '#lib/refusal.ts'
import { createLifecyclePolicies } from '#lifecycle/policies.ts'
import { repositoryArn } from '#names/arn.ts'
import type { Repository } from '#registry/repository.ts'
import { countContents } from '#registry/repository-contents.ts'
import { createRepositoryPolicies } from '#registry/repository-policies.ts'
import type { Call, CommandGroup } from './command.ts'
import { type Fields, shownPages, time } from './output.ts'
import { foundRepository, openRegistry, repositoryPages } from './repositories.ts'

const settings = ['account', 'region'] as const

export const repositoryCommands: CommandGroup = {
  name: 'repository',
  description: 'repositories of a registry, which is an account in a region',
  commands: [
    {
      name: 'list',
      description: 'list the repositories of a registry',
      settings,
      example: 'lading repository list --account 123456789012 --region eu-central-1',
      run: listRepositories,
    },
    {
      name: 'show',
      description: 'show a repository: its settings, its policies and how much it holds',
      arguments: [['<repository>', 'its name']],
      settings,
      example: 'lading repository show team/app',
      run: showRepository,
    },
  ],
}

async function listRepositories(call: Call): Promise<void> {
  const opened = await openRegistry(call)
  await call.output.list('repositories', shownPages(repositoryPages(opened), repositoryFields), [
    'repository',
    'createdAt',
    'tagMutability',
    'scanOnPush',
  ])
}

async function showRepository(call: Call): Promise<void> {
  const opened = await openRegistry(call)
  const repository = await foundRepository(opened, call.arguments[0] ?? '')
  const { metadata, clock } = opened.deployment
  const lifecycle = createLifecyclePolicies({ metadata, clock, quotas: call.settings.quotas })
  const policy = await orNone('RepositoryPolicyNotFound', createRepositoryPolicies({ metadata }).get(repository))
  const lifecyclePolicy = await orNone('LifecyclePolicyNotFound', lifecycle.get(repository))
  call.output.show({
    ...repositoryFields(repository),
    arn: repositoryArn(repository.registry, repository.name),
    tagMutabilityExclusions: repository.tagMutability.exclusions,
    encryption: repository.encryption,
    resourceTags: repository.resourceTags,
    policy: parsed(policy),
    lifecyclePolicy: parsed(lifecyclePolicy?.text),
    ...(await countContents(metadata, repository)),
  })
}

async function orNone<T>(code: string, reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof Refusal && error.code === code) return undefined
    throw error
  }
}

/** Policies are kept as they were set, and only JSON is. */
function parsed(document: string | undefined): unknown {
  return document === undefined ? undefined : JSON.parse(document)
}

function repositoryFields({ name: repository, createdAt, tagMutability, scanOnPush }: Repository): Fields {
  return { repository, createdAt: time(createdAt), tagMutability: tagMutability.mode, scanOnPush }
}
