// What this program asks of another registry, and how it fails. The client behind it proves what it returns: a manifest has
// the digest that it is returned with. The caller proves a blob, because it arrives as a stream.

import type { Digest } from '#names/digest.ts'

export interface RemoteRegistry {
  /** Whether the manifest is there, without its content. `undefined` if the registry does not have it. */
  headManifest(repository: string, reference: string, options?: RemoteOptions): Promise<RemoteManifestHead | undefined>

  /** A manifest of at most 4 MiB, with its digest proved. `undefined` if the registry does not have it. */
  getManifest(repository: string, reference: string, options?: RemoteOptions): Promise<RemoteManifest | undefined>

  /** Opens a blob by one GET. It never sends HEAD for a blob. `undefined` if the registry does not have it. */
  openBlob(repository: string, digest: Digest, options: RemoteBlobOptions): Promise<RemoteBlob | undefined>

  /** By the referrers API with all its pages, or by the fallback tag where the registry does not have that API. */
  listReferrers(repository: string, subject: Digest, options?: RemoteOptions): Promise<readonly RemoteDescriptor[]>

  /** Logs in. */
  check(options?: RemoteOptions): Promise<void>
}

export interface RemoteOptions {
  readonly signal?: AbortSignal
}

export interface RemoteBlobOptions extends RemoteOptions {
  /** The first byte that the caller wants. */
  readonly offset: number
}

export interface RemoteManifestHead {
  /** As the registry states it, unproved. Some registries do not. */
  readonly digest: Digest | undefined
  readonly mediaType: string
  /** As the registry states it, unproved. */
  readonly sizeBytes: number | undefined
}

export interface RemoteManifest {
  readonly digest: Digest
  readonly mediaType: string
  readonly body: Uint8Array
}

export interface RemoteBlob {
  /** The first byte of `body`: the one that was asked for, or 0 if the registry does not honour ranges. */
  readonly offset: number
  /** Of the whole blob, as the registry states it. */
  readonly sizeBytes: number | undefined
  /** Read it to its end, or leave its loop: both end the exchange. It throws a `RemoteFailure` if it breaks. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface RemoteDescriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * `unreachable`: no answer, an answer that breaks, or an error of the server.
 * `unauthorized`: the credentials, or their absence, are refused.
 * `forbidden`: the credentials are good, but do not allow this.
 * `limited`: too many requests.
 * `invalid`: an answer that breaks the protocol or its digest.
 * `blocked`: this program does not connect to the address.
 */
export type RemoteFailureReason = 'unreachable' | 'unauthorized' | 'forbidden' | 'limited' | 'invalid' | 'blocked'

/** The message holds no secret, no token and no address that a client must not learn. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure'
  readonly reason: RemoteFailureReason
  /** How long the registry asks to wait. */
  readonly retryAfterMs: number | undefined

  constructor(reason: RemoteFailureReason, message: string, options: RemoteFailureOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.reason = reason
    this.retryAfterMs = options.retryAfterMs
  }
}

interface RemoteFailureOptions {
  readonly cause?: unknown
  readonly retryAfterMs?: number | undefined
}

export type RemoteCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** Of a registry that speaks ECR. `roleArn` is assumed with the AWS credentials of this process. */
  | { readonly kind: 'ecr'; readonly account: string; readonly region: string; readonly roleArn?: string }

/** What a registry says of its rate limit (Docker Hub, "Usage and limits"). */
export interface RemoteRateLimit {
  readonly limit: number | undefined
  readonly remaining: number | undefined
  readonly windowSeconds: number | undefined
  /** Set on an answer of 429 that has `Retry-After`. */
  readonly retryAfterMs: number | undefined
}

export interface RemoteHooks {
  /** Called for each answer that has headers of a rate limit, and for each 429. */
  readonly onRateLimit?: (limit: RemoteRateLimit) => void
}

/** Tokens of other registries. A key holds no secret. */
export interface TokenCache {
  /** The token of a key. Fetches it if there is none or it expires. At most one fetch per key runs at a time. */
  get(key: string, fetch: () => Promise<RemoteToken>): Promise<string>
  /** Forgets `token`, unless a newer one has taken its place. */
  drop(key: string, token: string): Promise<void>
}

export interface RemoteToken {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

export interface Remotes {
  /**
   * The registry at `host[:port]`. It connects when it is asked for something.
   *
   * @throws RemoteFailure `blocked` unless `mayReach`
   */
  connect(host: string, credentials: RemoteCredentials, hooks?: RemoteHooks): RemoteRegistry
  /** Whether `LADING_UPSTREAMS` lets `host[:port]` be an upstream. */
  mayReach(host: string): boolean
  /** Whether `LADING_UPSTREAMS` names `host[:port]`. */
  isListed(host: string): boolean
}
