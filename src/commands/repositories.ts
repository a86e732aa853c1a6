import { everyPage } from '#lib/every-page.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Registry } from '#names/registry.ts'
import { createRepositories, type Repositories } from '#registry/repositories.ts'
import type { Repository } from '#registry/repository.ts'
import { requireAccount } from './account.ts'
import { type Call, CommandError } from './command.ts'
import type { Deployment } from './deployment.ts'
import { readRepositoryName } from './names.ts'
import { nearby } from './nearby.ts'
import { pageSize } from './output.ts'

/** The repositories that a person names on the command line. */
export interface OpenRegistry {
  readonly deployment: Deployment
  readonly registry: Registry
  readonly repositories: Pick<Repositories, 'get' | 'list'>
}

/** The registry of the settings' account and region, whose account must be there. @throws CommandError */
export async function openRegistry({ settings, open }: Call): Promise<OpenRegistry> {
  const deployment = await open()
  const registry = { account: await requireAccount(deployment, settings.account), region: settings.region }
  // Nothing is created here, so nobody listens.
  const repositories = createRepositories({ ...deployment, quotas: settings.quotas, repositoryCreated: [] })
  return { deployment, registry, repositories }
}

/** @throws CommandError that says which there are */
export async function foundRepository(where: OpenRegistry, name: string): Promise<Repository> {
  const { registry, repositories } = where
  const named = readRepositoryName(name)
  try {
    return await repositories.get({ registry, name: named })
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'RepositoryNotFound') throw error
    const { items } = await repositories.list(registry, { limit: pageSize })
    const names = items.map((repository) => String(repository.name))
    throw new CommandError(
      `there is no repository ${JSON.stringify(name)} in account ${registry.account}, region ${registry.region}: ${nearby(name, names)}`,
    )
  }
}

export function repositoryPages({ registry, repositories }: OpenRegistry) {
  return everyPage((after?: string) => repositories.list(registry, { limit: pageSize, after }))
}
