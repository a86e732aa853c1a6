import { createHash } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { type Digest, digestAlgorithm, digestOf } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { Tag } from '#names/tag.ts'
import { type Announcements, announce, type PushCause } from './announcements.ts'
import { storeContent } from './image-content.ts'
import { countFollowing } from './image-removals.ts'
import { restoreImages } from './image-status.ts'
import { type Descriptor, type Manifest, parseManifest } from './manifest.ts'
import { type Quotas, requireWithin } from './quotas.ts'
import { refuse } from './refusals.ts'
import { moveReplicaTag, type ReplicaTagOutcome } from './replica-push.ts'
import { forgetReplica, recordReplicas } from './replicas.ts'
import { inRepository, lockRepository, type Repository, type RepositoryKey } from './repository.ts'
import { createStorageQuotas, type StorageLimits } from './storage-quotas.ts'
import { boundedTime } from './tag-conflict.ts'
import type { Act } from './tag-moves.ts'
import { type MovedTag, moveTag, type OnTagMoved, requireTagsWithin } from './tag-moving.ts'

/** A manifest as a client sends it. */
export interface ManifestPush {
  readonly body: Uint8Array
  /** The media type that the client declared, if it did. */
  readonly mediaType: string | undefined
  /** What the client says that the digest is. */
  readonly digest?: Digest | undefined
  readonly tag?: Tag | undefined
  /** Whether members that are null, empty or missing are refused, as by ECR. */
  readonly strict?: boolean
  /** The ARN of the principal that pushes, or that pulled the image from its upstream. */
  readonly by: string
  /** Whether the tag moves, asked under the repository's exclusive lock; it does by default. */
  readonly movesTag?: (trx: Transaction, repository: Repository) => Promise<boolean>
  /** `push` by default. `cache` for a copy of what an upstream has. */
  readonly cause?: Exclude<PushCause, 'replication'>
  /** Of a push by which another registry replicates: then `cause` is `replication`. */
  readonly replica?: ReplicaOrigin
  /** Writes further rows in the transaction that stores the image. */
  readonly alongside?: (trx: Transaction, repository: Repository, image: StoredByPush) => Promise<void>
}

export interface ReplicaOrigin {
  readonly source: Registry
  /** When the source had the push, by its clock. Milliseconds since the epoch. */
  readonly pushedAt: number
}

interface PushAct extends Act {
  readonly cause: PushCause
}

interface StoredByPush {
  readonly digest: Digest
  /** Whether the repository did not have the image before. */
  readonly isNew: boolean
}

export interface PushedImage {
  readonly digest: Digest
  readonly manifest: Manifest
  /** False where the same content stood under the same tag before (or, without a tag, was there), and could be pulled. */
  readonly changed: boolean
  /** What became of the tag of a replica; of others it moved, or the push was refused. */
  readonly replicaTag?: ReplicaTagOutcome | undefined
}

export interface ImagePush {
  /**
   * Stores a manifest and points the tag to it, all in one transaction or not at all. Content that is there already stays as
   * it is, with the time of its first push, but that it is restored if it was archived, as is what it refers to. A replica is stored
   * also where its tag cannot move.
   *
   * @throws Refusal `RepositoryNotFound`, `Manifest…`, `Referenced…Missing`, `TagImmutable`, `QuotaExceeded`,
   *   `StorageQuotaExceeded`
   */
  put(key: RepositoryKey, push: ManifestPush): Promise<PushedImage>
}

export function createImagePush({
  metadata,
  clock,
  quotas,
  onNewPush,
  onTagMoved,
  announcements = {},
}: {
  metadata: Metadata
  clock: Clock
  quotas: Quotas & StorageLimits
  announcements?: Partial<Announcements>
  /** Called in the transaction in which a client or a replication brings an image that the repository does not have. */
  onNewPush?: (trx: Transaction, repositoryId: number, digest: Digest) => Promise<void>
  /** Called in the transaction in which a client's push or a replication moves a tag. */
  onTagMoved?: OnTagMoved
}): ImagePush {
  const { imagePushed = [], imagesRestored = [], imageReplicated = [] } = announcements
  const storageQuotas = createStorageQuotas(quotas)

  /** Points the tag of a push to the image. */
  async function pointTag(
    trx: Transaction,
    repository: Repository,
    { tag, movesTag, replica }: Pick<ManifestPush, 'tag' | 'movesTag' | 'replica'>,
    { digest, ...act }: PushAct & { readonly digest: Digest; readonly imageCame: boolean },
  ): Promise<PointedTag> {
    if (tag === undefined || !((await movesTag?.(trx, repository)) ?? true)) return { moved: false }
    const pointed = replica
      ? pointedBy(await moveReplicaTag(trx, repository, { tag, digest, ...replica, ...act }, announcements))
      : pointedTo(await moveTag(trx, repository, tag, digest, act, announcements))
    if (pointed.moved) await requireTagsWithin(trx, quotas, repository, digest)
    if (pointed.moved && act.cause !== 'cache') await onTagMoved?.(trx, repository.id, tag)
    return pointed
  }

  /** Keeps where a new image came from. */
  async function noteOrigin(
    trx: Transaction,
    repository: Repository,
    digest: Digest,
    { replica, cause, at }: Pick<ManifestPush, 'replica'> & PushAct,
  ): Promise<void> {
    if (replica === undefined) await forgetReplica(trx, repository, digest)
    else {
      const pushedAt = boundedTime(replica.pushedAt, at)
      await recordReplicas(trx, repository, [{ digest, source: replica.source, pushedAt }], at)
    }
    if (cause !== 'cache') await onNewPush?.(trx, repository.id, digest)
  }

  return {
    async put(key, push) {
      const { body, mediaType, digest: given, tag, strict, by, replica, alongside } = push
      const algorithm = given === undefined ? 'sha256' : digestAlgorithm(given)
      const digest = digestOf(algorithm, createHash(algorithm).update(body).digest('hex'))
      if (given !== undefined && given !== digest) {
        throw refuse('ManifestDigestMismatch', { ...inRepository(key), given, computed: digest })
      }
      const manifest = parseManifest(body, mediaType, { strict })
      const image = { digest, manifest, body }
      return metadata.transaction(async (trx) => {
        const repository = await lockRepository(trx, key, 'exclusive')
        const stored = await storeManifest(trx, repository, image, clock())
        // An index is active, so that what it refers to must be too.
        const children = manifest.manifests.map((child) => child.digest)
        const needed = stored ? children : [digest, ...children]
        const cause = replica === undefined ? (push.cause ?? 'push') : 'replication'
        const act: PushAct = { by, at: clock(), cause }
        const restored = await restoreImages(trx, repository, needed, act.at)
        if (stored) await requireImagesWithin(trx, quotas, repository)
        const { moved, tagCountsAt, replicaTag } = await pointTag(trx, repository, push, {
          ...act,
          digest,
          imageCame: stored,
        })
        if (stored) await storageQuotas.requireStored(trx, key.registry)
        if (stored) await noteOrigin(trx, repository, digest, { ...act, ...(replica && { replica }) })
        await alongside?.(trx, repository, { digest, isNew: stored })
        const cameBack = restored.includes(digest)
        if (restored.length > 0) await announce(imagesRestored, trx, { repository, digests: restored, ...act })
        if (stored || moved || cameBack) {
          const { mediaType: type, artifactType, subject } = manifest
          const what = { repository, digest, tag: moved ? tag : undefined }
          const facts = { mediaType: type, artifactType, subject, tagCountsAt, isNew: stored }
          await announce(imagePushed, trx, { ...what, ...facts, ...act })
          if (replica) await announce(imageReplicated, trx, { ...what, source: replica.source, at: act.at })
        }
        const changed = tag === undefined ? stored : moved
        return { digest, manifest, changed: changed || cameBack, replicaTag }
      })
    },
  }
}

/** What became of the tag of a push. */
interface PointedTag {
  readonly moved: boolean
  readonly tagCountsAt?: number
  readonly replicaTag?: ReplicaTagOutcome
}

function pointedTo(tag: MovedTag | undefined): PointedTag {
  return tag === undefined ? { moved: false } : { moved: true, tagCountsAt: tag.countsAt }
}

function pointedBy(replicaTag: ReplicaTagOutcome): PointedTag {
  return { moved: replicaTag === 'moved', replicaTag }
}

/** After images came, in the same transaction: the repository has no more than it may. @throws Refusal `QuotaExceeded` */
export async function requireImagesWithin(trx: Transaction, quotas: Quotas, repository: Repository): Promise<void> {
  const images = trx.selectFrom('manifest').select('digest').where('repository_id', '=', repository.id)
  await requireWithin(quotas, 'images', inRepository(repository), images)
}

interface NewImage {
  readonly digest: Digest
  readonly manifest: Manifest
  readonly body: Uint8Array
}

/** Whether it was not there before. */
async function storeManifest(
  trx: Transaction,
  repository: Repository,
  { digest, manifest, body }: NewImage,
  now: number,
): Promise<boolean> {
  const present = await trx
    .selectFrom('manifest')
    .select('digest')
    .where('repository_id', '=', repository.id)
    .where('digest', '=', digest)
    .executeTakeFirst()
  if (present !== undefined) return false

  const image_size = await checkReferences(trx, repository, manifest)
  await trx
    .insertInto('manifest')
    .values({
      repository_id: repository.id,
      digest,
      media_type: manifest.mediaType,
      artifact_type: manifest.artifactType ?? null,
      subject: manifest.subject ?? null,
      image_size,
      pushed_at: now,
      pulled_at: null,
    })
    .execute()
  await storeContent(trx, repository.id, digest, { body, annotations: manifest.annotations })
  const references = referencesOf(repository, digest, manifest)
  if (references.length > 0) {
    await trx
      .insertInto('manifest_reference')
      .values(references)
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  await countFollowing(trx, repository, [digest])
  return true
}

function referencesOf(repository: Repository, parent: Digest, { blobs, manifests }: Manifest) {
  const children = [...blobs, ...manifests.map((child) => ({ ...child, kind: 'manifest' as const }))]
  return children.map(({ digest, kind, mediaType }) => ({
    repository_id: repository.id,
    parent,
    child: digest,
    kind,
    media_type: mediaType,
  }))
}

/**
 * Invariant: a manifest's references are present, except foreign layers that no client has pushed. They are checked under the
 * repository's exclusive lock, which each removal of a reference takes too. Returns the image's size: of its blobs, or of an index's
 * largest child.
 */
async function checkReferences(
  trx: Transaction,
  repository: Repository,
  { blobs, manifests }: Manifest,
): Promise<number> {
  const foundBlobs = await find(blobs, (digests) =>
    trx
      .selectFrom('repository_blob')
      .innerJoin('blob', 'blob.digest', 'repository_blob.digest')
      .select(['blob.digest', 'blob.size'])
      .where('repository_blob.repository_id', '=', repository.id)
      .where('repository_blob.digest', 'in', digests)
      // Whoever pushes the manifest is told to send it again, which heals it.
      .where('blob.quarantined_at', 'is', null)
      .execute(),
  )
  const needed = blobs.filter(({ kind, digest }) => kind !== 'foreign' || foundBlobs.has(digest))
  requireFound('ReferencedBlobsMissing', repository, needed, foundBlobs)

  const foundManifests = await find(manifests, (digests) =>
    trx
      .selectFrom('manifest')
      .innerJoin('manifest_content as content', (join) =>
        join
          .onRef('content.repository_id', '=', 'manifest.repository_id')
          .onRef('content.digest', '=', 'manifest.digest'),
      )
      .select(({ fn }) => ['manifest.digest', 'manifest.image_size', fn<number>('length', ['content.body']).as('size')])
      .where('manifest.repository_id', '=', repository.id)
      .where('manifest.digest', 'in', digests)
      .execute(),
  )
  requireFound('ReferencedManifestsMissing', repository, manifests, foundManifests)

  let largest = 0
  for (const { image_size } of foundManifests.values()) largest = Math.max(largest, image_size)
  let sum = 0
  for (const { size } of foundBlobs.values()) sum += size
  return manifests.length > 0 ? largest : sum
}

/** By digest, those of the descriptors that are there. */
async function find<Row extends { readonly digest: string }>(
  wanted: readonly Descriptor[],
  query: (digests: Digest[]) => Promise<Row[]>,
): Promise<ReadonlyMap<string, Row>> {
  const digests = new Set(wanted.map(({ digest }) => digest))
  const rows = digests.size === 0 ? [] : await query([...digests])
  return new Map(rows.map((row) => [row.digest, row]))
}

/** Clients believe a descriptor's size, so that one which is wrong would break their pulls or let them read too much. */
function requireFound(
  code: 'ReferencedBlobsMissing' | 'ReferencedManifestsMissing',
  repository: Repository,
  wanted: readonly Descriptor[],
  found: ReadonlyMap<string, { readonly size: number }>,
): void {
  const missing = new Set(wanted.map(({ digest }) => digest).filter((digest) => !found.has(digest)))
  if (missing.size > 0) throw refuse(code, { ...inRepository(repository), digests: [...missing] })
  for (const { digest, size } of wanted) {
    const stored = found.get(digest)?.size
    if (size === undefined || size === stored) continue
    throw refuse('ManifestInvalid', {
      path: '',
      problem: `says that ${digest} has ${size} bytes, but it has ${stored}`,
    })
  }
}
