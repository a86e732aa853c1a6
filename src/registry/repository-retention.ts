import type { Metadata, Reader } from '#metadata/metadata.ts'
import { keepsInUse } from './kept-in-use.ts'
import { getRepository, lockRepository, type Repository, type RepositoryKey } from './repository.ts'

/** What a repository keeps otherwise than its registry. */
export interface RepositoryRetentions {
  /** @throws Refusal `RepositoryNotFound` */
  get(key: RepositoryKey): Promise<RepositoryRetention>
  /** Whether it keeps images in use; `undefined` leaves it to the registry. @throws Refusal `RepositoryNotFound` */
  putKeepInUse(key: RepositoryKey, keepInUse: boolean | undefined): Promise<RepositoryRetention>
}

export interface RepositoryRetention {
  /** What it says itself. */
  readonly keepInUse: boolean | undefined
  /** What holds. */
  readonly keepsInUse: boolean
}

export function createRepositoryRetentions({ metadata }: { metadata: Metadata }): RepositoryRetentions {
  return {
    get: async (key) => describe(metadata.reader, await getRepository(metadata.reader, key)),

    putKeepInUse: (key, keepInUse) =>
      metadata.transaction(async (trx) => {
        const repository = await lockRepository(trx, key, 'exclusive')
        const keep_in_use = keepInUse === undefined ? null : keepInUse ? 1 : 0
        await trx.updateTable('repository').set({ keep_in_use }).where('id', '=', repository.id).execute()
        return describe(trx, { ...repository, keepInUse })
      }),
  }
}

async function describe(reader: Reader, repository: Repository): Promise<RepositoryRetention> {
  return { keepInUse: repository.keepInUse, keepsInUse: await keepsInUse(reader, repository) }
}
