/**
 * An OpenID Connect provider for tests: a real HTTPS server on a port of its own, which publishes its keys and signs tokens. It is
 * reached by whoever trusts the certificate of `test/fixtures/tls`.
 */
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { selfSigned } from '#test/fixtures/tls/pair.ts'

export interface OidcIssuer extends AsyncDisposable {
  /** `https://127.0.0.1:<port>` */
  readonly url: string
  /** What was asked of it, in order. */
  readonly requests: readonly string[]
  /** Signs what is given beside `iss`, `sub` `someone`, `aud` `a-client`, and an expiry five minutes after `now`, which all may be replaced. */
  token(claims?: JWTPayload, options?: { now?: number; alg?: string }): Promise<string>
  /** Signs with a new key from now on, and publishes that alone. */
  rotate(): Promise<void>
  /** Answers so instead, by path; `undefined` as before. */
  answer(path: string, respond: ((response: ServerResponse) => void) | undefined): void
}

export const configurationPath = '/.well-known/openid-configuration'
export const keysPath = '/keys'

export async function startOidcIssuer(): Promise<OidcIssuer> {
  const requests: string[] = []
  const answers = new Map<string, (response: ServerResponse) => void>()
  let keys: JWK[] = []
  let signing: { kid: string; alg: string; privateKey: CryptoKey }[] = []
  let rotations = 0

  const server = createServer({ cert: selfSigned.cert, key: selfSigned.key }, (request, response) => {
    const path = request.url ?? ''
    requests.push(path)
    const respond = answers.get(path)
    if (respond) return respond(response)
    if (path === configurationPath) return sendJson(response, { issuer: url, jwks_uri: `${url}${keysPath}` })
    if (path === keysPath) return sendJson(response, { keys })
    response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  const url = `https://127.0.0.1:${address.port}`

  async function rotate() {
    rotations++
    const made = await Promise.all(
      ['RS256', 'ES256'].map(async (alg) => ({ kid: `${alg}-${rotations}`, alg, ...(await generateKeyPair(alg)) })),
    )
    keys = await Promise.all(
      made.map(async ({ kid, alg, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, alg })),
    )
    signing = made
  }
  await rotate()

  return {
    url,
    requests,
    async token(claims = {}, { now = Date.now(), alg = 'RS256' } = {}) {
      const key = signing.find((each) => each.alg === alg)
      if (key === undefined) throw new Error(`no key for ${alg}`)
      const issuedAt = Math.floor(now / 1000)
      const body = { iss: url, sub: 'someone', aud: 'a-client', iat: issuedAt, exp: issuedAt + 300, ...claims }
      return new SignJWT(body).setProtectedHeader({ alg, kid: key.kid }).sign(key.privateKey)
    },
    rotate,
    answer(path, respond) {
      if (respond) answers.set(path, respond)
      else answers.delete(path)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
