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
  drop(repository: RepositoryName, digests: readonly Digest[]): Promise<void>
  /**
   * Whether another repository has or had an upload of one of these blobs a short time ago, the image of which is not settled, while this
   * repository has none. Once that image is there, the blob can be mounted.
   */
  isElsewhere(repository: RepositoryName, digests: readonly Digest[]): Promise<boolean>
}

export interface KeptUploadsParts {
  readonly metadata: Metadata
  readonly clock: Clock
}

/** An image that is not tried again holds up no other for longer. */
const shortMs = 600_000

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

    async drop(repository, digests) {
      if (digests.length === 0) return
      await metadata.transaction((trx) =>
        trx
          .deleteFrom('replication_upload')
          .where('account', '=', account)
          .where('region', '=', region)
          .where('repository', '=', repository)
          .where('digest', 'in', [...digests])
          .execute(),
      )
    },

    async isElsewhere(repository, digests) {
      if (digests.length === 0) return false
      const rows = await metadata.reader
        .selectFrom('replication_upload')
        .select(['digest', 'repository'])
        .where('account', '=', account)
        .where('region', '=', region)
        .where('digest', 'in', [...digests])
        .where('touched_at', '>', clock() - shortMs)
        .execute()
      const own = new Set(rows.filter((row) => row.repository === repository).map(({ digest }) => digest))
      return rows.some(({ digest }) => !own.has(digest))
    },
  }
}
