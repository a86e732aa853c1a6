import { enqueue } from '#jobs/queue.ts'
import type { Clock } from '#lib/clock.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import { manifestShape } from '#names/manifest-types.ts'
import type { Tag } from '#names/tag.ts'
import type { ImagePush } from '#registry/image-push.ts'
import { type Manifest, parseManifest } from '#registry/manifest.ts'
import type { Repositories } from '#registry/repositories.ts'
import { lockRepository, type Repository, type RepositoryKey } from '#registry/repository.ts'
import { createByTemplate } from '#registry/template-creation.ts'
import { RemoteFailure, type RemoteManifest } from '#remote/registry.ts'
import type { RecordAction } from './cache-actions.ts'
import { requestEviction } from './eviction-kind.ts'
import { importImage } from './import-kind.ts'
import { type ArrivedManifest, dropPending, keepPending } from './pending-manifests.ts'
import { mayMove, recordMovedTag, recordTag } from './tag-state.ts'
import type { UpstreamRepository } from './upstream-name.ts'

/** What becomes of a manifest that came from an upstream. */
export interface Arrivals {
  /**
   * Keeps a manifest and asks for the job that brings its content, all in one transaction. Creates the repository first if it is
   * missing. A manifest that is an image here already only takes the tag.
   *
   * @throws RemoteFailure `invalid` for what is no manifest; Refusal `TemplateRoleMissing`, `QuotaExceeded`, `TagImmutable`
   */
  take(key: RepositoryKey, arrival: Arrival): Promise<ArrivedManifest>
  /** As `take`, without a job: for a manifest that a job has fetched for another one. */
  keep(key: RepositoryKey, arrival: Arrival): Promise<ArrivedManifest>
  /** Makes an image of a manifest that has all its content here. @throws Refusal as `ImagePush.put` */
  store(key: RepositoryKey, arrived: ArrivedManifest, stored?: StoredAs): Promise<void>
}

export interface StoredAs {
  readonly tag?: Tag | undefined
  /** Whether the image was asked for, and not for its index alone. Then `recordAction` has it. */
  readonly isAsked: boolean
}

export interface Arrival {
  readonly upstream: UpstreamRepository
  readonly remote: RemoteManifest
  readonly tag?: Tag | undefined
  /** The ARN of the principal that pulls. */
  readonly by: string
}

export function createArrivals({
  metadata,
  clock,
  repositories,
  imagePush,
  recordAction,
}: {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly repositories: Repositories
  readonly imagePush: ImagePush
  /** Called in the transaction that stores the image. */
  readonly recordAction: RecordAction
}): Arrivals {
  async function ensureRepository(key: RepositoryKey): Promise<void> {
    const present = await repositories.findAll(key.registry, [key.name])
    if (present.size === 0) await createByTemplate(repositories, key, 'PULL_THROUGH_CACHE')
  }

  async function isImage(trx: Transaction, { id }: Repository, digest: Digest): Promise<boolean> {
    const row = await trx
      .selectFrom('manifest')
      .select('digest')
      .where('repository_id', '=', id)
      .where('digest', '=', digest)
      .executeTakeFirst()
    return row !== undefined
  }

  async function store(key: RepositoryKey, arrived: ArrivedManifest, stored?: StoredAs): Promise<void> {
    const { digest, body, manifest, by, rule } = arrived
    const { tag, isAsked = false } = stored ?? {}
    let moves = false
    await imagePush.put(key, {
      ...{ body, mediaType: manifest.mediaType, digest, by, cause: 'cache' },
      ...(tag !== undefined && {
        tag,
        // Asked before the tag moves. After that, a tag that the cache has not had before looks like one that a client pushed.
        async movesTag(trx, { id }) {
          moves = await mayMove(trx, id, tag)
          return moves
        },
      }),
      async alongside(trx, { id }, { isNew }) {
        const now = clock()
        if (tag !== undefined && moves) await recordMovedTag(trx, id, tag, { digest, now })
        // An image that a client pushed stays a pushed one.
        if (isNew) await recordOrigin(trx, id, arrived, now)
        await dropPending(trx, id, digest)
        await requestEviction(trx, rule, now)
        if (isAsked) await recordAction(trx, { key, rule, tag, digest, failure: undefined, at: now })
      },
    })
  }

  /** Whether it is pending now; false for an image that is here already. */
  function keepUnlessStored(key: RepositoryKey, arrived: ArrivedManifest, { tag, asked }: Keeping): Promise<boolean> {
    return metadata.transaction(async (trx) => {
      const repository = await lockRepository(trx, key, 'shared')
      const { digest } = arrived
      if (await isImage(trx, repository, digest)) return false
      const now = clock()
      await keepPending(trx, repository.id, arrived, now)
      if (tag !== undefined) await recordTag(trx, repository.id, tag, { digest, now })
      if (asked) await enqueue(trx, importImage, { repositoryId: repository.id, digest }, { at: now })
      return true
    })
  }

  return {
    async take(key, arrival) {
      const arrived = arrivedOf(arrival)
      await ensureRepository(key)
      const { tag } = arrival
      const isPending = await keepUnlessStored(key, arrived, { tag, asked: true })
      if (!isPending && tag !== undefined) await store(key, arrived, { tag, isAsked: true })
      return arrived
    },

    async keep(key, arrival) {
      const arrived = arrivedOf(arrival)
      await keepUnlessStored(key, arrived, { tag: undefined, asked: false })
      return arrived
    },

    store,
  }
}

async function recordOrigin(
  trx: Transaction,
  repositoryId: number,
  { digest, rule, upstreamName }: ArrivedManifest,
  now: number,
): Promise<void> {
  const pending = await trx
    .selectFrom('pending_manifest')
    .select('referrers_checked_at')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst()
  const origin = { upstream_url: rule.upstreamUrl, upstream_name: upstreamName, fetched_at: now }
  const referrers_checked_at = pending?.referrers_checked_at ?? null
  await trx
    .insertInto('cached_image')
    .values({ repository_id: repositoryId, digest, ...origin, referrers_checked_at })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doUpdateSet(origin))
    .execute()
}

interface Keeping {
  readonly tag: Tag | undefined
  readonly asked: boolean
}

/** @throws RemoteFailure `invalid` */
function arrivedOf({ upstream: { rule, upstreamName }, remote, by }: Arrival): ArrivedManifest {
  const { digest, body } = remote
  return { digest, body, manifest: parse(remote), rule, upstreamName, by }
}

function parse({ body, mediaType }: RemoteManifest): Manifest {
  try {
    // Some registries say `application/json` or `text/plain` of any manifest.
    return parseManifest(body, manifestShape(mediaType) === undefined ? undefined : mediaType)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new RemoteFailure('invalid', 'The upstream registry sent a manifest that is not valid', { cause })
  }
}
