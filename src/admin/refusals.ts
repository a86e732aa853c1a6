import { refusals } from '#lib/refusal.ts'

/** What this surface declines. */
export interface AdminRefusals {
  PrincipalUnknown: { readonly principal: string }
  /** Of another account than the caller's. */
  NotYours: { readonly principal: string }
  /** Of the characters of its keys and values. */
  ContextTooLong: { readonly most: number }
  /** A `nextToken` that the listing did not give. */
  PageTokenInvalid: Readonly<Record<never, never>>
  RequestUnknown: { readonly requestId: string }
}

export const refuse = refusals<AdminRefusals>()
