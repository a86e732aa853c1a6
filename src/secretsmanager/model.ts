// Generated from model.json by 'npm run generate'. Do not edit.
import type { JsonModel } from '#aws/api-model.ts'
import json from './model.json' with { type: 'json' }

/** The API model as data, for validation and serialization. */
// The type inferred from JSON widens every literal; 'npm run generate' reads this file as the same type.
export const model = json as unknown as JsonModel

/** Every operation of the API, by name. */
export interface Operations {
  CreateSecret: {
    readonly input: CreateSecretRequest
    readonly output: CreateSecretResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'InvalidRequestException'
      | 'LimitExceededException'
      | 'EncryptionFailure'
      | 'ResourceExistsException'
      | 'ResourceNotFoundException'
      | 'MalformedPolicyDocumentException'
      | 'InternalServiceError'
      | 'PreconditionNotMetException'
      | 'DecryptionFailure'
  }
  DeleteSecret: {
    readonly input: DeleteSecretRequest
    readonly output: DeleteSecretResponse
    readonly errors:
      | 'ResourceNotFoundException'
      | 'InvalidParameterException'
      | 'InvalidRequestException'
      | 'InternalServiceError'
  }
  DescribeSecret: {
    readonly input: DescribeSecretRequest
    readonly output: DescribeSecretResponse
    readonly errors: 'ResourceNotFoundException' | 'InternalServiceError' | 'InvalidParameterException'
  }
  GetResourcePolicy: {
    readonly input: GetResourcePolicyRequest
    readonly output: GetResourcePolicyResponse
    readonly errors:
      | 'ResourceNotFoundException'
      | 'InternalServiceError'
      | 'InvalidRequestException'
      | 'InvalidParameterException'
  }
  GetSecretValue: {
    readonly input: GetSecretValueRequest
    readonly output: GetSecretValueResponse
    readonly errors:
      | 'ResourceNotFoundException'
      | 'InvalidParameterException'
      | 'InvalidRequestException'
      | 'DecryptionFailure'
      | 'InternalServiceError'
  }
  ListSecretVersionIds: {
    readonly input: ListSecretVersionIdsRequest
    readonly output: ListSecretVersionIdsResponse
    readonly errors:
      | 'InvalidNextTokenException'
      | 'ResourceNotFoundException'
      | 'InternalServiceError'
      | 'InvalidParameterException'
  }
  ListSecrets: {
    readonly input: ListSecretsRequest
    readonly output: ListSecretsResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'InvalidRequestException'
      | 'InvalidNextTokenException'
      | 'InternalServiceError'
  }
  PutSecretValue: {
    readonly input: PutSecretValueRequest
    readonly output: PutSecretValueResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'InvalidRequestException'
      | 'LimitExceededException'
      | 'EncryptionFailure'
      | 'ResourceExistsException'
      | 'ResourceNotFoundException'
      | 'InternalServiceError'
      | 'DecryptionFailure'
  }
  RestoreSecret: {
    readonly input: RestoreSecretRequest
    readonly output: RestoreSecretResponse
    readonly errors:
      | 'ResourceNotFoundException'
      | 'InvalidParameterException'
      | 'InvalidRequestException'
      | 'InternalServiceError'
  }
  TagResource: {
    readonly input: TagResourceRequest
    readonly output: Nothing
    readonly errors:
      | 'ResourceNotFoundException'
      | 'InvalidRequestException'
      | 'InvalidParameterException'
      | 'InternalServiceError'
  }
  UntagResource: {
    readonly input: UntagResourceRequest
    readonly output: Nothing
    readonly errors:
      | 'ResourceNotFoundException'
      | 'InvalidRequestException'
      | 'InvalidParameterException'
      | 'InternalServiceError'
  }
  UpdateSecret: {
    readonly input: UpdateSecretRequest
    readonly output: UpdateSecretResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'InvalidRequestException'
      | 'LimitExceededException'
      | 'EncryptionFailure'
      | 'ResourceExistsException'
      | 'ResourceNotFoundException'
      | 'MalformedPolicyDocumentException'
      | 'InternalServiceError'
      | 'PreconditionNotMetException'
      | 'DecryptionFailure'
  }
  UpdateSecretVersionStage: {
    readonly input: UpdateSecretVersionStageRequest
    readonly output: UpdateSecretVersionStageResponse
    readonly errors:
      | 'ResourceNotFoundException'
      | 'InvalidParameterException'
      | 'InvalidRequestException'
      | 'LimitExceededException'
      | 'InternalServiceError'
  }
}

/** Every exception that some operation lists. */
export type ErrorName = Operations[keyof Operations]['errors']

export interface CreateSecretRequest {
  readonly Name: string
  readonly ClientRequestToken?: string | undefined
  readonly Description?: string | undefined
  readonly KmsKeyId?: string | undefined
  readonly SecretBinary?: Uint8Array | undefined
  readonly SecretString?: string | undefined
  readonly Tags?: readonly Tag[] | undefined
  readonly AddReplicaRegions?: readonly ReplicaRegionType[] | undefined
  readonly ForceOverwriteReplicaSecret?: boolean | undefined
  readonly Type?: string | undefined
}

export interface CreateSecretResponse {
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
  readonly VersionId?: string | undefined
  readonly ReplicationStatus?: readonly ReplicationStatusType[] | undefined
}

export interface DeleteSecretRequest {
  readonly SecretId: string
  readonly RecoveryWindowInDays?: number | undefined
  readonly ForceDeleteWithoutRecovery?: boolean | undefined
}

export interface DeleteSecretResponse {
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
  readonly DeletionDate?: Date | undefined
}

export interface DescribeSecretRequest {
  readonly SecretId: string
}

export interface DescribeSecretResponse {
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
  readonly Type?: string | undefined
  readonly Description?: string | undefined
  readonly KmsKeyId?: string | undefined
  readonly RotationEnabled?: boolean | undefined
  readonly RotationLambdaARN?: string | undefined
  readonly RotationRules?: RotationRulesType | undefined
  readonly ExternalSecretRotationMetadata?: readonly ExternalSecretRotationMetadataItem[] | undefined
  readonly ExternalSecretRotationRoleArn?: string | undefined
  readonly LastRotatedDate?: Date | undefined
  readonly LastChangedDate?: Date | undefined
  readonly LastAccessedDate?: Date | undefined
  readonly DeletedDate?: Date | undefined
  readonly NextRotationDate?: Date | undefined
  readonly Tags?: readonly Tag[] | undefined
  readonly VersionIdsToStages?: { readonly [Key in string]?: readonly string[] } | undefined
  readonly OwningService?: string | undefined
  readonly CreatedDate?: Date | undefined
  readonly PrimaryRegion?: string | undefined
  readonly ReplicationStatus?: readonly ReplicationStatusType[] | undefined
}

export interface ExternalSecretRotationMetadataItem {
  readonly Key?: string | undefined
  readonly Value?: string | undefined
}

export interface Filter {
  readonly Key?: FilterNameStringType | undefined
  readonly Values?: readonly string[] | undefined
}

export type FilterNameStringType =
  | 'description'
  | 'name'
  | 'tag-key'
  | 'tag-value'
  | 'primary-region'
  | 'owning-service'
  | 'all'

export interface GetResourcePolicyRequest {
  readonly SecretId: string
}

export interface GetResourcePolicyResponse {
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
  readonly ResourcePolicy?: string | undefined
}

export interface GetSecretValueRequest {
  readonly SecretId: string
  readonly VersionId?: string | undefined
  readonly VersionStage?: string | undefined
}

export interface GetSecretValueResponse {
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
  readonly VersionId?: string | undefined
  readonly SecretBinary?: Uint8Array | undefined
  readonly SecretString?: string | undefined
  readonly VersionStages?: readonly string[] | undefined
  readonly CreatedDate?: Date | undefined
}

export interface ListSecretVersionIdsRequest {
  readonly SecretId: string
  readonly MaxResults?: number | undefined
  readonly NextToken?: string | undefined
  readonly IncludeDeprecated?: boolean | undefined
}

export interface ListSecretVersionIdsResponse {
  readonly Versions?: readonly SecretVersionsListEntry[] | undefined
  readonly NextToken?: string | undefined
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
}

export interface ListSecretsRequest {
  readonly IncludePlannedDeletion?: boolean | undefined
  readonly MaxResults?: number | undefined
  readonly NextToken?: string | undefined
  readonly Filters?: readonly Filter[] | undefined
  readonly SortOrder?: SortOrderType | undefined
  readonly SortBy?: SortByType | undefined
}

export interface ListSecretsResponse {
  readonly SecretList?: readonly SecretListEntry[] | undefined
  readonly NextToken?: string | undefined
}

export type Nothing = Readonly<Record<never, never>>

export interface PutSecretValueRequest {
  readonly SecretId: string
  readonly ClientRequestToken?: string | undefined
  readonly SecretBinary?: Uint8Array | undefined
  readonly SecretString?: string | undefined
  readonly VersionStages?: readonly string[] | undefined
  readonly RotationToken?: string | undefined
}

export interface PutSecretValueResponse {
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
  readonly VersionId?: string | undefined
  readonly VersionStages?: readonly string[] | undefined
}

export interface ReplicaRegionType {
  readonly Region?: string | undefined
  readonly KmsKeyId?: string | undefined
}

export interface ReplicationStatusType {
  readonly Region?: string | undefined
  readonly KmsKeyId?: string | undefined
  readonly Status?: StatusType | undefined
  readonly StatusMessage?: string | undefined
  readonly LastAccessedDate?: Date | undefined
}

export interface RestoreSecretRequest {
  readonly SecretId: string
}

export interface RestoreSecretResponse {
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
}

export interface RotationRulesType {
  readonly AutomaticallyAfterDays?: number | undefined
  readonly Duration?: string | undefined
  readonly ScheduleExpression?: string | undefined
}

export interface SecretListEntry {
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
  readonly Type?: string | undefined
  readonly Description?: string | undefined
  readonly KmsKeyId?: string | undefined
  readonly RotationEnabled?: boolean | undefined
  readonly RotationLambdaARN?: string | undefined
  readonly RotationRules?: RotationRulesType | undefined
  readonly ExternalSecretRotationMetadata?: readonly ExternalSecretRotationMetadataItem[] | undefined
  readonly ExternalSecretRotationRoleArn?: string | undefined
  readonly LastRotatedDate?: Date | undefined
  readonly LastChangedDate?: Date | undefined
  readonly LastAccessedDate?: Date | undefined
  readonly DeletedDate?: Date | undefined
  readonly NextRotationDate?: Date | undefined
  readonly Tags?: readonly Tag[] | undefined
  readonly SecretVersionsToStages?: { readonly [Key in string]?: readonly string[] } | undefined
  readonly OwningService?: string | undefined
  readonly CreatedDate?: Date | undefined
  readonly PrimaryRegion?: string | undefined
}

export interface SecretVersionsListEntry {
  readonly VersionId?: string | undefined
  readonly VersionStages?: readonly string[] | undefined
  readonly LastAccessedDate?: Date | undefined
  readonly CreatedDate?: Date | undefined
  readonly KmsKeyIds?: readonly string[] | undefined
}

export type SortByType = 'created-date' | 'last-accessed-date' | 'last-changed-date' | 'name'

export type SortOrderType = 'asc' | 'desc'

export type StatusType = 'InSync' | 'Failed' | 'InProgress'

export interface Tag {
  readonly Key?: string | undefined
  readonly Value?: string | undefined
}

export interface TagResourceRequest {
  readonly SecretId: string
  readonly Tags: readonly Tag[]
}

export interface UntagResourceRequest {
  readonly SecretId: string
  readonly TagKeys: readonly string[]
}

export interface UpdateSecretRequest {
  readonly SecretId: string
  readonly ClientRequestToken?: string | undefined
  readonly Description?: string | undefined
  readonly KmsKeyId?: string | undefined
  readonly SecretBinary?: Uint8Array | undefined
  readonly SecretString?: string | undefined
  readonly Type?: string | undefined
}

export interface UpdateSecretResponse {
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
  readonly VersionId?: string | undefined
}

export interface UpdateSecretVersionStageRequest {
  readonly SecretId: string
  readonly VersionStage: string
  readonly RemoveFromVersionId?: string | undefined
  readonly MoveToVersionId?: string | undefined
}

export interface UpdateSecretVersionStageResponse {
  readonly ARN?: string | undefined
  readonly Name?: string | undefined
}
