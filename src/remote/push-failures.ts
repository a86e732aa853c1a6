import { failureOfAnswer } from './failures.ts'
import type { Answered } from './redirects.ts'
import { type RemoteError, RemoteFailure, type RemoteFailureReason } from './registry.ts'

/** What a refused push means: by its first error's code (distribution specification, "Error Codes"), or else by its status. */
export async function failureOfPush(answer: Answered, now: number, asked: PushAsked): Promise<RemoteFailure> {
  const said = await readError(answer)
  const { reason, message, retryAfterMs } = failureOfAnswer(answer, now)
  const meant = reason === 'invalid' ? meaningOf(answer.status, said, asked) : reason
  return new RemoteFailure(meant, texts[meant] ?? message, { retryAfterMs, said })
}

/** What a push asks for. A manifest may have a tag. */
export type PushAsked = 'blob' | 'start' | 'upload' | 'manifest'

function meaningOf(status: number, said: RemoteError | undefined, asked: PushAsked): RemoteFailureReason {
  const { code = '', message = '' } = said ?? {}
  if (code === 'NAME_UNKNOWN' || code === 'NOT_FOUND') return 'missing'
  if (asked === 'start' && status === 404 && said === undefined) return 'missing'
  // ECR says it with TAG_INVALID, Harbor with a status of its own, others with a conflict.
  const isConflict = code === 'TAG_INVALID' || status === 409 || status === 412 || /immutable/i.test(message)
  if (asked === 'manifest' && isConflict) return 'immutable'
  if (code === 'DENIED' || code === 'UNAUTHORIZED') return 'forbidden'
  return 'invalid'
}

const texts: Partial<Record<RemoteFailureReason, string>> = {
  missing: 'it has no such repository',
  immutable: 'the tag is taken, and may not move',
}

const longestAnswer = 64 * 1024
const longestText = 500

/** `undefined` where the answer has no error in the form of the specification. */
export async function readError(answer: Answered): Promise<RemoteError | undefined> {
  const text = (await answer.start(longestAnswer)).toString()
  try {
    // Each member is checked below.
    const { errors } = JSON.parse(text) as { errors?: unknown }
    const [first] = Array.isArray(errors) ? (errors as unknown[]) : []
    const { code, message } = (first ?? {}) as Record<string, unknown>
    return typeof code === 'string' ? { code: oneLine(code), message: oneLine(message) } : undefined
  } catch {
    // A proxy answers with a page.
    return undefined
  }
}

/** What ECR answers, with 403, to a token that was good before. */
export function isExpiredToken(said: RemoteError | undefined): boolean {
  return said?.code === 'DENIED' && /authorization token has expired/i.test(said.message)
}

export function oneLine(text: unknown): string {
  return typeof text === 'string' ? text.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, longestText) : ''
}
