import { refusals } from '#lib/refusal.ts'
import type { Registry } from '#names/registry.ts'

/** What signing declines. Surfaces word it. */
export interface SigningRefusals {
  /** A signing profile of another region than the registry's. */
  SigningProfileElsewhere: { readonly profileArn: string; readonly region: string }
  SigningConfigurationNotFound: { readonly registry: Registry }
}

export const refuse = refusals<SigningRefusals>()
