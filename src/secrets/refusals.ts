import { refusals } from '#lib/refusal.ts'

/** What the room declines. Surfaces word it. */
export interface SecretRefusals {
  /** No secret of that name or ARN. */
  SecretNotFound: Record<string, never>
  SecretNameInvalid: { readonly problem: 'characters' | 'prefix' }
  SecretAlreadyExists: { readonly name: string }
  /** A secret that is scheduled for deletion has the name. */
  SecretNameScheduled: Record<string, never>
  /** The secret is scheduled for deletion. */
  SecretScheduled: Record<string, never>
  /** No version has that id, or that label. */
  SecretVersionNotFound: { readonly by: 'id' | 'stage'; readonly value: string }
  /** The version does not have the label that was given with it. */
  SecretStageElsewhere: Record<string, never>
  SecretTokenMissing: Record<string, never>
  /** The token is the id of a version with another value. */
  SecretTokenTaken: { readonly token: string; readonly arn: string }
  SecretValueInvalid: { readonly problem: 'both' | 'none' | 'length' }
  SecretNotDecryptable: Record<string, never>
  SecretStageInvalid:
    | { readonly problem: 'nothing to do' | 'current removed' }
    | { readonly problem: 'not there'; readonly stage: string; readonly version: string }
    | { readonly problem: 'not named'; readonly stage: string; readonly version: string }
  SecretStagesTooMany: { readonly limit: number }
  RecoveryWindowInvalid: { readonly problem: 'range' | 'forced' }
  SecretTagInvalid: { readonly key: string; readonly problem: 'reserved' | 'repeated' }
  SecretTagsTooMany: { readonly limit: number }
  SecretsTooMany: { readonly limit: number }
}

export const refuse = refusals<SecretRefusals>()
