import { Refusal } from '#lib/refusal.ts'
import type { ContentRefusals } from './refusals.ts'
import type { Repositories } from './repositories.ts'
import type { RepositoryKey } from './repository.ts'
import { createByTemplate } from './template-creation.ts'

/** Who pushes to a repository, as far as creating it needs to know. */
export interface Pusher {
  readonly key: RepositoryKey
  /** Whether the caller may create the repository, beyond what a push asks for. */
  readonly mayCreate: () => Promise<boolean>
  /** Whether the push can be made again after it was refused; one whose body was read by then cannot. */
  readonly repeatable?: () => boolean
}

/**
 * A push, made again once the repository was created if there was none and a template for pushes covers it. A repository that
 * exists costs no further query. Whoever may not create gets the refusal that there is no such repository, as without a
 * template; permission is asked before anything is created.
 */
export async function pushCreating<T>(
  repositories: Repositories,
  { key, mayCreate, repeatable = () => true }: Pusher,
  push: () => Promise<T>,
): Promise<T> {
  try {
    return await push()
  } catch (error) {
    if (!isMissing(error) || !repeatable() || !(await mayCreate())) throw error
    if (!(await repositories.createFromTemplate(key, 'CREATE_ON_PUSH'))) throw error
  }
  return push()
}

/** A registry that replicates to a repository, as far as creating it needs to know. */
export interface ReplicatingPusher extends Omit<Pusher, 'mayCreate'> {
  /** @throws Refusal `AccessDenied` */
  readonly requireMayCreate: () => Promise<void>
  readonly onCreated: () => void
}

/**
 * A push by replication, made again once the repository was created if there was none: by a template, or else with the defaults. Without the
 * permission to create, the refusal is the denial, as the source needs to know what is missing.
 *
 * @throws Refusal `AccessDenied`, `TemplateRoleMissing`, `QuotaExceeded`
 */
export async function replicateCreating<T>(
  repositories: Repositories,
  { key, requireMayCreate, onCreated, repeatable = () => true }: ReplicatingPusher,
  push: () => Promise<T>,
): Promise<T> {
  try {
    return await push()
  } catch (error) {
    if (!isMissing(error) || !repeatable()) throw error
    await requireMayCreate()
    await createByTemplate(repositories, key, 'REPLICATION')
    onCreated()
  }
  return push()
}

function isMissing(error: unknown): boolean {
  return error instanceof Refusal && error.code === ('RepositoryNotFound' satisfies keyof ContentRefusals)
}
