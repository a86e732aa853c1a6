import { refusals } from '#lib/refusal.ts'

/** Why the token of an identity provider is not believed, or cannot be judged. */
export interface WebIdentityRefusals {
  /** `provider`: the account has none of this URL. `keys`: its provider has no key that signed it. */
  WebIdentityInvalid: {
    readonly problem: 'token' | 'provider' | 'audience' | 'algorithm' | 'keys' | 'signature' | 'not yet' | 'subject'
    readonly issuer?: string
  }
  /** Both in milliseconds since the epoch. */
  WebIdentityExpired: { readonly expiredAt: number; readonly now: number }
  /** The provider did not say which keys are its own. `reason` never holds what it said. */
  ProviderUnreachable: { readonly issuer: string; readonly reason: string }
}

export const refuse = refusals<WebIdentityRefusals>()
