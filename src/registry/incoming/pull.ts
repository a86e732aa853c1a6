import { setTimeout as delay } from 'node:timers/promises'
import type { Draft } from '#blobs/store.ts'
import type { Refusal } from '#lib/refusal.ts'
import { refuse } from '#registry/refusals.ts'
import { inRepository } from '#registry/repository.ts'
import { reserving } from '#registry/upload-room.ts'
import { StartDiffers, withoutStart } from './compare.ts'
import type { LeadParts, Led } from './lead.ts'
import type { Lease } from './leases.ts'
import { Sections } from './sections.ts'
import { marked, type SourceAnswer, SourceBroke } from './source.ts'

/** So many breaks in a row without one further byte end a transfer. */
const mostBreaks = 5
const longestPauseMs = 5_000

/**
 * Appends to the draft until it holds the whole blob. After a break it asks the source for the rest. A source that refuses the first
 * question is not asked again.
 *
 * @throws SourceBroke, StartDiffers; Refusal `IncomingBlobInvalid`, `BodyTooLong`, `StorageQuotaExceeded`; the reason of a signal
 */
export async function pull(parts: LeadParts, led: Led, draft: Draft, lease: Lease): Promise<void> {
  const signal = AbortSignal.any([led.stopping, lease.signal])
  const pulling = { parts, led, draft, lease, signal }
  let size = led.sizeBytes
  let answered = false
  if (size !== undefined && draft.size > size) throw new StartDiffers()
  // An earlier leader had all of it and ended before the proof. A source has nothing after the last byte.
  if (draft.size > 0 && draft.size === size) return
  for (let breaks = 0; breaks < mostBreaks; ) {
    const before = draft.size
    let answer: SourceAnswer | undefined
    try {
      answer = await ask(led, before, signal)
      size ??= answer.sizeBytes
      if (answer.sizeBytes !== undefined && answer.sizeBytes !== size) throw wrongLength(led)
      if (!answered && size !== undefined) {
        led.progress.announce(size)
        await parts.rows.announce(led.upload, size)
      }
      answered = true
      await receive(pulling, answer, size)
      if (size === undefined || draft.size === size) return
      // A body that ends early without an error may be a break. After several it is too short.
      breaks = draft.size > before ? 0 : breaks + 1
      if (breaks === mostBreaks) throw wrongLength(led)
    } catch (error) {
      if (!answered || !(error instanceof SourceBroke)) throw error
      if (draft.size === size) return
      breaks = draft.size > before ? 0 : breaks + 1
      if (breaks === mostBreaks) throw error
    } finally {
      // Also one that nothing has read yet.
      if (answer !== undefined) new Sections(answer.body, signal).close()
    }
    await pause(Math.min(parts.pauseMs * 2 ** breaks, longestPauseMs), signal)
  }
}

interface Pulling {
  readonly parts: LeadParts
  readonly led: Led
  readonly draft: Draft
  readonly lease: Lease
  readonly signal: AbortSignal
}

/** Asks the source. An answer that comes after the signal is closed. */
function ask({ source }: Led, offset: number, signal: AbortSignal): Promise<SourceAnswer> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
    source(offset, signal).then(
      (answer) => {
        signal.removeEventListener('abort', onAbort)
        if (signal.aborted) new Sections(answer.body, signal).close()
        resolve(answer)
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort)
        reject(new SourceBroke(error))
      },
    )
  })
}

/** Appends what the answer brings, section by section. What came is in the draft also when this throws. */
async function receive(
  { parts, led, draft, lease, signal }: Pulling,
  answer: SourceAnswer,
  size: number | undefined,
): Promise<void> {
  const { key } = led.progress
  const { uploadRows, storageQuotas, blobs } = parts
  const from = draft.size
  if (answer.offset > from) throw new SourceBroke(new Error('the source answers a later part than was asked for'))
  const known = answer.offset < from ? await blobs.followDraft?.(led.upload) : undefined
  if (answer.offset < from && known === undefined) throw new StartDiffers()
  await using _ = known
  const marks = marked(answer.body)
  const body = known === undefined ? marks : withoutStart(marks, known, { from: answer.offset, to: from })
  const length = size === undefined ? undefined : size - from
  const reserve = (bytes: number, expected: number) => uploadRows.reserve(key, led.upload, bytes, expected)
  const sections = new Sections(storageQuotas.countsBytes ? reserving(body, from, length, reserve) : body, signal)
  const keepAlive = uploadRows.keepAlive(key, await uploadRows.get(key, led.upload))
  try {
    while (!sections.ended) {
      await lease.confirm()
      keepAlive()
      await draft.append(sections.next(), size === undefined ? {} : { limit: size - draft.size })
      led.progress.advance(draft.size)
    }
  } finally {
    led.progress.advance(draft.size)
    sections.close()
  }
}

function wrongLength({ progress: { key, digest } }: Led): Refusal {
  return refuse('IncomingBlobInvalid', { ...inRepository(key), digest, problem: 'length' })
}

/** Spread, so that many transfers from one source do not return at once. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return delay(ms * (0.5 + Math.random() / 2), undefined, { signal })
}
