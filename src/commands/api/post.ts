import { CommandError } from '#commands/command.ts'

/** How commands ask a server: one POST, to an address that must answer within a deadline. */
export interface Answered {
  readonly ok: boolean
  readonly status: number
  readonly text: string
}

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly deadlineMs?: number | undefined
}

const defaultDeadlineMs = 60_000

/** Certificates are trusted as Node does, which `NODE_EXTRA_CA_CERTS` adds to. @throws CommandError */
export async function post(
  endpoint: URL,
  { headers, body, deadlineMs = defaultDeadlineMs }: PostOptions,
): Promise<Answered> {
  const signal = AbortSignal.timeout(deadlineMs)
  try {
    // A signature, or a token, is for one host: no redirect may be followed with it.
    const answer = await fetch(endpoint, { method: 'POST', redirect: 'manual', signal, headers, body })
    return { ok: answer.ok, status: answer.status, text: await answer.text() }
  } catch (error) {
    const reason = signal.aborted ? `nothing within ${deadlineMs / 1000} seconds` : reasonOf(error)
    throw new CommandError(`${endpoint.origin} gave no answer: ${reason}`)
  }
}

/** The cause of a failed `fetch`: its own message has none. For a name with several addresses, the cause of the first failure. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause
  if (!(first instanceof Error)) return String(first)
  const ofCertificate = 'code' in first && /CERT|ISSUER|SELF_SIGNED/.test(String(first.code))
  return ofCertificate ? `${first.message} (NODE_EXTRA_CA_CERTS names a file of certificates to trust)` : first.message
}
