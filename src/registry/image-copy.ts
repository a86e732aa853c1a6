import { setImmediate as otherRequests } from 'node:timers/promises'
import type { BlobStore } from '#blobs/store.ts'
import type { Clock } from '#lib/clock.ts'
import { slicesWithin } from '#lib/slices.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import { announce } from './announcements.ts'
import {
  type Arrival,
  type ArrivalParts,
  announceCopy,
  type ImageToCopy,
  moveTags,
  recordArrived,
} from './copying/arrival.ts'
import { type AbsentManifest, type CopyPlan, planCopy } from './copying/plan.ts'
import { type CopyProblem, type Proof, proveContent } from './copying/proof.ts'
import { copyRows, requirePresent, SourceChanged } from './copying/rows.ts'
import { requireImagesWithin } from './image-push.ts'
import { selectLive } from './image-removals.ts'
import { restoreImages } from './image-status.ts'
import type { Damage } from './linked-blobs.ts'
import { findDeletedImages } from './own-deletions.ts'
import { getRepository, lockRepository, type Repository, type RepositoryKey } from './repository.ts'
import { createStorageQuotas, type StorageLimits } from './storage-quotas.ts'

/**
 * Copies images from one repository to another of this deployment. A copy is rows alone: links to the blobs, and the manifests byte for
 * byte. Children come before their index, and a subject before its referrer. What the destination lacks of these comes along.
 */
export interface ImageCopy {
  /**
   * Copies the images and settles each of them in the transaction that completes its copy. An image that the source cannot copy fails no
   * other one. A quota that is exceeded fails all of them, and none is settled.
   *
   * @throws Refusal `RepositoryNotFound` for the destination, `QuotaExceeded`, `StorageQuotaExceeded`
   */
  copy<Image extends ImageToCopy>(request: CopyRequest<Image>): Promise<void>
}

export interface CopyRequest<Image extends ImageToCopy> {
  /** The number of the source, and its registry. */
  readonly from: number
  readonly source: Registry
  readonly to: RepositoryKey
  readonly images: readonly Image[]
  /** The ARN of the principal. */
  readonly by: string
  readonly settle: (trx: Transaction, image: Image, result: CopyResult) => Promise<void>
}

export type CopyResult = { readonly kind: 'copied' } | CopyProblem

export interface ImageCopyParts extends Omit<ArrivalParts, 'quotas'> {
  readonly metadata: Metadata
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly quotas: ArrivalParts['quotas'] & StorageLimits
  readonly onDamage: (damage: Damage) => void
}

/** Of manifests that are proved and copied at once. One has up to 4 MiB. */
const bytesAtOnce = 8 * 1024 * 1024
/** However small they are: other transactions wait meanwhile. */
const manifestsAtOnce = 1_000

/** How often a copy starts over while clients change what it reads. */
const attempts = 5

export function createImageCopy(parts: ImageCopyParts): ImageCopy {
  const { metadata } = parts
  const copySlice = createCopySlice(parts)

  async function attempt<Image extends ImageToCopy>(request: CopyRequest<Image>): Promise<void> {
    const { reader } = metadata
    const to = await getRepository(reader, request.to)
    const digests = request.images.map(({ digest }) => digest)
    const plan = await planCopy(reader, { from: request.from, to: to.id }, digests, findDeletedImages)
    const problems = new Map<Digest, CopyProblem>()
    const came = new Set<Digest>()
    const slices = slicesWithin(plan.absent, bytesAtOnce, ({ sizeBytes }) =>
      Math.max(sizeBytes, bytesAtOnce / manifestsAtOnce),
    )
    for (const [at, slice] of (slices.length === 0 ? [[]] : slices).entries()) {
      if (at > 0) await otherRequests()
      const proof = await proveContent({ ...parts, reader }, request.from, slice)
      for (const [digest, problem] of proof.problems) problems.set(digest, problem)
      spoilParents(slice, plan, problems)
      const manifests = slice.filter(({ digest }) => !problems.has(digest))
      const isLast = at >= slices.length - 1
      for (const digest of await copySlice(request, to.id, { plan, proof, manifests, problems, came, isLast })) {
        came.add(digest)
      }
    }
  }

  return {
    async copy(request) {
      for (let left = attempts; ; left--) {
        try {
          return await attempt(request)
        } catch (error) {
          if (!(error instanceof SourceChanged) || left === 1) throw error
        }
      }
    },
  }
}

/** What cannot come without its children has their problem. The slice is in order, so that these stand before it. */
function spoilParents(
  slice: readonly AbsentManifest[],
  { absent, present }: CopyPlan,
  problems: Map<Digest, CopyProblem>,
): void {
  const planned = new Set(absent.map(({ digest }) => digest))
  for (const { digest, children } of slice) {
    if (problems.has(digest)) continue
    for (const child of children) {
      const problem = problems.get(child) ?? (planned.has(child) || present.has(child) ? undefined : gone)
      if (problem !== undefined) problems.set(digest, problem)
    }
  }
}

const gone: CopyProblem = { kind: 'gone' }

interface Slice {
  readonly plan: CopyPlan
  readonly proof: Proof
  /** Those of the slice that the source has whole. */
  readonly manifests: readonly AbsentManifest[]
  readonly problems: ReadonlyMap<Digest, CopyProblem>
  /** What came with the slices before. */
  readonly came: ReadonlySet<Digest>
  /** The last slice completes the copy. */
  readonly isLast: boolean
}

/** Copies some manifests in one transaction, and answers those that came. */
function createCopySlice(parts: ImageCopyParts) {
  const { metadata, clock, quotas, announcements } = parts
  const { imagesRestored = [] } = announcements
  const storageQuotas = createStorageQuotas(quotas)

  async function settleAll<Image extends ImageToCopy>(
    trx: Transaction,
    { images, settle }: CopyRequest<Image>,
    arrival: Arrival,
    { slice, came, restored }: { slice: Slice; came: ReadonlySet<Digest>; restored: readonly Digest[] },
  ): Promise<void> {
    const { plan, problems } = slice
    for (const image of images) {
      const described = plan.available.get(image.digest)
      const problem = described === undefined ? gone : problems.get(image.digest)
      if (described !== undefined && problem === undefined) {
        const moved = await moveTags(trx, parts, arrival, image, came.has(image.digest))
        const isNew = came.has(image.digest) || slice.came.has(image.digest)
        const isAnnounced = isNew || moved.length > 0 || restored.includes(image.digest)
        if (isAnnounced) await announceCopy(trx, parts, arrival, described, { moved, isNew })
      }
      await settle(trx, image, problem ?? { kind: 'copied' })
    }
  }

  return async function copySlice<Image extends ImageToCopy>(
    request: CopyRequest<Image>,
    toId: number,
    slice: Slice,
  ): Promise<ReadonlySet<Digest>> {
    const { from, source, by, images } = request
    const { plan, manifests, proof, isLast } = slice
    const asked = new Set(images.map(({ digest }) => digest))
    return metadata.transaction(async (trx) => {
      const to = await lockBoth(trx, { from, toId, to: request.to })
      if (to === undefined) {
        if (isLast) for (const image of images) await request.settle(trx, image, gone)
        return new Set()
      }
      const arrival: Arrival = { to, source, by, at: clock() }
      await requirePresent(trx, to.id, plan.present)
      const came = await copyRows(trx, { from, to, manifests, proof, now: arrival.at })
      const restored = await restoreImages(trx, to, [...activeWith(slice, asked)], arrival.at)
      if (came.size > 0) await requireImagesWithin(trx, quotas, to)
      const arrived = manifests.filter(({ digest }) => came.has(digest))
      await recordArrived(trx, parts, arrival, arrived)
      if (restored.length > 0) {
        await announce(imagesRestored, trx, {
          repository: to,
          digests: restored,
          by,
          at: arrival.at,
          cause: 'replication',
        })
      }
      // Those that were asked for are announced with their tags.
      for (const manifest of arrived) {
        if (!asked.has(manifest.digest)) await announceCopy(trx, parts, arrival, manifest, { moved: [], isNew: true })
      }
      if (isLast) await settleAll(trx, request, arrival, { slice, came, restored })
      // It locks the account, as the last lock of the transaction.
      if (came.size > 0) await storageQuotas.requireStored(trx, to.registry)
      return came
    })
  }
}

/** The images themselves, and what new indexes refer to. */
function activeWith({ plan, manifests }: Slice, asked: ReadonlySet<Digest>): ReadonlySet<Digest> {
  const active = new Set<Digest>()
  for (const digest of asked) if (plan.present.has(digest) && plan.available.has(digest)) active.add(digest)
  for (const { digest, children } of manifests) {
    active.add(digest)
    for (const child of children) active.add(child)
  }
  return active
}

/**
 * Locks the destination, and shares the source. In order of their numbers, since others may copy the other way. `undefined` where the
 * source is gone. @throws Refusal `RepositoryNotFound`
 */
async function lockBoth(
  trx: Transaction,
  { from, toId, to }: { readonly from: number; readonly toId: number; readonly to: RepositoryKey },
): Promise<Repository | undefined> {
  const shareSource = () => selectLive(trx, from).select('id').forShare().executeTakeFirst()
  const source = from < toId ? await shareSource() : undefined
  const locked = await lockRepository(trx, to, 'exclusive')
  // Another of that name was created meanwhile.
  if (locked.id !== toId) throw new SourceChanged()
  return (source ?? (from < toId ? undefined : await shareSource())) && locked
}
