import { SignatureV4 } from '@smithy/signature-v4'
import type { Operations } from '#admin/model.ts'
import { CommandError } from '#commands/command.ts'
import { Sha256 } from '#lib/sha256.ts'
import { type Answered, post } from './post.ts'
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
  /** What docker takes as user name and password, for twelve hours (ECR API reference, GetAuthorizationToken). @throws CommandError */
  authorizationToken(): Promise<AuthorizationToken>
}

export interface AuthorizationToken {
  readonly username: string
  readonly password: string
  /** The address of the registry that it is for, such as `https://registry.example`. */
  readonly proxyEndpoint: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
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

/** The services that commands ask, by the name that signs and the one that precedes an operation's. */
const services = {
  lading: 'Lading_20261125',
  ecr: 'AmazonEC2ContainerRegistry_V20150921',
} as const

export function createApi(target: ApiTarget, { deadlineMs }: { readonly deadlineMs?: number } = {}): Api {
  const { endpoint, region, credentials } = target

  async function ask<Answer>(service: keyof typeof services, operation: string, input: object): Promise<Answer> {
    const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 })
    const body = JSON.stringify(input)
    const { protocol, hostname, pathname: path, host } = endpoint
    const headers = {
      host,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `${services[service]}.${operation}`,
    }
    const signed = await signer.sign({ method: 'POST', protocol, hostname, path, query: {}, headers, body })
    const answer = await post(endpoint, { headers: signed.headers, body, deadlineMs })
    // What the API promises of the operation.
    return parse(endpoint, answer) as Answer
  }

  const send = <Answer>(operation: string, input: object) => ask<Answer>('lading', operation, input)

  return {
    call: send,
    async authorizationToken() {
      const { authorizationData: [data] = [] } = await ask<TokenAnswer>('ecr', 'GetAuthorizationToken', {})
      const { authorizationToken = '', expiresAt = 0, proxyEndpoint = '' } = data ?? {}
      const [, username, password] = /^([^:]+):(.+)$/.exec(Buffer.from(authorizationToken, 'base64').toString()) ?? []
      if (username === undefined || password === undefined) {
        throw new CommandError(`${endpoint.origin} answered without a token: expected a server of Lading`)
      }
      return { username, password, proxyEndpoint, expiresAt: expiresAt * 1_000 }
    },
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

/** As AWS JSON has it, with times in seconds. Absent members are those of a server that is none of ours. */
interface TokenAnswer {
  readonly authorizationData?: readonly {
    readonly authorizationToken?: string
    readonly expiresAt?: number
    readonly proxyEndpoint?: string
  }[]
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
