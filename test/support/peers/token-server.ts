/** A token server of a registry (Distribution, "Token Authentication Specification"), for one user. */
import { createHash, X509Certificate } from 'node:crypto'
import { importPKCS8, SignJWT } from 'jose'
import { privatelySigned } from '#test/fixtures/tls/private-ca/pair.ts'
import { type ScriptedPeer, startScriptedPeer } from './scripted-peer.ts'

export const tokenUser = { username: 'pusher', password: 'secret' } as const
const service = 'registry.example.com'
const issuer = 'tokens.example.com'

export interface TokenServer extends ScriptedPeer {
  /** The member `auth` of the registry's configuration. */
  readonly auth: object
}

export async function startTokenServer(): Promise<TokenServer> {
  const key = await importPKCS8(privatelySigned.key, 'ES256')
  const certificate = new X509Certificate(privatelySigned.cert).raw.toString('base64')
  const login = `Basic ${Buffer.from(`${tokenUser.username}:${tokenUser.password}`).toString('base64')}`

  const server = await startScriptedPeer(async ({ url, headers }) => {
    if (headers.authorization !== login) return { status: 401 }
    const access = url.searchParams.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':')
      return { type, name, actions: actions.split(',') }
    })
    const token = await new SignJWT({ access })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c: [certificate] })
      .setIssuer(issuer)
      .setSubject(tokenUser.username)
      .setAudience(service)
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime('60s')
      .setJti(createHash('sha256').update(url.href).digest('hex'))
      .sign(key)
    return { status: 200, body: JSON.stringify({ token, expires_in: 60 }) }
  })
  const rootcertbundle = privatelySigned.authorityFile
  return { ...server, auth: { token: { realm: `${server.url}/token`, service, issuer, rootcertbundle } } }
}
