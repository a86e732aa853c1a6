import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import type { Registry } from '#names/registry.ts'
import type { Authorizer } from './authorize.ts'
import type { Circumstances } from './circumstances.ts'
import type { Credentials } from './credentials.ts'

/**
 * What is about a deployment as a whole is for principals of the account that it was started with. Tools that cannot sign, such as a
 * Prometheus, give an access key as user and password of `Authorization: Basic`; temporary credentials, which need a session
 * token beside, are not taken.
 */
export type OperatorAccess = (
  request: { readonly authorization: string | undefined; readonly action: string } & Client,
) => Promise<'allowed' | 'denied' | 'unauthenticated'>

type Client = Pick<Circumstances, 'sourceIp' | 'secure' | 'userAgent'>

export function createOperatorAccess({
  credentials,
  authorizer,
  clock,
  registry,
}: {
  credentials: Credentials
  authorizer: Authorizer
  clock: Clock
  /** That of the deployment's own account. */
  registry: Registry
}): OperatorAccess {
  return async ({ authorization, action, ...client }) => {
    const [, encoded = ''] = /^Basic ([\w+/=-]{1,1000})$/i.exec(authorization ?? '') ?? []
    const [, id = '', secret = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? []
    const credential = await credentials.find(id)
    // Compared also where there is none, so that the time tells nobody which keys there are.
    const right = isSame(secret, credential?.secret ?? '')
    if (credential === undefined || credential.session !== undefined || !right) return 'unauthenticated'
    const { principal } = credential
    if (principal.account !== registry.account) return 'denied'
    const circumstances = { ...client, region: registry.region, now: clock() }
    const { verdict } = await authorizer.decide({ principal, action, resource: '*', registry, circumstances })
    return verdict.allowed ? 'allowed' : 'denied'
  }
}

/** In a time that says nothing of either. */
function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(one), hash(other)) && other !== ''
}
