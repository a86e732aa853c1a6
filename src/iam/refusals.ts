import { Refusal, refusals } from '#lib/refusal.ts'
import type { Decision } from './authorize.ts'
import type { Verdict } from './policy/evaluate.ts'

/** Every refusal of this room, with the facts that explain it. Surfaces word them. */
export interface IamRefusals {
  /** No `Authorization` header. */
  CredentialsMissing: Record<string, never>
  /** Not `Basic`, not base64 of `user:password`, or a user name other than `AWS`. */
  CredentialsInvalid: { readonly problem: 'scheme' | 'encoding' | 'user' }
  /** Not an authorization token, not sealed by a key of this deployment, or altered since; a caller is not told which. */
  TokenMalformed: Record<string, never>
  /** In milliseconds since the epoch. */
  TokenExpired: { readonly expiresAt: number }
  AccessDenied: Denial
}

/** Of access keys in place of authorization tokens. */
export interface KeySignInRefusals {
  /** No active access key has this id and secret; a caller is not told which is wrong. `temporary` by the shape of the id alone. */
  AccessKeyInvalid: { readonly temporary: boolean }
  /** Too many failed sign-ins by access key came from the same address. */
  SignInThrottled: { readonly waitMs: number }
}

export interface Denial extends Omit<Decision, 'verdict'> {
  readonly verdict: Exclude<Verdict, { readonly allowed: true }>
  /** What the caller named the resource, where its ARN would reveal that it exists. */
  readonly named?: string | undefined
}

export const refuse = refusals<IamRefusals & KeySignInRefusals>()

/** What was denied, if that is what the error says. */
export function denialOf(error: unknown): Denial | undefined {
  const denied = error instanceof Refusal && error.code === ('AccessDenied' satisfies keyof IamRefusals)
  // `refuse` lets no refusal exist whose facts do not fit its code.
  return denied ? (error.facts as Denial) : undefined
}
