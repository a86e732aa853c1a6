import type { Clock } from '#lib/clock.ts'
import type { Registry } from '#names/registry.ts'
import type { Authorizer } from './authorize.ts'
import type { Circumstances } from './circumstances.ts'
import type { KeySignIn } from './key-sign-in.ts'

/**
 * What is about a deployment as a whole is for principals of the account that it was started with. Tools that cannot sign, such as a
 * Prometheus, send an access key as user and password of `Authorization: Basic`.
 */
export type OperatorAccess = (
  request: { readonly authorization: string | undefined; readonly action: string } & Client,
) => Promise<'allowed' | 'denied' | 'unauthenticated' | 'throttled'>

type Client = Pick<Circumstances, 'sourceIp' | 'secure' | 'userAgent'>

export function createOperatorAccess({
  keySignIn,
  authorizer,
  clock,
  registry,
}: {
  keySignIn: KeySignIn
  authorizer: Authorizer
  clock: Clock
  /** That of the deployment's own account. */
  registry: Registry
}): OperatorAccess {
  return async ({ authorization, action, ...client }) => {
    const [, encoded = ''] = /^Basic ([\w+/=-]{1,1000})$/i.exec(authorization ?? '') ?? []
    const [, id = '', secret = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? []
    if (id === '') return 'unauthenticated'
    const answer = await keySignIn.verify({ id, secret, sourceIp: client.sourceIp })
    if (answer.is !== 'right') return answer.is === 'throttled' ? 'throttled' : 'unauthenticated'
    const { principal } = answer
    if (principal.account !== registry.account) return 'denied'
    const circumstances = { ...client, region: registry.region, now: clock() }
    const { verdict } = await authorizer.decide({ principal, action, resource: '*', registry, circumstances })
    return verdict.allowed ? 'allowed' : 'denied'
  }
}
