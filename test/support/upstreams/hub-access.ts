/** Sign-in at a stand-in for Docker Hub: Bearer challenges, tokens with scopes and an end, Basic. */
import { createHmac, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HubRequest } from './hub-log.ts'

export interface HubAccessOptions {
  /** How requests to `/v2/` sign in: by token, as at Docker Hub, by Basic, or not at all. */
  authentication: 'token' | 'basic' | 'none'
  /** Passwords by user name. */
  readonly users: Map<string, string>
  /** Repositories that need a user. All others are open to anonymous tokens. */
  readonly privateRepositories: Set<string>
  tokenSeconds: number
  /** The token's answer says nothing of its end. Clients then assume 60 seconds. */
  omitExpiry: boolean
  /** The realm of challenges, in place of the hub's own `/token`. */
  realm: string | undefined
  /** The scope of challenges, in place of the one that the request needs. */
  challengeScope: string | undefined
}

interface Claims {
  readonly scopes: readonly string[]
  readonly expiresAt: number
  readonly user: string | undefined
}

export class HubAccess {
  readonly #key = randomUUID()
  readonly #options: HubAccessOptions
  readonly #url: () => string

  constructor(options: HubAccessOptions, url: () => string) {
    this.#options = options
    this.#url = url
  }

  /** Answers a request at `/token`. */
  sendToken(request: IncomingMessage, response: ServerResponse): void {
    const user = this.#userOf(request)
    if (user === false) {
      sendJson(response, 401, { details: 'incorrect username or password' })
      return
    }
    const { tokenSeconds, privateRepositories, omitExpiry } = this.#options
    const scopes = new URL(request.url ?? '/', 'http://hub').searchParams
      .getAll('scope')
      .flatMap((each) => each.split(' '))
      // As Docker Hub does, a scope that is not granted is left out of the token, with no error.
      .filter((each) => user !== undefined || !privateRepositories.has(each.split(':')[1] ?? ''))
    const claims: Claims = { scopes, expiresAt: Date.now() + tokenSeconds * 1000, user }
    const body = Buffer.from(JSON.stringify(claims)).toString('base64url')
    const token = `${body}.${this.#sign(body)}`
    const expiry = omitExpiry ? {} : { expires_in: tokenSeconds, issued_at: new Date().toISOString() }
    sendJson(response, 200, { token, access_token: token, ...expiry })
  }

  /** True if the request may be answered. If not, a challenge is sent. */
  admits(request: HubRequest, response: ServerResponse): boolean {
    switch (this.#options.authentication) {
      case 'none':
        return true
      case 'basic': {
        const user = this.#userOf(request)
        if (typeof user === 'string') return true
        this.challenge(request, response)
        return false
      }
      case 'token': {
        const error = this.#tokenError(request)
        if (error === undefined) return true
        this.challenge(request, response, error)
        return false
      }
    }
  }

  challenge({ repository }: HubRequest, response: ServerResponse, error = ''): void {
    const { authentication, realm = `${this.#url()}/token`, challengeScope } = this.#options
    const scope = challengeScope ?? (repository === undefined ? '' : `repository:${repository}:pull`)
    const bearer = [
      `Bearer realm="${realm}",service="registry.docker.io"`,
      ...(scope === '' ? [] : [`scope="${scope}"`]),
      ...(error === '' ? [] : [`error="${error}"`]),
    ]
    response.setHeader('www-authenticate', authentication === 'basic' ? 'Basic realm="hub"' : bearer.join(','))
    sendJson(response, 401, { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] })
  }

  #tokenError({ repository, headers }: HubRequest): string | undefined {
    const [, body = '', signature] = /^Bearer ([\w-]+)\.([\w-]+)$/i.exec(headers.authorization ?? '') ?? []
    if (headers.authorization === undefined) return ''
    if (this.#sign(body) !== signature) return 'invalid_token'
    // Signed by this hub.
    const { scopes, expiresAt } = JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims
    if (expiresAt <= Date.now()) return 'invalid_token'
    const granted = repository === undefined || scopes.some((each) => each.startsWith(`repository:${repository}:`))
    return granted ? undefined : 'insufficient_scope'
  }

  /** A user's name, `undefined` without credentials, false for wrong ones. */
  #userOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined | false {
    const [, basic] = /^Basic (.+)$/i.exec(headers.authorization ?? '') ?? []
    if (basic === undefined) return undefined
    const [, user = '', password] = /^([^:]*):(.*)$/s.exec(Buffer.from(basic, 'base64').toString()) ?? []
    return this.#options.users.get(user) === password && password !== undefined ? user : false
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url')
  }
}

export function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
