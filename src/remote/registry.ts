// What this program asks of another registry, and how it fails. The client behind it proves what it returns: a manifest has
// the digest that it is returned with. The caller proves a blob, because it arrives as a stream. What it pushes is proved by the
// registry, which compares digests.

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

export interface RemoteInspection {
  /** `undefined` if the registry does not have the manifest. */
  readonly head: RemoteManifestHead | undefined
  /** By lower-case names. */
  readonly headers: ReadonlyMap<string, string>
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

/** Pushes to another registry (distribution specification, "Push"). */
export interface RemotePush {
  /** By HEAD. A redirect to where the content is counts as yes, and is not followed. */
  hasBlob(repository: string, digest: Digest, options?: RemoteOptions): Promise<boolean>

  /** Mounts a blob if the registry can, or begins an upload. @throws RemoteFailure `missing` without the repository */
  startUpload(repository: string, options?: StartUploadOptions): Promise<'mounted' | RemoteUpload>

  /** The upload with the offset that the registry has. `undefined` if it is gone, or if the registry does not say. */
  findUpload(upload: RemoteUpload, options?: RemoteOptions): Promise<RemoteUpload | undefined>

  /**
   * Sends the next bytes of an upload by one PATCH, as fast as the registry reads them. The result may be short of the chunk's end:
   * the caller goes on at its offset. If the exchange breaks, the offset is unknown until `findUpload`.
   *
   * @throws RemoteFailure `upload` if the upload is gone, or the registry has another offset
   */
  append(upload: RemoteUpload, chunk: RemoteChunk, options?: RemoteOptions): Promise<RemoteUpload>

  /** Ends an upload. The registry proves the digest. @throws RemoteFailure `upload` if it is gone, `invalid` for other content */
  finish(upload: RemoteUpload, digest: Digest, options?: RemoteOptions): Promise<void>

  /**
   * Pushes a manifest byte for byte. `reference` is its digest or a tag.
   *
   * @throws RemoteFailure `missing`; `immutable` for a tag that may not move
   */
  putManifest(
    repository: string,
    reference: string,
    manifest: Pick<RemoteManifest, 'mediaType' | 'body'>,
    options?: PutManifestOptions,
  ): Promise<RemotePut>
}

export interface StartUploadOptions extends RemoteOptions {
  /** A blob of another repository of the registry. */
  readonly mount?: { readonly digest: Digest; readonly from: string }
}

/** It has no secret of this program, but a registry may put its own state into the location: keep it from clients. */
export interface RemoteUpload {
  readonly repository: string
  /** An absolute URL. */
  readonly location: string
  /** How many bytes the registry has. */
  readonly offset: number
}

export interface RemoteChunk {
  /** Read at most once. */
  readonly body: AsyncIterable<Uint8Array>
  /** Exactly what `body` yields. */
  readonly sizeBytes: number
}

export interface PutManifestOptions extends RemoteOptions {
  readonly headers?: Readonly<Record<string, string>>
}

export interface RemotePut {
  /** Of the answer, by lower-case names. */
  readonly headers: ReadonlyMap<string, string>
}

/** Calls of the ECR API, at a peer that has it. */
export interface EcrCalls {
  createRepository(repository: string, options?: RemoteOptions): Promise<'created' | 'exists'>

  /**
   * PutImage. An image that is there already is no failure.
   *
   * @throws RemoteFailure `missing`; `immutable` for a tag that may not move
   */
  putImage(
    repository: string,
    image: RemoteManifest & { readonly tag?: string | undefined },
    options?: RemoteOptions,
  ): Promise<void>
}

/** A registry that an operator named as a peer. */
export interface PeerRegistry extends RemoteRegistry, RemotePush {
  /** As `headManifest`, with the headers of the answer. */
  inspectManifest(repository: string, reference: string, options?: RemoteOptions): Promise<RemoteInspection>
  /** `undefined` for a registry that has the distribution API alone. */
  readonly ecr: EcrCalls | undefined
}

/** Where a peer is, and how this program proves itself there. */
export interface PeerAddress {
  /** With http, a private address or a path as it is written. A path with `/v2` holds the start of the names of all repositories. */
  readonly url: string
  readonly credentials: RemoteCredentials
  /** Sent with each request of the distribution API. */
  readonly headers?: Readonly<Record<string, string>>
  /** In PEM, trusted for this peer beside all others. */
  readonly certificates?: readonly string[]
  /** An origin where the peer's token server is, if that is elsewhere and not public. */
  readonly tokenServer?: string | undefined
  /** Whether it may send its client to any public host, by HTTPS, as Amazon ECR does. */
  readonly mayRedirect?: boolean
  /** The account that the credentials must be of. */
  readonly sourceAccount?: string
}

export interface PeerRemotes {
  /** It connects when it is asked for something. */
  connect(peer: PeerAddress, hooks?: RemoteHooks): PeerRegistry
}

/**
 * `unreachable`: no answer, an answer that breaks, or an error of the server.
 * `unauthorized`: the credentials, or their absence, are refused.
 * `forbidden`: the credentials are good, but do not allow this.
 * `limited`: too many requests.
 * `invalid`: an answer that breaks the protocol or its digest.
 * `blocked`: this program does not connect to the address.
 * Of a push alone:
 * `missing`: there is no such repository.
 * `immutable`: the tag is taken, and may not move.
 * `upload`: the upload is gone, or the registry has another offset. `findUpload` shows which.
 */
export type RemoteFailureReason =
  | 'unreachable'
  | 'unauthorized'
  | 'forbidden'
  | 'limited'
  | 'invalid'
  | 'blocked'
  | 'missing'
  | 'immutable'
  | 'upload'

/** The message holds no secret, no token and no address that a client must not learn. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure'
  readonly reason: RemoteFailureReason
  /** How long the registry asks to wait. */
  readonly retryAfterMs: number | undefined
  /** What the registry says of a refused push, on one line. It is for operators. */
  readonly said: RemoteError | undefined

  constructor(reason: RemoteFailureReason, message: string, options: RemoteFailureOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.reason = reason
    this.retryAfterMs = options.retryAfterMs
    this.said = options.said
  }
}

interface RemoteFailureOptions {
  readonly cause?: unknown
  readonly retryAfterMs?: number | undefined
  readonly said?: RemoteError | undefined
}

/** The first error of an answer: of the distribution API (`DENIED`), or the exception of an ECR call. */
export interface RemoteError {
  readonly code: string
  readonly message: string
}

export type RemoteCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | EcrCredentials

/** Of a registry that speaks ECR. */
export interface EcrCredentials {
  readonly kind: 'ecr'
  readonly account: string
  readonly region: string
  /** The AWS credentials of this process, if absent. */
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Assumed with the key. */
  readonly roleArn?: string
}

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
