import { refusals } from '#lib/refusal.ts'

/** What this surface declines by itself. */
export interface StsRefusals {
  /** An access key that nobody has. */
  KeyUnknown: { readonly key: string }
}

export const refuse = refusals<StsRefusals>()
