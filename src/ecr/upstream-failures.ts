import { Refusal } from '#lib/refusal.ts'
import type { UpstreamContentRefusals } from '#upstream/refusals.ts'
import { upstreamTexts } from '#wording/upstream.ts'
import { refuse } from './refusals.ts'

/**
 * Turns what an upstream refused into the exception of one operation: ECR has one for layers and one for referrers, for any reason.
 *
 *     await linkedBlobs.requireReferenced(key, digest, by).catch(asUpstreamFailure('UpstreamLayerFailed'))
 */
export function asUpstreamFailure(code: 'UpstreamLayerFailed' | 'UpstreamReferrersFailed') {
  return (error: unknown): never => {
    const text = upstreamText(error)
    throw text === undefined ? error : refuse(code, { text })
  }
}

/** What a surface says of a failure of an upstream; `undefined` for any other error. */
export function upstreamText(error: unknown): string | undefined {
  if (!(error instanceof Refusal) || !Object.hasOwn(upstreamTexts, error.code)) return undefined
  const text = upstreamTexts[error.code as keyof UpstreamContentRefusals]
  // `refuse` lets no refusal exist whose facts do not fit its code.
  return text(error.facts as never)
}
