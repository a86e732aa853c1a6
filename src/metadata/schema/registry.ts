import type { Generated } from 'kysely'

/**
 * The tables of the room `registry`.
 *
 *   repository ─┬─< repository_blob >── blob          a link makes a blob visible in a repository
 *               ├─< manifest ─┬─< manifest_reference  parent → config, layer, child manifest; foreign layers may be missing
 *               │             ├── manifest_content    its bytes, which no list reads
 *               │             └─ subject              may name a manifest that is not there (yet)
 *               ├─< tag ──> manifest
 *               ├─< upload                            its bytes are a draft of the blob store
 *               ├─< incoming_blob ──> upload          a blob that comes from elsewhere
 *               ├─< tag_move                          every move of a tag
 *               ├─< replica                           an image that came from another registry, also once it is gone
 *               ├─< deleted_image                     the recycle bin: a manifest with its tags, and what it refers to
 *               └── deleted_repository                one in the bin: its row then belongs to no registry
 *
 * Times are milliseconds since the epoch, UTC; sizes are bytes; digests are text; JSON columns are parsed when read.
 */
export interface RegistryTables {
  repository: RepositoryTable
  blob: BlobTable
  repository_blob: RepositoryBlobTable
  manifest: ManifestTable
  manifest_content: ManifestContentTable
  manifest_reference: ManifestReferenceTable
  tag: TagTable
  upload: UploadTable
  incoming_blob: IncomingBlobTable
  registry_setting: RegistrySettingTable
  repository_policy: RepositoryPolicyTable
  repository_creation_template: RepositoryCreationTemplateTable
  pull_time_update_exclusion: PullTimeUpdateExclusionTable
  tag_move: TagMoveTable
  replica: ReplicaTable
  deleted_image: DeletedImageTable
  deleted_image_reference: ManifestReferenceTable
  deleted_repository: DeletedRepositoryTable
  in_use_report: InUseReportTable
  in_use_image: InUseImageTable
  link_candidate: LinkCandidateTable
  blob_candidate: BlobCandidateTable
  collection_hold: CollectionHoldTable
  damaged_manifest: DamagedManifestTable
  blob_store: BlobStoreTable
  registry_blob: RegistryBlobTable
  registry_usage: RegistryUsageTable
}

export interface RepositoryTable {
  id: Generated<number>
  account: string
  region: string
  name: string
  created_at: number
  tag_mutability: string
  /** JSON: array of wildcard texts. */
  tag_mutability_exclusions: string
  /** 0 or 1. */
  scan_on_push: number
  encryption_type: string
  kms_key: string | null
  /** JSON: object of ECR's resource tags, key to value. */
  resource_tags: string
  /** How often an image or a tag was taken away, moved or set aside: what a count of images rests on. */
  image_removals: Generated<number>
  /** Whether images in use are kept: 0 or 1, or `null` for what the registry says. */
  keep_in_use: Generated<number | null>
}

/** One row per stored content, however many repositories hold it. */
export interface BlobTable {
  digest: string
  size: number
  stored_at: number
  /** When its content was found to be another's and was put aside; `null` while it is whole. */
  quarantined_at: Generated<number | null>
}

export interface RepositoryBlobTable {
  repository_id: number
  digest: string
  /** Since when it is open; 0 once it is not (`registry/blob-links.ts`). */
  linked_at: number
}

/** How many repositories of a registry link a blob, those in its recycle bin among them (`registry/storage-usage.ts`). */
export interface RegistryBlobTable {
  account: string
  region: string
  digest: string
  links: number
  /** As it was counted into the usage. */
  size: number
}

/** Bytes of blobs and manifests that a registry has: the sum over its rows. An empty region is the lock of an account. */
export interface RegistryUsageTable {
  account: string
  region: string
  shard: number
  bytes: number
}

export interface ManifestTable {
  repository_id: number
  digest: string
  media_type: string
  artifact_type: string | null
  /** Digest of the manifest that this one refers to as its subject. */
  subject: string | null
  /** Bytes of config and layers; of an index, those of its largest child (ECR API, ImageDetail). */
  image_size: number
  pushed_at: number
  pulled_at: number | null
  /** `ACTIVE`, or `ARCHIVED` and not to be pulled. */
  status: Generated<string>
  /** When it was last archived. */
  archived_at: Generated<number | null>
  /** When it was last restored from the archive. */
  activated_at: Generated<number | null>
}

/**
 * The bytes of an image, one row for `manifest` and `deleted_image` together (`registry/image-content.ts`). Lists read the other
 * two tables. Their rows stay small, however large a pushed manifest is.
 */
export interface ManifestContentTable {
  repository_id: number
  digest: string
  /** JSON: object of the manifest's annotations; `null` if there are none. Before the body, which SQLite would read to reach it. */
  annotations: string | null
  body: Uint8Array
}

export interface ManifestReferenceTable {
  repository_id: number
  parent: string
  child: string
  /** `config`, `layer` or `manifest`; `foreign` for a layer that the repository need not link. */
  kind: string
  media_type: string
}

export interface TagTable {
  repository_id: number
  tag: string
  digest: string
  moved_at: number
  /** The registry that it was replicated from; `null` for a tag that was moved here. */
  source_account: Generated<string | null>
  source_region: Generated<string | null>
  /** When it counts against pushes of other registries, if that is not `moved_at`: when it was pushed to its source. */
  source_pushed_at: Generated<number | null>
}

export interface UploadTable {
  id: string
  repository_id: number
  /** Bytes received and kept. */
  offset: number
  /** The process that may be writing right now. That of one which died stays until the next writer. */
  writer: string | null
  /** `none`, `last` or `followed`: whether a part below ECR's least size came, and whether another followed it. */
  short_part: string
  /** How many parts of ECR's API came. */
  parts: Generated<number>
  started_at: number
  touched_at: number
  /** The registry of its repository. */
  account: string
  region: string
  /** Bytes that its draft has or may have: what it received, and what is reserved for what comes. */
  held: Generated<number>
}

/** The one transfer of a blob from elsewhere to a repository (`registry/incoming/`). Its row ends with its upload. */
export interface IncomingBlobTable {
  repository_id: number
  digest: string
  /** The upload that holds its bytes. A transfer that starts over with other bytes has another upload. */
  upload: string
  /** Bytes of the whole blob; `null` until the source has answered, and while the source does not know it. */
  size: number | null
  /** The process that reads the source; `null` for none. */
  leader: string | null
  /** Until then other processes leave the source to the leader. */
  leased_until: number
}

/** What is configured of a registry, one row a setting: its policy, its replication and so on. */
export interface RegistrySettingTable {
  account: string
  region: string
  name: string
  /** JSON, in the shape that the setting's own room gives it. */
  document: string
  updated_at: number
}

/** Gone with its repository. */
export interface RepositoryPolicyTable {
  repository_id: number
  /** The policy as it was set. */
  document: string
}

/** Whose pulls leave the recorded time of an image's last pull alone. */
export interface PullTimeUpdateExclusionTable {
  account: string
  region: string
  /** Of an IAM user or role. */
  principal_arn: string
  created_at: number
}

export interface RepositoryCreationTemplateTable {
  account: string
  region: string
  /** Without a slash at its end, or `ROOT`. */
  prefix: string
  /** JSON: the template's settings, as `registry/creation-templates.ts` has them. */
  settings: string
  created_at: number
  updated_at: number
}

/** Every move of a tag, in the order of `id`. */
export interface TagMoveTable {
  id: Generated<number>
  repository_id: number
  tag: string
  /** `null` for a tag that was not there. */
  from_digest: string | null
  /** `null` for a tag that went. */
  to_digest: string | null
  moved_at: number
  /** The ARN of the principal, or empty where nobody knows. */
  moved_by: string
  /** One of `registry/tag-moves.ts`. */
  cause: string
  /** The registry that replicated the tag; `null` for others. */
  source_account: Generated<string | null>
  source_region: Generated<string | null>
}

/** An image that came by replication. The row stays when the image is deleted, and goes when a client pushes the image again. */
export interface ReplicaTable {
  repository_id: number
  digest: string
  source_account: string
  source_region: string
  /** When it was pushed to the source, by the clock there. */
  pushed_at: number
  arrived_at: number
}

/** An image in the recycle bin: what `manifest` held of it, its tags, and why it went. */
export interface DeletedImageTable extends Omit<ManifestTable, 'status' | 'archived_at' | 'activated_at'> {
  status: string
  archived_at: number | null
  activated_at: number | null
  /** JSON: array of the tags that it had. */
  tags: string
  deleted_at: number
  /** The ARN of the principal, or empty where a policy deleted it. */
  deleted_by: string
  /** One of `registry/image-removal.ts`. */
  cause: string
  purge_at: number
}

/**
 * A repository in the recycle bin. Its row in `repository` has the account '' and its id as its name, which no registry has, so that
 * nothing that asks by name finds it or what it holds.
 */
export interface DeletedRepositoryTable {
  repository_id: number
  account: string
  region: string
  name: string
  deleted_at: number
  deleted_by: string
  purge_at: number
}

/** What a cluster said last. */
export interface InUseReportTable {
  account: string
  region: string
  cluster: string
  reported_at: number
  reported_by: string
  expires_at: number
}

export interface InUseImageTable {
  account: string
  region: string
  cluster: string
  /** A repository's name; there need not be one. */
  repository: string
  digest: string
}

/** A link that perhaps no manifest needs: whoever collects looks once it has been one for long enough. */
export interface LinkCandidateTable {
  repository_id: number
  digest: string
  /** When it was linked, or when the last manifest that needed it went, as far as is known. */
  since: number
}

/** A blob that perhaps nothing links. */
export interface BlobCandidateTable {
  digest: string
  since: number
}

/** Until then no blob is removed from the store: a backup copies what its snapshot refers to. */
export interface CollectionHoldTable {
  id: string
  expires_at: number
}

/** A manifest whose body the scrub found to be another's, among those of the repository or in its recycle bin. */
export interface DamagedManifestTable {
  repository_id: number
  digest: string
  found_at: number
  /** The last round that found it so, by when that began. */
  round: number
}

/** Which store the content lies in: one row at most, with the id that the store has too. */
export interface BlobStoreTable {
  id: string
  store: string
}
