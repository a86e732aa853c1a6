import type { Transaction } from '#metadata/metadata.ts'
import type { Repository } from './repository.ts'

/**
 * What the core tells the features that build on it, which it does not know: `app.ts` hands in their listeners. A listener runs
 * in the transaction of what it is told, and may only write rows in it, so that cause and consequence are committed together.
 */

/** A repository that did not exist before. */
export interface CreatedRepository {
  readonly repository: Repository
  /** The text of the lifecycle policy that its creation template gives it, validated when the template was stored. */
  readonly lifecyclePolicy: string | undefined
}

export type RepositoryCreated = (trx: Transaction, created: CreatedRepository) => Promise<void>
