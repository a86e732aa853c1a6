import type { Clock } from '#lib/clock.ts'
import type { Fetch } from '#lib/fetch.ts'
import type { Metadata } from '#metadata/metadata.ts'
import type { CompileDocument } from './compiled.ts'
import { createProviderKeys, type ProviderKeysParts } from './federation/provider-keys.ts'
import { createWebIdentities } from './federation/web-identity.ts'
import type { FindIdentityPolicies } from './identity-policies.ts'
import { createKeyAccounts } from './key-accounts.ts'
import { createRoleSessions } from './role-sessions.ts'
import type { SecretBox } from './secret-box.ts'
import { createSessions, type SessionQuotas } from './sessions.ts'

/** Everything by which temporary credentials are made, over one database. */
export interface TokenServiceParts {
  readonly metadata: Metadata
  readonly identityPolicies: FindIdentityPolicies
  readonly compile: CompileDocument
  readonly box: Pick<SecretBox, 'seal'>
  /** Reaches identity providers. */
  readonly fetch: Fetch
  readonly clock: Clock
  readonly quotas: SessionQuotas
  /** Whether an identity provider may have a private address. */
  readonly privateHosts: ProviderKeysParts['privateHosts']
  readonly onUnreachable: ProviderKeysParts['onUnreachable']
}

export function createTokenService(parts: TokenServiceParts) {
  const { metadata, identityPolicies, compile, box, clock, quotas } = parts
  const { reader } = metadata
  const sessions = createSessions({ metadata, clock, box, quotas })
  const webIdentities = createWebIdentities({ reader, keys: createProviderKeys(parts), clock })
  return {
    sessions,
    roleSessions: createRoleSessions({ reader, identityPolicies, compile, webIdentities, sessions }),
    findKeyAccount: createKeyAccounts({ reader }),
  }
}
