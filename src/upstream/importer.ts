import type { Outcome, WorkContext, Worker } from '#jobs/worker.ts'
import { worker } from '#jobs/worker.ts'
import type { Clock } from '#lib/clock.ts'
import { Refusal } from '#lib/refusal.ts'
import type { Metadata, Transaction } from '#metadata/metadata.ts'
import type { Digest } from '#names/digest.ts'
import type { Tag } from '#names/tag.ts'
import type { ContentRefusals } from '#registry/refusals.ts'
import type { RepositoryKey } from '#registry/repository.ts'
import { RemoteFailure } from '#remote/registry.ts'
import type { CacheRule } from './cache-rules.ts'
import { BudgetSpent, type ImageImport } from './image-import.ts'
import { type ImportPayload, importImage } from './import-kind.ts'
import { dropPending, markFailing, readPending } from './pending-manifests.ts'
import type { RememberedRules } from './remembered-rules.ts'
import { findRepositoryKey } from './repository-number.ts'
import { findTagsFor } from './tag-state.ts'
import { findUpstream } from './upstream-name.ts'

/** The durable job that brings what a pending manifest refers to, whether clients ask for it or not. */
export interface ImporterParts {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly rules: RememberedRules
  readonly imageImport: ImageImport
  readonly onImported: (imported: Imported) => void
  readonly onFailure: (failed: FailedImport) => void
  /** Called in the transaction that marks the manifest as failing. */
  readonly recordFailure: (trx: Transaction, failed: FailedImport) => Promise<void>
}

/** An image that is here now, under each of its tags. */
export interface Imported {
  readonly key: RepositoryKey
  readonly rule: CacheRule
  readonly digest: Digest
  readonly tags: readonly Tag[]
}

export interface FailedImport extends Imported {
  readonly failure: unknown
}

export function createImporter(parts: ImporterParts): Worker {
  const { metadata, clock, rules, imageImport, onImported, onFailure, recordFailure } = parts

  async function run(payload: ImportPayload, { signal }: WorkContext): Promise<Outcome<ImportPayload>> {
    const { repositoryId, digest } = payload
    const pending = await readPending(metadata.reader, repositoryId, digest)
    const key = await findRepositoryKey(metadata.reader, repositoryId)
    if (pending === undefined || key === undefined) return 'done'
    const upstream = findUpstream(await rules.find(key.registry), key.name)
    if (upstream === undefined) {
      await metadata.transaction((trx) => dropPending(trx, repositoryId, digest))
      return { giveUp: 'no rule of the pull through cache covers the repository any more' }
    }
    const { rule } = upstream
    try {
      const tags = await imageImport.bring({ key, repositoryId, upstream, signal }, pending)
      onImported({ key, rule, digest, tags })
      return 'done'
    } catch (error) {
      if (signal.aborted) throw error
      if (error instanceof BudgetSpent) return { again: payload, at: error.until }
      const tags = await findTagsFor(metadata.reader, repositoryId, digest)
      const failure = error instanceof Error ? error.message : String(error)
      const failed = { key, rule, digest, tags, failure: error }
      const isNews = await metadata.transaction(async (trx) => {
        const isNew = await markFailing(trx, repositoryId, digest, { failure, now: clock() })
        if (isNew) await recordFailure(trx, failed)
        return isNew
      })
      if (isNews) onFailure(failed)
      if (error instanceof RemoteFailure && error.reason === 'limited') {
        return { again: payload, at: clock() + (error.retryAfterMs ?? limitedMs) }
      }
      if (isFinal(error)) return { giveUp: failure }
      throw error
    }
  }

  return worker(importImage, run)
}

/** Where a limit does not say how long it lasts. */
const limitedMs = 60_000

/** Trying again would end the same way, until a client asks. */
function isFinal(error: unknown): boolean {
  if (error instanceof RemoteFailure) return error.reason === 'invalid' || error.reason === 'blocked'
  return error instanceof Refusal && error.code !== ('ReferencedBlobsMissing' satisfies keyof ContentRefusals)
}
