import { createHash } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { type Digest, digestAlgorithm, digestOf } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import { type Announcements, announce, type PushCause } from './announcements.ts'
import { storeContent } from './image-content.ts'
import { countFollowing } from './image-removals.ts'
import { restoreImages } from './image-status.ts'
import { type Descriptor, type Manifest, parseManifest } from './manifest.ts'
import { type Quotas, requireWithin } from './quotas.ts'
import { refuse } from './refusals.ts'
import { forgetReplica } from './replicas.ts'
import { inRepository, lockRepository, type Repository, type RepositoryKey } from './repository.ts'
import { createStorageQuotas, type StorageLimits } from './storage-quotas.ts'
import { moveTag, type OnTagMoved, requireTagsWithin } from './tag-moving.ts'

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
  /** Writes further rows in the transaction that stores the image. */
  readonly alongside?: (trx: Transaction, repository: Repository, image: StoredByPush) => Promise<void>
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
}

export interface ImagePush {
  /**
   * Stores a manifest and points the tag to it, all in one transaction or not at all. Content that is there already stays as
   * it is, with the time of its first push, but that it is restored if it was archived, as is what it refers to.
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
  /** Called in the transaction in which a client brings an image that the repository does not have. */
  onNewPush?: (trx: Transaction, repositoryId: number, digest: Digest) => Promise<void>
  /** Called in the transaction in which a client's push moves a tag. */
  onTagMoved?: OnTagMoved
}): ImagePush {
  const { imagePushed = [], imagesRestored = [] } = announcements
  const storageQuotas = createStorageQuotas(quotas)
  return {
    async put(key, { body, mediaType, digest: given, tag, strict, by, movesTag, cause = 'push', alongside }) {
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
        const at = clock()
        const restored = await restoreImages(trx, repository, needed, at)
        if (stored) await requireImagesWithin(trx, quotas, repository)
        const act = { by, at, cause, imageCame: stored }
        const isWanted = tag !== undefined && ((await movesTag?.(trx, repository)) ?? true)
        const moved = isWanted && (await moveTag(trx, repository, tag, digest, act, announcements))
        if (moved) await requireTagsWithin(trx, quotas, repository, digest)
        if (stored) await storageQuotas.requireStored(trx, key.registry)
        if (stored) await forgetReplica(trx, repository, digest)
        if (stored && cause === 'push') await onNewPush?.(trx, repository.id, digest)
        if (moved && cause === 'push') await onTagMoved?.(trx, repository.id, tag)
        await alongside?.(trx, repository, { digest, isNew: stored })
        const cameBack = restored.includes(digest)
        if (restored.length > 0) await announce(imagesRestored, trx, { repository, digests: restored, by, at, cause })
        if (stored || moved || cameBack) {
          const { mediaType: type, artifactType, subject } = manifest
          const what = { repository, digest, mediaType: type, artifactType, subject, tag: moved ? tag : undefined }
          await announce(imagePushed, trx, { ...what, by, at, cause, isNew: stored })
        }
        const changed = tag === undefined ? stored : moved
        return { digest, manifest, changed: changed || cameBack }
      })
    },
  }
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
