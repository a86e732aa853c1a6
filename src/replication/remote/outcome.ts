import { Refusal } from '#lib/refusal.ts'
import { RemoteFailure, type RemoteFailureReason } from '#remote/registry.ts'
import type { Outcome } from '#replication/destination.ts'
import { HoursOver, SentElsewhere, SourceDamaged } from './blob-sender.ts'
import { SourceTooLarge } from './source-images.ts'

/** What a failed attempt means for an image. Throws what is no failure of the peer or of the source. */
export function outcomeOf(error: unknown, describe: (refusal: Refusal) => Described): Outcome {
  if (error instanceof RemoteFailure) return outcomeOfPeer(error)
  if (error instanceof SentElsewhere) return { kind: 'later' }
  if (error instanceof SourceDamaged)
    return { kind: 'failed', code: 'LayerInaccessibleException', reason: error.message }
  if (error instanceof SourceTooLarge) return { kind: 'refused', code: 'LimitExceededException', reason: error.message }
  if (error instanceof Refusal) return { kind: 'failed', ...describe(error) }
  throw error
}

interface Described {
  readonly code: string
  readonly reason: string
}

/** Whether the next attempt goes on where this one ended, as soon as the peer answers. */
export function goesOnSoon(error: unknown): boolean {
  if (error instanceof RemoteFailure) return error.reason === 'upload' || kinds[error.reason][0] === 'unreachable'
  return error instanceof HoursOver || error instanceof SentElsewhere || isAborted(error)
}

/** This process ends, or another one has the destination. */
function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}

function outcomeOfPeer({ reason, message, retryAfterMs, said }: RemoteFailure): Outcome {
  const [kind, code] = kinds[reason]
  if (kind === 'unreachable') return { kind, reason: message, retryAfterMs }
  const isRefused = kind === 'refused' || unwanted.has(said?.code ?? '')
  return {
    kind: isRefused ? 'refused' : kind,
    ...{ code, reason: said === undefined ? message : `${message}: ${said.message || said.code}` },
  }
}

/**
 * What a peer says of an image that it will not have, however often it is sent: of the distribution API, and of ECR. Others, such as that of
 * a blob which is not there yet, may end.
 */
const unwanted: ReadonlySet<string> = new Set([
  ...['MANIFEST_INVALID', 'MANIFEST_UNVERIFIED', 'NAME_INVALID', 'SIZE_INVALID', 'TAG_INVALID', 'UNSUPPORTED'],
  ...['ImageDigestDoesNotMatchException', 'InvalidParameterException', 'UnsupportedImageTypeException'],
])

/** The codes are exceptions of ECR: AWS documents no list of failure codes (API reference, "ImageReplicationStatus"). */
const kinds: Record<RemoteFailureReason, readonly ['unreachable' | 'refused' | 'failed', string]> = {
  unreachable: ['unreachable', ''],
  limited: ['unreachable', ''],
  unauthorized: ['refused', 'UnrecognizedClientException'],
  forbidden: ['refused', 'AccessDeniedException'],
  blocked: ['refused', 'AccessDeniedException'],
  missing: ['refused', 'RepositoryNotFoundException'],
  immutable: ['refused', 'ImageTagAlreadyExistsException'],
  invalid: ['failed', 'InvalidParameterException'],
  upload: ['failed', 'UploadNotFoundException'],
}
