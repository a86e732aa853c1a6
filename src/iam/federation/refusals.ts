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
  /** The keys of the provider could not be read. The operator's log has the reason. */
  ProviderUnreachable: { readonly issuer: string }
}

export const refuse = refusals<WebIdentityRefusals>()
