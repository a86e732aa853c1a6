import type { AnyExceptions } from '#aws/exceptions.ts'
import type { Refusal } from '#lib/refusal.ts'
import { exceptions } from './errors.ts'

/**
 * What the status of a replication says of a refusal: the exception that the ECR API has for it, and its text. AWS documents no list of
 * failure codes (API reference, "ImageReplicationStatus").
 */
export function describeReplicationFailure(refusal: Refusal): { readonly code: string; readonly reason: string } {
  const table: AnyExceptions = exceptions
  const exception = table[refusal.code]
  if (exception === undefined) throw refusal
  const [code, text] = exception
  // The table is keyed by code, and `refuse` makes only refusals with facts that fit their code.
  return { code, reason: text(refusal.facts as never) }
}
