import type { Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { parseTag } from '#names/tag.ts'
import type { ImagePushed, ImagesRestored } from '#registry/announcements.ts'
import { findReplicas } from '#registry/replicas.ts'
import type { Repository } from '#registry/repository.ts'
import { readSetting } from '#registry/settings.ts'
import { countsAt } from '#registry/tag-source.ts'
import { replicationSetting } from './configuration.ts'
import type { ReplicatedTag } from './item.ts'
import { queueItem } from './queue.ts'
import { destinationsOf } from './rules.ts'

/**
 * Asks for copies in the transaction of a push or a restore, once for each (ECR user guide, "Private image replication"). What came by
 * replication is not replicated on.
 */
export async function replicatePushed(trx: Transaction, pushed: ImagePushed): Promise<void> {
  const { repository, digest, tag, at, tagCountsAt = at, cause } = pushed
  if (cause === 'replication') return
  const tags = tag === undefined ? [] : [{ tag, pushedAt: tagCountsAt }]
  for (const destination of await findDestinations(trx, repository)) {
    const { id: repositoryId, registry: source } = repository
    await queueItem(trx, { repositoryId, source, destination, digest, cause: 'push', pushedAt: at, tags }, at)
  }
}

export async function replicateRestored(trx: Transaction, restored: ImagesRestored): Promise<void> {
  const { repository, digests, at, cause } = restored
  if (cause === 'replication') return
  const { id: repositoryId, registry: source } = repository
  const destinations = await findDestinations(trx, repository)
  if (destinations.length === 0) return
  const replicas = await findReplicas(trx, repository, digests)
  const own = digests.filter((digest) => !replicas.has(digest))
  for (const destination of destinations) {
    for (const digest of own) {
      const tags = await tagsOf(trx, repositoryId, digest)
      await queueItem(trx, { repositoryId, source, destination, digest, cause: 'restore', pushedAt: at, tags }, at)
    }
  }
}

async function findDestinations(trx: Transaction, { registry, name }: Repository) {
  return destinationsOf(await readSetting(trx, registry, replicationSetting), name)
}

async function tagsOf(trx: Transaction, repositoryId: number, digest: Digest): Promise<ReplicatedTag[]> {
  const rows = await trx
    .selectFrom('tag')
    .select(['tag', 'moved_at', 'source_pushed_at'])
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .orderBy('moved_at')
    .execute()
  return rows.map((row) => ({ tag: parseTag(row.tag), pushedAt: countsAt(row) }))
}
