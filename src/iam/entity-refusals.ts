import { refusals } from '#lib/refusal.ts'
import type { OwnerKind } from './policies/usage.ts'

/** What the management of identities, access keys, policies and identity providers declines, with the facts that explain it. */
export interface EntityRefusals {
  /** `name` is what it was asked for by: a name, an ARN, an id. */
  EntityNotFound: { readonly kind: EntityKind; readonly name: string }
  EntityExists: { readonly kind: EntityKind; readonly name: string }
  /** It cannot be deleted before what hangs on it is. */
  EntityInUse: { readonly by: InUse }
  /** `limit` is how much there may be, in the unit of the quota. */
  EntityQuotaExceeded: { readonly quota: EntityQuota; readonly limit: number }
  /** All inline policies of an owner together, in characters that are no white space. */
  InlinePoliciesTooLarge: { readonly owner: OwnerKind; readonly name: string; readonly limit: number }
  /** A trust policy that cannot be parsed as JSON. */
  TrustPolicyNoJson: Record<string, never>
  /** A trust policy names somebody who does not exist. */
  TrustedPrincipalUnknown: { readonly principal: string }
  /** Of an identity provider. */
  ThumbprintsTooMany: { readonly limit: number }
  /** An identity provider's URL. */
  ProviderUrlInvalid: { readonly url: string }
  /** A permissions boundary that is no managed policy of the account or of AWS. */
  BoundaryUnknown: { readonly arn: string }
  /** `repeated` without regard to case. */
  EntityTagInvalid: { readonly problem: 'repeated' | 'reserved' }
  /** Not the ARN of a managed policy. */
  PolicyArnInvalid: { readonly arn: string }
  /** Whatever AWS manages is read-only. */
  EntityUnmodifiable: { readonly arn: string }
}

export type EntityKind =
  | OwnerKind
  | `${OwnerKind} policy`
  | 'policy'
  /** One that was to be attached. */
  | 'attachable policy'
  | 'attached policy'
  | 'policy version'
  | 'access key'
  | 'group member'
  | 'login profile'
  | 'identity provider'

export type InUse =
  | 'access keys'
  | 'group memberships'
  | 'group members'
  | 'attached policies'
  | 'inline policies'
  /** A policy's, to users, groups or roles, or as a permissions boundary. */
  | 'attachments'
  | 'versions'
  | 'default version'

export type EntityQuota =
  | 'access keys of a user'
  | 'groups of a user'
  /** Managed ones, attached to one owner. */
  | `policies of a ${OwnerKind}`
  /** In characters that are no white space. */
  | 'trust policy size'
  | 'managed policy size'
  | 'policy versions'
  | 'client ids'
  | 'tags'

export const refuseEntity = refusals<EntityRefusals>()
