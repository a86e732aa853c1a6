import type { Clock } from '#lib/clock.ts'
import type { Metadata, Reader, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { closed } from '#registry/blob-links.ts'
import { lockRepository, type Repository, type RepositoryKey } from '#registry/repository.ts'
import type { UploadRows } from '#registry/upload-rows.ts'

/**
 * Transfers in SQL. One row for each blob of a repository elects the one process that reads the source: its lease is renewed about each
 * second, and another process takes the transfer over once it has passed. The row ends with its upload, in one statement.
 */
export interface IncomingRows {
  /**
   * Makes this process the leader, or says which one is. `linked` if the repository has the blob by now; `ignoreLink` for a link without
   * intact content. Locks: repository → transfer → upload.
   *
   * @throws Refusal `RepositoryNotFound`, `StorageQuotaExceeded`
   */
  elect(key: RepositoryKey, digest: Digest, ignoreLink: boolean): Promise<Role>
  /** What the row says now; `undefined` for no row. */
  find(key: RepositoryKey, digest: Digest): Promise<IncomingRow | undefined>
  /** Whether the repository serves the blob, and with which size. */
  findLinked(key: RepositoryKey, digest: Digest): Promise<number | undefined>
  /** The source has answered. */
  announce(upload: string, sizeBytes: number): Promise<void>
  /** Replaces the upload by a new one, for a transfer that starts over. `undefined` if this process leads it no more. */
  restart(key: RepositoryKey, upload: string): Promise<string | undefined>
  /** Ends the leadership and keeps the bytes. */
  release(upload: string): Promise<void>
  /** Extends all leases of this process. Answers the uploads of those that it still has, and of those that are linked by now. */
  renew(): Promise<{ readonly held: ReadonlySet<string>; readonly linked: ReadonlySet<string> }>
}

export type Role =
  | { readonly role: 'linked' }
  | {
      readonly role: 'lead'
      readonly upload: string
      readonly inherited: boolean
      readonly ignoreLink: boolean
      /** What an earlier leader learned from its source. */
      readonly size: number | undefined
    }
  | { readonly role: 'follow'; readonly upload: string }

export interface IncomingRow {
  readonly upload: string
  readonly size: number | null
  readonly leader: string | null
  readonly leased_until: number
}

/** Renewed about each second. A process that is held up for longer may lose the lease. */
export const leaseMs = 6_000

type ByDigest = { account: string; region: string; name: string; digest: string }

export function createIncomingRows({
  metadata,
  clock,
  uploadRows,
  processId,
}: {
  metadata: Metadata
  clock: Clock
  uploadRows: Pick<UploadRows, 'createIn'>
  processId: string
}): IncomingRows {
  const findRow = metadata.prepare<ByDigest, IncomingRow>((db, p) =>
    db
      .selectFrom('repository')
      .innerJoin('incoming_blob', 'incoming_blob.repository_id', 'repository.id')
      .select(['incoming_blob.upload', 'incoming_blob.size', 'incoming_blob.leader', 'incoming_blob.leased_until'])
      .where('repository.account', '=', p('account'))
      .where('repository.region', '=', p('region'))
      .where('repository.name', '=', p('name'))
      .where('incoming_blob.digest', '=', p('digest')),
  )

  const byDigest = ({ registry, name }: RepositoryKey, digest: Digest): ByDigest => ({
    account: registry.account,
    region: registry.region,
    name,
    digest,
  })

  const isHeld = (row: IncomingRow) => row.leader !== null && row.leader !== processId && row.leased_until > clock()

  const own = () => ({ leader: processId, leased_until: clock() + leaseMs })

  /** The link is looked for last. A transfer that ended a moment ago has shown it before its row went. */
  async function begin(trx: Transaction, repository: Repository, digest: Digest, ignoreLink: boolean) {
    const upload = await uploadRows.createIn(trx, repository)
    const inserted = await trx
      .insertInto('incoming_blob')
      .values({ repository_id: repository.id, digest, upload, size: null, ...own() })
      .onConflict((conflict) => conflict.doNothing())
      .returning('upload')
      .executeTakeFirst()
    const linked = inserted !== undefined && !ignoreLink && (await isLinked(trx, repository.id, digest))
    if (inserted !== undefined && !linked)
      return { role: 'lead', upload, inherited: false, ignoreLink, size: undefined } as const
    await trx.deleteFrom('upload').where('id', '=', upload).execute()
    return linked ? ({ role: 'linked' } as const) : undefined
  }

  async function join(
    trx: Transaction,
    { id }: Repository,
    digest: Digest,
    ignoreLink: boolean,
  ): Promise<Role | undefined> {
    const row = await trx
      .selectFrom('incoming_blob')
      .select(['upload', 'size', 'leader', 'leased_until'])
      .where('repository_id', '=', id)
      .where('digest', '=', digest)
      .forUpdate()
      .executeTakeFirst()
    if (row === undefined) return undefined
    const { upload } = row
    if (isHeld(row)) return { role: 'follow', upload }
    await trx.updateTable('incoming_blob').set(own()).where('upload', '=', upload).execute()
    return { role: 'lead', upload, inherited: true, ignoreLink, size: row.size ?? undefined }
  }

  return {
    async elect(key, digest, ignoreLink) {
      for (;;) {
        const role = await metadata.transaction(async (trx) => {
          const repository = await lockRepository(trx, key, 'shared')
          return (await join(trx, repository, digest, ignoreLink)) ?? (await begin(trx, repository, digest, ignoreLink))
        })
        // Without one, another process has begun the transfer in this moment: look again.
        if (role !== undefined) return role
      }
    },

    async find(key, digest) {
      const [row] = await findRow(byDigest(key, digest))
      return row
    },

    async findLinked(key, digest) {
      const row = await metadata.reader
        .selectFrom('repository')
        .innerJoin('repository_blob', 'repository_blob.repository_id', 'repository.id')
        .innerJoin('blob', 'blob.digest', 'repository_blob.digest')
        .select('blob.size')
        .where('repository.account', '=', key.registry.account)
        .where('repository.region', '=', key.registry.region)
        .where('repository.name', '=', key.name)
        .where('repository_blob.digest', '=', digest)
        .where('repository_blob.linked_at', '!=', closed)
        .where('blob.quarantined_at', 'is', null)
        .executeTakeFirst()
      return row?.size
    },

    announce: (upload, size) =>
      metadata.transaction(async (trx) => {
        await trx
          .updateTable('incoming_blob')
          .set({ size, ...own() })
          .where('upload', '=', upload)
          .where('leader', '=', processId)
          .execute()
      }),

    restart: (key, upload) =>
      metadata.transaction(async (trx) => {
        const repository = await lockRepository(trx, key, 'shared')
        const next = await uploadRows.createIn(trx, repository)
        const { numUpdatedRows } = await trx
          .updateTable('incoming_blob')
          .set({ upload: next, size: null, ...own() })
          .where('upload', '=', upload)
          .where('leader', '=', processId)
          .executeTakeFirst()
        const isLeader = numUpdatedRows > 0n
        await trx
          .deleteFrom('upload')
          .where('id', '=', isLeader ? upload : next)
          .execute()
        return isLeader ? next : undefined
      }),

    release: (upload) =>
      metadata.transaction(async (trx) => {
        await trx
          .updateTable('incoming_blob')
          .set({ leader: null, leased_until: 0 })
          .where('upload', '=', upload)
          .where('leader', '=', processId)
          .execute()
      }),

    async renew() {
      const held = await metadata.transaction((trx) =>
        trx
          .updateTable('incoming_blob')
          .set({ leased_until: clock() + leaseMs })
          .where('leader', '=', processId)
          .returning('upload')
          .execute(),
      )
      const linked = await metadata.reader
        .selectFrom('incoming_blob')
        .innerJoin('repository_blob', (link) =>
          link
            .onRef('repository_blob.repository_id', '=', 'incoming_blob.repository_id')
            .onRef('repository_blob.digest', '=', 'incoming_blob.digest'),
        )
        .innerJoin('blob', 'blob.digest', 'repository_blob.digest')
        .select('incoming_blob.upload')
        .where('incoming_blob.leader', '=', processId)
        .where('repository_blob.linked_at', '!=', closed)
        .where('blob.quarantined_at', 'is', null)
        .execute()
      return { held: uploadsOf(held), linked: uploadsOf(linked) }
    },
  }
}

function uploadsOf(rows: readonly { readonly upload: string }[]): ReadonlySet<string> {
  return new Set(rows.map(({ upload }) => upload))
}

async function isLinked(reader: Reader, repositoryId: number, digest: Digest): Promise<boolean> {
  const row = await reader
    .selectFrom('repository_blob')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .where('linked_at', '!=', closed)
    .executeTakeFirst()
  return row !== undefined
}
