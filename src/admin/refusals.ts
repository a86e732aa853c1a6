import { refusals } from '#lib/refusal.ts'

/** What this surface declines. */
export interface AdminRefusals {
  PrincipalUnknown: { readonly principal: string }
  /** Of another account than the caller's. */
  NotYours: { readonly principal: string }
  RequestUnknown: { readonly requestId: string }
}

export const refuse = refusals<AdminRefusals>()
