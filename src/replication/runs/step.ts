import type { Clock } from '#lib/clock.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import { lockRepository } from '#registry/repository.ts'
import type { Destination, SignalOption } from '#replication/destination.ts'
import { queueItem } from '#replication/queue.ts'
import { type Compared, compareImages, tagsToSend } from './compare.ts'
import { addFindings, countsOf, findingsOf } from './findings.ts'
import { addMissingBlobs, findMissingBlobs, type MissingBlob } from './missing-blobs.ts'
import { addCounts, doesSend, findRun, type Place, type Run } from './run.ts'
import { type PagedImage, readAgain, readPage, type SourcePage } from './source-page.ts'

export interface StepParts {
  readonly metadata: Metadata
  readonly clock: Clock
}

/**
 * Compares the next images of a run and writes what follows, in one transaction with the place where the run goes on. Returns whether there
 * may be more. A run that was paused or cancelled meanwhile stays as it is.
 *
 * @throws RemoteFailure
 */
export async function takeStep(
  { metadata, clock }: StepParts,
  run: Run,
  destination: Destination,
  { signal }: SignalOption,
): Promise<boolean> {
  const page = await readPage(metadata.reader, run)
  if (page === undefined) {
    await metadata.transaction((trx) =>
      trx
        .updateTable('replication_run')
        .set({ listed_at: clock(), last_error: null })
        .where('id', '=', run.id)
        .where('state', '=', 'RUNNING')
        .execute(),
    )
    return false
  }
  const compared = await compare(metadata, run, { page, destination, signal })
  const sends = sendsOf(run, compared)
  const blobs =
    run.kind === 'dry-run'
      ? await findMissingBlobs(metadata.reader, {
          ...{ run, page, destination, signal },
          digests: sends.map(({ image }) => image.digest),
        })
      : []
  await write({ metadata, clock }, run, { page, compared, sends, blobs })
  return true
}

interface Send {
  readonly image: PagedImage
  readonly tags: PagedImage['tags']
}

/** Looks twice at what differs: an image may be pushed, deleted or copied between the look here and the look there. */
async function compare(
  { reader }: Pick<Metadata, 'reader'>,
  run: Run,
  { page, destination, signal }: { page: SourcePage; destination: Destination } & SignalOption,
): Promise<readonly Compared<PagedImage>[]> {
  const { repository } = page
  async function look(images: readonly PagedImage[]) {
    if (images.length === 0) return []
    const asked = {
      digests: images.map(({ digest }) => digest),
      tags: images.flatMap(({ tags }) => tags.map(({ tag }) => tag)),
    }
    return compareImages(images, await destination.inspect(repository.name, asked, { signal }))
  }
  const first = await look(page.images)
  const different = first.filter((each) => findingsOf(each).length > 0).map(({ image }) => image.digest)
  if (different.length === 0) return first
  const second = await look(await readAgain(reader, { run, repository }, different))
  return [...first.filter(({ image }) => !different.includes(image.digest)), ...second]
}

function sendsOf(run: Run, compared: readonly Compared<PagedImage>[]): readonly Send[] {
  if (run.kind === 'verify' && !run.request.repair) return []
  return compared.flatMap((each) => {
    const tags = tagsToSend(each, run.request)
    return tags === undefined ? [] : [{ image: each.image, tags }]
  })
}

async function write(
  { metadata, clock }: StepParts,
  run: Run,
  {
    page,
    compared,
    sends,
    blobs,
  }: {
    readonly page: SourcePage
    readonly compared: readonly Compared<PagedImage>[]
    readonly sends: readonly Send[]
    readonly blobs: readonly MissingBlob[]
  },
): Promise<void> {
  const { repository, last } = page
  await metadata.transaction(async (trx) => {
    const isThere = await lock(trx, run, page)
    const current = await findRunForUpdate(trx, run)
    if (current === undefined) return
    let sent = 0
    if (isThere) {
      if (doesSend(run)) sent = await queueAll(trx, run, { page, sends, now: clock() })
      else if (run.kind === 'dry-run') sent = sends.length
      if (run.kind === 'sync') await markPresent(trx, run, { page, compared, now: clock() })
    }
    await addMissingBlobs(trx, run, blobs)
    const found = compared.flatMap(findingsOf)
    const kept = run.kind === 'verify' ? found : found.filter(({ kind }) => kind === 'DELETED' || kind === 'LOST')
    const findingsDropped = await addFindings(trx, run, repository.name, kept)
    const counts = addCounts(current.counts, { ...countsOf(compared), toSend: sent, findingsDropped })
    await trx
      .updateTable('replication_run')
      .set({ counts: JSON.stringify(counts), last_error: null, ...columnsOf(last) })
      .where('id', '=', run.id)
      .execute()
  })
}

function columnsOf({ repository, digest }: Place) {
  return { after_repository: repository, after_digest: digest }
}

/** Excludes pushes to the repository until the end of the transaction. False if the repository was deleted. */
async function lock(trx: Transaction, run: Run, { repository }: SourcePage): Promise<boolean> {
  try {
    const { id } = await lockRepository(trx, { registry: run.source, name: repository.name }, 'shared')
    return id === repository.id
  } catch (error) {
    if (error instanceof Refusal && error.code === 'RepositoryNotFound') return false
    throw error
  }
}

/** `undefined` if it does not run any more, or another process has taken this step. */
async function findRunForUpdate(trx: Transaction, { id, after }: Run): Promise<Run | undefined> {
  await trx.selectFrom('replication_run').select('id').where('id', '=', id).forUpdate().execute()
  const current = await findRun(trx, id)
  const isSame =
    current?.state === 'RUNNING' &&
    current.after.repository === after.repository &&
    current.after.digest === after.digest
  return isSame ? current : undefined
}

/** Leaves out what changed since it was compared: a push has asked for its own copy. */
async function queueAll(
  trx: Transaction,
  run: Run,
  { page, sends, now }: { readonly page: SourcePage; readonly sends: readonly Send[]; readonly now: number },
): Promise<number> {
  const images = await readAgain(
    trx,
    { run, repository: page.repository },
    sends.map(({ image }) => image.digest),
  )
  const current = new Map(images.map((image) => [image.digest, image]))
  let count = 0
  for (const { image, tags } of sends) {
    const still = current.get(image.digest)
    if (still === undefined || still.item?.state === 'WAITING') continue
    const pointing = new Set(still.tags.map(({ tag }) => tag))
    await queueItem(
      trx,
      {
        ...{ repositoryId: page.repository.id, source: run.source, destination: run.destination },
        ...{ digest: image.digest, pushedAt: image.pushedAt, sync: run.id },
        cause: run.kind === 'sync' ? 'sync' : 'repair',
        tags: tags.filter(({ tag }) => pointing.has(tag)).map(({ tag, movedAt }) => ({ tag, pushedAt: movedAt })),
      },
      now,
    )
    count++
  }
  return count
}

/** An image that the destination has without replication has the status COMPLETE from now on. */
async function markPresent(
  trx: Transaction,
  run: Run,
  {
    page,
    compared,
    now,
  }: { readonly page: SourcePage; readonly compared: readonly Compared<PagedImage>[]; now: number },
): Promise<void> {
  const unknown = compared.filter(({ image, state, tags }) => {
    return state === 'present' && image.item === undefined && tags.every((tag) => tag.state !== 'behind')
  })
  for (const { image } of unknown) {
    await trx
      .insertInto('replication_item')
      .values({
        ...{ repository_id: page.repository.id, digest: image.digest, ...run.destination },
        ...{ source_account: run.source.account, source_region: run.source.region, cause: 'sync', priority: 1 },
        ...{ state: 'COMPLETE', pushed_at: image.pushedAt, due_at: null, attempts: 0, revision: 1 },
        ...{ failure_code: null, failure_reason: null, completed_at: now, sync: null },
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
}
