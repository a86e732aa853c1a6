import type { Handlers } from '#aws/operation.ts'
import type { Tokens } from '#iam/tokens.ts'
import type { Endpoints } from '#names/endpoints.ts'
import type { Operations } from './model.ts'

/** What a Docker client logs in with. */
export interface AuthorizationParts {
  readonly tokens: Tokens
  readonly endpoints: Endpoints
}

export function authorizationOperations({ tokens, endpoints }: AuthorizationParts) {
  return {
    GetAuthorizationToken: {
      resource: () => '*',
      handle: async ({ input, registry, principal, origin }) => {
        // Each stands for the same principal. They differ in the registry that they open at a host which names none.
        const authorizationData = (input.registryIds ?? [principal.account]).map(async (account) => {
          const named = { account, region: registry.region }
          const { authorizationToken, expiresAt } = await tokens.issue(principal, named)
          return {
            authorizationToken,
            expiresAt: new Date(expiresAt),
            proxyEndpoint: endpoints.proxyEndpoint(named, origin),
          }
        })
        return { authorizationData: await Promise.all(authorizationData) }
      },
    },
  } satisfies Handlers<Operations, 'GetAuthorizationToken'>
}
