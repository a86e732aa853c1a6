import { SignatureV4 } from '@smithy/signature-v4'
import type { Operations } from '#admin/model.ts'
import { CommandError } from '#commands/command.ts'
import { Sha256 } from '#lib/sha256.ts'
import type { ApiTarget } from './target.ts'

/**
 * Lading's own API as a command asks it: over HTTP, signed, so that whoever types the command may do what their policies say, and
 * is refused where anybody would be.
 */
export interface Api {
  /** @throws CommandError with the server's text, or why there is no answer */
  call<Name extends keyof Operations>(
    operation: Name,
    input: Wire<Operations[Name]['input']>,
  ): Promise<Wire<Operations[Name]['output']>>
  /** All pages of a listing one after the other, each asked for when it is read. @throws CommandError */
  pages<Name extends Paged, Item>(
    operation: Name,
    input: Wire<Operations[Name]['input']>,
    itemsOf: (answer: Wire<Operations[Name]['output']>) => readonly Item[],
  ): AsyncGenerator<readonly Item[], void, void>
}

/** What AWS JSON 1.1 makes of it: times are seconds since the epoch. */
export type Wire<Value> = Value extends string
  ? Value
  : Value extends Date
    ? number
    : Value extends readonly (infer Item)[]
      ? readonly Wire<Item>[]
      : Value extends object
        ? { readonly [Key in keyof Value]: Wire<Value[Key]> }
        : Value

/** Operations that list in pages. */
type Paged = {
  [Name in keyof Operations]: 'nextToken' extends keyof Operations[Name]['output'] ? Name : never
}[keyof Operations]

const deadlineMs = 60_000

export function createApi({ endpoint, region, credentials }: ApiTarget): Api {
  const signer = new SignatureV4({ service: 'lading', region, credentials, sha256: Sha256 })

  async function send<Answer>(operation: string, input: object): Promise<Answer> {
    const body = JSON.stringify(input)
    const { protocol, hostname, pathname: path, host } = endpoint
    const headers = {
      host,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Lading_20261125.${operation}`,
    }
    const signed = await signer.sign({ method: 'POST', protocol, hostname, path, query: {}, headers, body })
    const answer = await post(endpoint, { headers: signed.headers, body })
    // What the API promises of the operation.
    return parse(endpoint, answer) as Answer
  }

  return {
    call: send,
    async *pages<Name extends Paged, Item>(
      operation: Name,
      input: Wire<Operations[Name]['input']>,
      itemsOf: (answer: Wire<Operations[Name]['output']>) => readonly Item[],
    ) {
      let nextToken: string | undefined
      do {
        const answer = await send<Wire<Operations[Name]['output']> & { readonly nextToken?: string }>(operation, {
          ...input,
          nextToken,
        })
        yield itemsOf(answer)
        nextToken = answer.nextToken
      } while (nextToken !== undefined)
    },
  }
}

interface Answered {
  readonly ok: boolean
  readonly status: number
  readonly text: string
}

/** Certificates are trusted as Node does, which `NODE_EXTRA_CA_CERTS` adds to. @throws CommandError */
async function post(endpoint: URL, init: { headers: Record<string, string>; body: string }): Promise<Answered> {
  const signal = AbortSignal.timeout(deadlineMs)
  try {
    // A signature is for one host: no redirect can be followed with it.
    const answer = await fetch(endpoint, { method: 'POST', redirect: 'manual', signal, ...init })
    return { ok: answer.ok, status: answer.status, text: await answer.text() }
  } catch (error) {
    const reason = signal.aborted ? `nothing within ${deadlineMs / 1000} seconds` : reasonOf(error)
    throw new CommandError(`${endpoint.origin} gave no answer: ${reason}`)
  }
}

/** Of a failed `fetch`, whose own message says nothing; of a name with several addresses, the first failure's. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause
  if (!(first instanceof Error)) return String(first)
  const ofCertificate = 'code' in first && /CERT|ISSUER|SELF_SIGNED/.test(String(first.code))
  return ofCertificate ? `${first.message} (NODE_EXTRA_CA_CERTS names a file of certificates to trust)` : first.message
}

/** @throws CommandError with the server's text, or where it is no server of this kind */
function parse({ origin }: URL, { ok, status, text }: Answered): unknown {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    throw new CommandError(`${origin} answered with status ${status} and no JSON: expected a server of Lading`)
  }
  if (ok) return document
  const message = typeof document === 'object' && document !== null && 'message' in document && document.message
  throw new CommandError(typeof message === 'string' ? message : `${origin} refused with status ${status}`)
}
