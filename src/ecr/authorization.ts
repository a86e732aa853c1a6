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
      handle: async ({ input, registry, principal }) => {
        const { authorizationToken, expiresAt } = await tokens.issue(principal, registry.region)
        // A token stands for its principal, whichever registry it is shown to, so that one serves all (user guide, "Registry
        // authentication").
        const accounts = input.registryIds ?? [principal.account]
        return {
          authorizationData: accounts.map((account) => ({
            authorizationToken,
            expiresAt: new Date(expiresAt),
            proxyEndpoint: endpoints.proxyEndpoint({ account, region: registry.region }),
          })),
        }
      },
    },
  } satisfies Handlers<Operations, 'GetAuthorizationToken'>
}
