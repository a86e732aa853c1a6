import { refusals } from '#lib/refusal.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryPrefix } from '#names/repository-prefix.ts'
import type { Tag } from '#names/tag.ts'
import type { InRepository } from '#registry/refusals.ts'
import type { UpstreamKind } from './upstreams.ts'

/** What the pull through cache declines. */
export interface UpstreamRefusals {
  CacheRuleAlreadyExists: { readonly registry: Registry; readonly prefix: RepositoryPrefix }
  CacheRuleNotFound: { readonly registry: Registry; readonly prefix: RepositoryPrefix }
  /** No address of an upstream that ECR knows, or that of the registry itself. */
  UpstreamUnsupported: { readonly url: string }
  /** The deployment allows no upstream, so that no new rule can have one. */
  UpstreamsForbidden: { readonly url: string }
  /** The address is one of another kind of upstream than the one that was named; `other` for a listed host that is of no kind. */
  UpstreamKindMismatch: { readonly upstream: UpstreamKind | 'other' }
  /** An upstream that asks for a secret, and none given. */
  CredentialMissing: { readonly url: string }
  /** A secret of another account or region. */
  CredentialElsewhere: { readonly registry: Registry }
  /** No secret with that ARN, or one that is scheduled for deletion. */
  SecretMissing: Record<string, never>
  /** A value that does not open, or a secret under another key than the default one. */
  SecretUndecryptable: Record<string, never>
  /** A secret without a user name and an access token in it. */
  SecretUnusable: Record<string, never>
  /** ECR in another account, and no role given to go there. */
  RoleMissing: { readonly url: string }
  /** No role, or one of another account. */
  RoleInvalid: { readonly registry: Registry }
  /** Without its slash it has one character. `isUpstream`: the prefix upstream. */
  CacheRulePrefixTooShort: { readonly isUpstream: boolean }
  /** A rule of the prefix ROOT for a part of the upstream. */
  RootUpstreamPrefixed: Record<string, never>
}

/** What is declined of operations on the cache that ECR does not have. */
export interface RefreshRefusals {
  /** There is no such tag, or it was pushed, so that no upstream can be asked. */
  TagNotCached: InRepository & { readonly tag: Tag }
}

/** An image or a blob that is not here, and that the upstream does not hand out now. `reason` names no secret. */
interface NotFetched extends InRepository {
  readonly upstreamUrl: string
  readonly reason: string
}

/** What is declined of content that comes from an upstream. */
export interface UpstreamContentRefusals {
  UpstreamUnavailable: NotFetched
  UpstreamLimited: NotFetched & { readonly retryAfterMs: number | undefined }
  /** `isLogin`: the upstream refuses the credentials, or their absence. */
  UpstreamDenied: NotFetched & { readonly isLogin: boolean }
  /** The secret or the role of the rule cannot be used. */
  UpstreamCredentialsUnusable: { readonly registry: Registry; readonly upstreamUrl: string; readonly reason: string }
  /** A manifest of the upstream refers to it, and the upstream does not have it. */
  UpstreamBlobMissing: InRepository & { readonly digest: Digest }
}

export const refuse = refusals<UpstreamRefusals & RefreshRefusals & UpstreamContentRefusals>()
