import type { PolicyProblem } from '#iam/policy/refusals.ts'
import { refusals } from '#lib/refusal.ts'
import type { Digest } from '#names/digest.ts'
import type { Registry } from '#names/registry.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import type { RepositoryPrefix } from '#names/repository-prefix.ts'
import type { Tag } from '#names/tag.ts'
import type { ImageQuery } from './image.ts'
import type { Uses } from './in-use.ts'
import type { TagMutabilityMode } from './tag-mutability.ts'

/** Which repository a refusal speaks of. */
export interface InRepository {
  readonly registry: Registry
  readonly repository: RepositoryName
}

/** What there may be only so many of, each counted where it is added. */
export type Quota =
  | 'repositories'
  | 'images'
  | 'tags'
  | 'layerParts'
  | 'pullTimeUpdateExclusions'
  | 'repositoryCreationTemplates'
  | 'pullThroughCacheRules'
  | 'webhooks'

/** What may be stored of blobs and uploads. */
export type StorageQuota = 'openUploads' | 'openUploadBytes' | 'bytesPerRegistry' | 'bytesPerAccount'

/** A registry, or a repository in it. */
export interface Place {
  readonly registry: Registry
  readonly repository?: RepositoryName
}

/** Why a manifest cannot be taken. `path` points into it, as in `layers[2].digest`. */
export interface ManifestProblem {
  readonly path: string
  readonly problem: string
}

type PolicyOwner = 'repository' | 'registry'

/** The members of a creation template that have a grammar of their own. */
export type TemplateMember = 'repositoryPolicy' | 'lifecyclePolicy' | 'customRoleArn' | 'resourceTags'

/** What is declined of a repository's creation, settings and deletion, which only the control plane offers. */
export interface SettingRefusals {
  RepositoryAlreadyExists: InRepository
  RepositoryNotEmpty: InRepository
  /** It holds an image that is kept in use: one of them. */
  RepositoryInUse: InRepository & { readonly digest: Digest; readonly inUseBy: Uses }
  /** Filters given in a mode that takes none, or none in a mode that needs them. */
  TagMutabilityFiltersMismatch: { readonly mode: TagMutabilityMode; readonly given: boolean }
  /** More `*` than a filter may hold. */
  TagMutabilityFilterInvalid: { readonly filter: string }
  ResourceTagInvalid: { readonly key: string; readonly problem: 'reserved' | 'length' | 'characters' | 'repeated' }
  TooManyResourceTags: Place
  TemplateAlreadyExists: { readonly registry: Registry; readonly prefix: RepositoryPrefix }
  TemplateNotFound: { readonly registry: Registry; readonly prefix: RepositoryPrefix }
  TemplateMemberInvalid: { readonly member: TemplateMember }
  /** A key given where the encryption type takes none. */
  KmsKeyUnexpected: { readonly encryptionType: string }
  /** No id, alias or ARN of a key in the region. */
  KmsKeyInvalid: { readonly region: string }
  /** A document that is no policy of its kind; `at` and `problem` as `PolicyMalformed` has them. */
  ResourcePolicyInvalid: { readonly of: PolicyOwner; readonly problem: PolicyProblem; readonly at: string }
  ResourcePolicyPrincipalNotFound: { readonly of: PolicyOwner; readonly principal: string }
  RepositoryPolicyNotFound: InRepository
  /** With it, whoever sets it could not change it any more. */
  RepositoryPolicyLocksOut: InRepository
  RegistryPolicyNotFound: { readonly registry: Registry }
  /** `names` are those that there are. */
  AccountSettingUnknown: { readonly names: readonly string[] }
  /** `values` are those that the setting takes. */
  AccountSettingValueUnknown: { readonly values: readonly string[] }
  /** The registry policy that is set has statements which the narrower scope does not take. */
  RegistryPolicyBeyondScope: Readonly<Record<never, never>>
}

/** What is declined of content, whichever plane it comes or goes by. */
export interface ContentRefusals {
  RepositoryNotFound: InRepository
  /** It was to be created by a template that asks for resource tags or a KMS key, for which it names no role. */
  TemplateRoleMissing: InRepository & { readonly prefix: RepositoryPrefix }
  /** No room for one more: `limit` is how many there may be. */
  QuotaExceeded: Place & { readonly quota: Quota; readonly limit: number }

  /** No room for what a client wants to push. */
  StorageQuotaExceeded: Place & { readonly quota: StorageQuota; readonly limit: number }

  ManifestInvalid: ManifestProblem
  ManifestTooLarge: { readonly limitBytes: number }
  ManifestMediaTypeUnsupported: { readonly mediaType: string | undefined }
  ManifestDigestMismatch: InRepository & { readonly given: Digest; readonly computed: Digest }
  ReferencedBlobsMissing: InRepository & { readonly digests: readonly Digest[] }
  ReferencedManifestsMissing: InRepository & { readonly digests: readonly Digest[] }
  TagImmutable: InRepository & { readonly tag: Tag }

  ImageNotFound: InRepository & { readonly query: ImageQuery }
  /** It is there, and cannot be pulled until it is restored. */
  ImageArchived: InRepository & { readonly query: ImageQuery; readonly digest: Digest }
  ImageReferencedByIndex: InRepository & { readonly digest: Digest; readonly indexes: readonly Digest[] }
  /** Clusters run it, or something that needs it, and such images are kept here. */
  ImageInUse: InRepository & { readonly digest: Digest; readonly inUseBy: Uses }

  BlobNotFound: InRepository & { readonly digest: Digest }
  /** By an image that is there, or else by one in the recycle bin, which could not come back without it. */
  BlobReferenced: InRepository & { readonly digest: Digest; readonly manifest: Digest; readonly inBin: boolean }

  UploadNotFound: InRepository & { readonly upload: string }
  /** Bytes were sent for another place than where the upload stands. `offset` is the next byte wanted. */
  UploadOutOfOrder: InRepository & { readonly upload: string; readonly offset: number }
  /** A chunk whose length is not what its client announced. `offset` is the next byte wanted. */
  UploadLengthMismatch: InRepository & { readonly upload: string; readonly offset: number }
  /** The content hashes to none of the digests that the client named. */
  UploadDigestMismatch: InRepository & { readonly upload: string; readonly computed: Digest }
  /** Another request took the upload over while this one was writing to it. */
  UploadTakenOver: InRepository & { readonly upload: string }
}

/** What is declined of blobs that come from elsewhere (`incoming/`). */
export interface IncomingRefusals {
  /** What the source sends is not the blob: it has another length, or its bytes have another digest. Nothing is stored. */
  IncomingBlobInvalid: InRepository & { readonly digest: Digest; readonly problem: 'length' | 'content' }
  /** The transfer ended before the blob was whole. The next request for it continues or starts over. */
  IncomingBlobBroken: InRepository & { readonly digest: Digest }
}

/** What is declined of pull time update exclusions. */
export interface ExclusionRefusals {
  ExclusionAlreadyExists: { readonly registry: Registry; readonly principalArn: string }
  ExclusionNotFound: { readonly registry: Registry; readonly principalArn: string }
}

/** What is declined of an image's storage class. */
export interface StorageClassRefusals {
  /** Indexes that can be pulled refer to it; some of them. */
  ImageNotArchivable: InRepository & { readonly digest: Digest; readonly indexes: readonly Digest[] }
}

/** What ECR's layer operations decline beyond that. */
export interface LayerRefusals {
  /** No manifest of the repository refers to it, or `archived` ones alone, so it may be pushed on but not downloaded through the ECR API. */
  BlobInaccessible: InRepository & { readonly digest: Digest; readonly archived: boolean }
  UploadEmpty: InRepository & { readonly upload: string }
  /** A part smaller than `leastBytes` was followed by another. */
  UploadPartTooSmall: InRepository & { readonly upload: string; readonly leastBytes: number }
  /** A power loss took bytes that had been received. `offset` is the next byte wanted. */
  UploadIncomplete: InRepository & { readonly upload: string; readonly offset: number }
  LayerAlreadyExists: InRepository & { readonly digest: Digest }
}

/** Every refusal of the core, with the facts that explain it. Surfaces word them. */
export interface RegistryRefusals
  extends SettingRefusals,
    ContentRefusals,
    ExclusionRefusals,
    StorageClassRefusals,
    LayerRefusals {}

/** What is declined of reports of what is in use, which ECR does not have. */
export interface InUseRefusals {
  InUseReportNotFound: { readonly registry: Registry; readonly cluster: string }
  /** A registry has no more clusters than `limit`. */
  TooManyInUseReports: { readonly registry: Registry; readonly limit: number }
}

/** What is declined of a tag that is to point to what it pointed to before, which ECR does not offer. */
export interface RollbackRefusals {
  /** It pointed to nothing by that time, or without one to no other image, as far as its history is kept. */
  TagHistoryMissing: InRepository & { readonly tag: Tag; readonly at: number | undefined }
  TagNeverPointedTo: InRepository & { readonly tag: Tag; readonly digest: Digest }
  RollbackImageUnavailable: InRepository & {
    readonly tag: Tag
    readonly digest: Digest
    readonly state: 'archived' | 'in recycle bin' | 'gone'
  }
}

export const refuse = refusals<RegistryRefusals & InUseRefusals & RollbackRefusals & IncomingRefusals>()
