import type { Clock } from '#lib/clock.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { RemoteUpload } from '#remote/registry.ts'

/** The uploads to one destination that are under way, kept so that they go on after a restart. */
export interface KeptUploads {
  find(repository: RepositoryName, digest: Digest): Promise<RemoteUpload | undefined>
  keep(digest: Digest, upload: RemoteUpload): Promise<void>
  drop(repository: RepositoryName, digest: Digest): Promise<void>
}

export interface KeptUploadsParts {
  readonly metadata: Metadata
  readonly clock: Clock
}

export function createKeptUploads({ metadata, clock }: KeptUploadsParts, { account, region }: Registry): KeptUploads {
  return {
    async find(repository, digest) {
      const row = await metadata.reader
        .selectFrom('replication_upload')
        .select(['location', 'offset'])
        .where('account', '=', account)
        .where('region', '=', region)
        .where('repository', '=', repository)
        .where('digest', '=', digest)
        .executeTakeFirst()
      return row && { repository, ...row }
    },

    async keep(digest, { repository, location, offset }) {
      const state = { location, offset, touched_at: clock() }
      await metadata.transaction((trx) =>
        trx
          .insertInto('replication_upload')
          .values({ account, region, repository, digest, ...state })
          .onConflict((conflict) => conflict.columns(['account', 'region', 'repository', 'digest']).doUpdateSet(state))
          .execute(),
      )
    },

    async drop(repository, digest) {
      await metadata.transaction((trx) =>
        trx
          .deleteFrom('replication_upload')
          .where('account', '=', account)
          .where('region', '=', region)
          .where('repository', '=', repository)
          .where('digest', '=', digest)
          .execute(),
      )
    },
  }
}
