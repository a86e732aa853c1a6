import { refusals } from '#lib/refusal.ts'

/** What this surface declines by itself. */
export interface SecretsManagerRefusals {
  NextTokenInvalid: Record<string, never>
  /** What Secrets Manager offers beside secrets of a region and their values. */
  MemberUnsupported: { readonly member: 'AddReplicaRegions' | 'Type' }
}

export const refuse = refusals<SecretsManagerRefusals>()
