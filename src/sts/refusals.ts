import { refusals } from '#lib/refusal.ts'

/** What this surface declines by itself. */
export interface StsRefusals {
  /** An access key that nobody has. */
  KeyUnknown: { readonly key: string }
  /** A text in the place of a role's ARN that has not the parts of an ARN. */
  ArnInvalid: { readonly text: string }
}

export const refuse = refusals<StsRefusals>()
