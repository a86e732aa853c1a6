import { refusals } from '#lib/refusal.ts'

/** Why somebody does not get temporary credentials, with the facts that explain it. */
export interface SessionRefusals {
  /** The root of an account takes on no role: nothing would bound what it leaves behind. */
  RootAssumesRole: Record<string, never>
  /** A role that is not there, or that does not trust a web identity; a caller is not told which. */
  WebIdentityNotTrusted: Record<string, never>
  /** Longer than the role lets its sessions be, or than a session that comes of another one may be. In seconds. */
  SessionTooLong: { readonly by: 'role' | 'chain'; readonly longest: number }
  /** In characters. */
  SessionPoliciesTooLarge: { readonly longestDocument: number; readonly mostPolicies: number }
  /** A tag that came from the session before cannot be given another value, and neither can what it says of its source. */
  SessionTagKept: { readonly key: string }
  /** A tag is to be transitive that the request does not set. */
  TransitiveTagMissing: { readonly key: string }
  SourceIdentityKept: Record<string, never>
  /** Temporary credentials give nobody further ones that are not a role's. */
  SessionOfSession: Record<string, never>
  /** The caller has as many live sessions as it may, or with those that ended a multiple of that. */
  SessionQuotaExceeded: { readonly limit: number; readonly live: boolean }
  /** There are no devices here that would give codes. */
  MfaUnknown: Record<string, never>
}

export const refuseSession = refusals<SessionRefusals>()
