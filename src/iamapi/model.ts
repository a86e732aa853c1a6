// Generated from model.json by 'npm run generate'. Do not edit.
import type { QueryModel } from '#aws/api-model.ts'
import json from './model.json' with { type: 'json' }

/** The API model as data, for validation and serialization. */
// The type inferred from JSON widens every literal; 'npm run generate' reads this file as the same type.
export const model = json as unknown as QueryModel

/** Every operation of the API, by name. */
export interface Operations {
  AddClientIDToOpenIDConnectProvider: {
    readonly input: AddClientIDToOpenIDConnectProviderRequest
    readonly output: Nothing
    readonly errors: 'ConcurrentModification' | 'InvalidInput' | 'NoSuchEntity' | 'LimitExceeded' | 'ServiceFailure'
  }
  AddUserToGroup: {
    readonly input: AddUserToGroupRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'ServiceFailure'
  }
  AttachGroupPolicy: {
    readonly input: AttachGroupPolicyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'InvalidInput' | 'PolicyNotAttachable' | 'ServiceFailure'
  }
  AttachRolePolicy: {
    readonly input: AttachRolePolicyRequest
    readonly output: Nothing
    readonly errors:
      | 'NoSuchEntity'
      | 'LimitExceeded'
      | 'InvalidInput'
      | 'UnmodifiableEntity'
      | 'PolicyNotAttachable'
      | 'ServiceFailure'
  }
  AttachUserPolicy: {
    readonly input: AttachUserPolicyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'InvalidInput' | 'PolicyNotAttachable' | 'ServiceFailure'
  }
  CreateAccessKey: {
    readonly input: CreateAccessKeyRequest
    readonly output: CreateAccessKeyResponse
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'ServiceFailure'
  }
  CreateGroup: {
    readonly input: CreateGroupRequest
    readonly output: CreateGroupResponse
    readonly errors: 'LimitExceeded' | 'EntityAlreadyExists' | 'NoSuchEntity' | 'ServiceFailure'
  }
  CreateOpenIDConnectProvider: {
    readonly input: CreateOpenIDConnectProviderRequest
    readonly output: CreateOpenIDConnectProviderResponse
    readonly errors:
      | 'InvalidInput'
      | 'EntityAlreadyExists'
      | 'LimitExceeded'
      | 'ConcurrentModification'
      | 'ServiceFailure'
      | 'OpenIdIdpCommunicationError'
  }
  CreatePolicy: {
    readonly input: CreatePolicyRequest
    readonly output: CreatePolicyResponse
    readonly errors:
      | 'InvalidInput'
      | 'LimitExceeded'
      | 'EntityAlreadyExists'
      | 'MalformedPolicyDocument'
      | 'ConcurrentModification'
      | 'ServiceFailure'
  }
  CreatePolicyVersion: {
    readonly input: CreatePolicyVersionRequest
    readonly output: CreatePolicyVersionResponse
    readonly errors: 'NoSuchEntity' | 'MalformedPolicyDocument' | 'InvalidInput' | 'LimitExceeded' | 'ServiceFailure'
  }
  CreateRole: {
    readonly input: CreateRoleRequest
    readonly output: CreateRoleResponse
    readonly errors:
      | 'LimitExceeded'
      | 'InvalidInput'
      | 'EntityAlreadyExists'
      | 'MalformedPolicyDocument'
      | 'ConcurrentModification'
      | 'ServiceFailure'
      | 'NoSuchEntity'
  }
  CreateUser: {
    readonly input: CreateUserRequest
    readonly output: CreateUserResponse
    readonly errors:
      | 'LimitExceeded'
      | 'EntityAlreadyExists'
      | 'NoSuchEntity'
      | 'InvalidInput'
      | 'ConcurrentModification'
      | 'ServiceFailure'
  }
  DeleteAccessKey: {
    readonly input: DeleteAccessKeyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'ServiceFailure'
  }
  DeleteGroup: {
    readonly input: DeleteGroupRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'DeleteConflict' | 'LimitExceeded' | 'ServiceFailure'
  }
  DeleteGroupPolicy: {
    readonly input: DeleteGroupPolicyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'ServiceFailure'
  }
  DeleteLoginProfile: {
    readonly input: DeleteLoginProfileRequest
    readonly output: Nothing
    readonly errors: 'EntityTemporarilyUnmodifiable' | 'NoSuchEntity' | 'LimitExceeded' | 'ServiceFailure'
  }
  DeleteOpenIDConnectProvider: {
    readonly input: DeleteOpenIDConnectProviderRequest
    readonly output: Nothing
    readonly errors: 'InvalidInput' | 'NoSuchEntity' | 'ServiceFailure'
  }
  DeletePolicy: {
    readonly input: DeletePolicyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'InvalidInput' | 'DeleteConflict' | 'ServiceFailure'
  }
  DeletePolicyVersion: {
    readonly input: DeletePolicyVersionRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'InvalidInput' | 'DeleteConflict' | 'ServiceFailure'
  }
  DeleteRole: {
    readonly input: DeleteRoleRequest
    readonly output: Nothing
    readonly errors:
      | 'NoSuchEntity'
      | 'DeleteConflict'
      | 'LimitExceeded'
      | 'UnmodifiableEntity'
      | 'ConcurrentModification'
      | 'ServiceFailure'
  }
  DeleteRolePermissionsBoundary: {
    readonly input: DeleteRolePermissionsBoundaryRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'UnmodifiableEntity' | 'ServiceFailure'
  }
  DeleteRolePolicy: {
    readonly input: DeleteRolePolicyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'UnmodifiableEntity' | 'ServiceFailure'
  }
  DeleteUser: {
    readonly input: DeleteUserRequest
    readonly output: Nothing
    readonly errors: 'LimitExceeded' | 'NoSuchEntity' | 'DeleteConflict' | 'ConcurrentModification' | 'ServiceFailure'
  }
  DeleteUserPermissionsBoundary: {
    readonly input: DeleteUserPermissionsBoundaryRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  DeleteUserPolicy: {
    readonly input: DeleteUserPolicyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'ServiceFailure'
  }
  DetachGroupPolicy: {
    readonly input: DetachGroupPolicyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'InvalidInput' | 'ServiceFailure'
  }
  DetachRolePolicy: {
    readonly input: DetachRolePolicyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'InvalidInput' | 'UnmodifiableEntity' | 'ServiceFailure'
  }
  DetachUserPolicy: {
    readonly input: DetachUserPolicyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'InvalidInput' | 'ServiceFailure'
  }
  GetAccessKeyLastUsed: {
    readonly input: GetAccessKeyLastUsedRequest
    readonly output: GetAccessKeyLastUsedResponse
    readonly errors: never
  }
  GetAccountSummary: {
    readonly input: Nothing
    readonly output: GetAccountSummaryResponse
    readonly errors: 'ServiceFailure'
  }
  GetGroup: {
    readonly input: GetGroupRequest
    readonly output: GetGroupResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  GetGroupPolicy: {
    readonly input: GetGroupPolicyRequest
    readonly output: GetGroupPolicyResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  GetLoginProfile: {
    readonly input: GetLoginProfileRequest
    readonly output: GetLoginProfileResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  GetOpenIDConnectProvider: {
    readonly input: GetOpenIDConnectProviderRequest
    readonly output: GetOpenIDConnectProviderResponse
    readonly errors: 'InvalidInput' | 'NoSuchEntity' | 'ServiceFailure'
  }
  GetPolicy: {
    readonly input: GetPolicyRequest
    readonly output: GetPolicyResponse
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'ServiceFailure'
  }
  GetPolicyVersion: {
    readonly input: GetPolicyVersionRequest
    readonly output: GetPolicyVersionResponse
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'ServiceFailure'
  }
  GetRole: {
    readonly input: GetRoleRequest
    readonly output: GetRoleResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  GetRolePolicy: {
    readonly input: GetRolePolicyRequest
    readonly output: GetRolePolicyResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  GetUser: {
    readonly input: GetUserRequest
    readonly output: GetUserResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  GetUserPolicy: {
    readonly input: GetUserPolicyRequest
    readonly output: GetUserPolicyResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  ListAccessKeys: {
    readonly input: ListAccessKeysRequest
    readonly output: ListAccessKeysResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  ListAccountAliases: {
    readonly input: ListAccountAliasesRequest
    readonly output: ListAccountAliasesResponse
    readonly errors: 'ServiceFailure'
  }
  ListAttachedGroupPolicies: {
    readonly input: ListAttachedGroupPoliciesRequest
    readonly output: ListAttachedGroupPoliciesResponse
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'ServiceFailure'
  }
  ListAttachedRolePolicies: {
    readonly input: ListAttachedRolePoliciesRequest
    readonly output: ListAttachedRolePoliciesResponse
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'ServiceFailure'
  }
  ListAttachedUserPolicies: {
    readonly input: ListAttachedUserPoliciesRequest
    readonly output: ListAttachedUserPoliciesResponse
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'ServiceFailure'
  }
  ListEntitiesForPolicy: {
    readonly input: ListEntitiesForPolicyRequest
    readonly output: ListEntitiesForPolicyResponse
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'ServiceFailure'
  }
  ListGroupPolicies: {
    readonly input: ListGroupPoliciesRequest
    readonly output: ListGroupPoliciesResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  ListGroups: {
    readonly input: ListGroupsRequest
    readonly output: ListGroupsResponse
    readonly errors: 'ServiceFailure'
  }
  ListGroupsForUser: {
    readonly input: ListGroupsForUserRequest
    readonly output: ListGroupsForUserResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  ListInstanceProfilesForRole: {
    readonly input: ListInstanceProfilesForRoleRequest
    readonly output: ListInstanceProfilesForRoleResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  ListMFADevices: {
    readonly input: ListMFADevicesRequest
    readonly output: ListMFADevicesResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  ListOpenIDConnectProviderTags: {
    readonly input: ListOpenIDConnectProviderTagsRequest
    readonly output: ListOpenIDConnectProviderTagsResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure' | 'InvalidInput'
  }
  ListOpenIDConnectProviders: {
    readonly input: ListOpenIDConnectProvidersRequest
    readonly output: ListOpenIDConnectProvidersResponse
    readonly errors: 'ServiceFailure'
  }
  ListPolicies: {
    readonly input: ListPoliciesRequest
    readonly output: ListPoliciesResponse
    readonly errors: 'ServiceFailure'
  }
  ListPolicyTags: {
    readonly input: ListPolicyTagsRequest
    readonly output: ListPolicyTagsResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure' | 'InvalidInput'
  }
  ListPolicyVersions: {
    readonly input: ListPolicyVersionsRequest
    readonly output: ListPolicyVersionsResponse
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'ServiceFailure'
  }
  ListRolePolicies: {
    readonly input: ListRolePoliciesRequest
    readonly output: ListRolePoliciesResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  ListRoleTags: {
    readonly input: ListRoleTagsRequest
    readonly output: ListRoleTagsResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  ListRoles: { readonly input: ListRolesRequest; readonly output: ListRolesResponse; readonly errors: 'ServiceFailure' }
  ListSSHPublicKeys: {
    readonly input: ListSSHPublicKeysRequest
    readonly output: ListSSHPublicKeysResponse
    readonly errors: 'NoSuchEntity'
  }
  ListServiceSpecificCredentials: {
    readonly input: ListServiceSpecificCredentialsRequest
    readonly output: ListServiceSpecificCredentialsResponse
    readonly errors: 'NoSuchEntity' | 'NotSupportedService'
  }
  ListSigningCertificates: {
    readonly input: ListSigningCertificatesRequest
    readonly output: ListSigningCertificatesResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  ListUserPolicies: {
    readonly input: ListUserPoliciesRequest
    readonly output: ListUserPoliciesResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  ListUserTags: {
    readonly input: ListUserTagsRequest
    readonly output: ListUserTagsResponse
    readonly errors: 'NoSuchEntity' | 'ServiceFailure'
  }
  ListUsers: { readonly input: ListUsersRequest; readonly output: ListUsersResponse; readonly errors: 'ServiceFailure' }
  ListVirtualMFADevices: {
    readonly input: ListVirtualMFADevicesRequest
    readonly output: ListVirtualMFADevicesResponse
    readonly errors: never
  }
  PutGroupPolicy: {
    readonly input: PutGroupPolicyRequest
    readonly output: Nothing
    readonly errors: 'LimitExceeded' | 'MalformedPolicyDocument' | 'NoSuchEntity' | 'ServiceFailure'
  }
  PutRolePermissionsBoundary: {
    readonly input: PutRolePermissionsBoundaryRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'UnmodifiableEntity' | 'PolicyNotAttachable' | 'ServiceFailure'
  }
  PutRolePolicy: {
    readonly input: PutRolePolicyRequest
    readonly output: Nothing
    readonly errors:
      | 'LimitExceeded'
      | 'MalformedPolicyDocument'
      | 'NoSuchEntity'
      | 'UnmodifiableEntity'
      | 'ServiceFailure'
  }
  PutUserPermissionsBoundary: {
    readonly input: PutUserPermissionsBoundaryRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'PolicyNotAttachable' | 'ServiceFailure'
  }
  PutUserPolicy: {
    readonly input: PutUserPolicyRequest
    readonly output: Nothing
    readonly errors: 'LimitExceeded' | 'MalformedPolicyDocument' | 'NoSuchEntity' | 'ServiceFailure'
  }
  RemoveClientIDFromOpenIDConnectProvider: {
    readonly input: RemoveClientIDFromOpenIDConnectProviderRequest
    readonly output: Nothing
    readonly errors: 'ConcurrentModification' | 'InvalidInput' | 'NoSuchEntity' | 'ServiceFailure'
  }
  RemoveUserFromGroup: {
    readonly input: RemoveUserFromGroupRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'ServiceFailure'
  }
  SetDefaultPolicyVersion: {
    readonly input: SetDefaultPolicyVersionRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'LimitExceeded' | 'ServiceFailure'
  }
  SimulatePrincipalPolicy: {
    readonly input: SimulatePrincipalPolicyRequest
    readonly output: SimulatePolicyResponse
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'PolicyEvaluation'
  }
  TagOpenIDConnectProvider: {
    readonly input: TagOpenIDConnectProviderRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'InvalidInput' | 'ConcurrentModification' | 'ServiceFailure'
  }
  TagPolicy: {
    readonly input: TagPolicyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'InvalidInput' | 'ConcurrentModification' | 'ServiceFailure'
  }
  TagRole: {
    readonly input: TagRoleRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'InvalidInput' | 'ConcurrentModification' | 'ServiceFailure'
  }
  TagUser: {
    readonly input: TagUserRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'InvalidInput' | 'ConcurrentModification' | 'ServiceFailure'
  }
  UntagOpenIDConnectProvider: {
    readonly input: UntagOpenIDConnectProviderRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'ConcurrentModification' | 'ServiceFailure'
  }
  UntagPolicy: {
    readonly input: UntagPolicyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'InvalidInput' | 'ConcurrentModification' | 'ServiceFailure'
  }
  UntagRole: {
    readonly input: UntagRoleRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'ConcurrentModification' | 'ServiceFailure'
  }
  UntagUser: {
    readonly input: UntagUserRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'ConcurrentModification' | 'ServiceFailure'
  }
  UpdateAccessKey: {
    readonly input: UpdateAccessKeyRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'LimitExceeded' | 'ServiceFailure' | 'InvalidInput'
  }
  UpdateAssumeRolePolicy: {
    readonly input: UpdateAssumeRolePolicyRequest
    readonly output: Nothing
    readonly errors:
      | 'NoSuchEntity'
      | 'MalformedPolicyDocument'
      | 'LimitExceeded'
      | 'UnmodifiableEntity'
      | 'ServiceFailure'
  }
  UpdateGroup: {
    readonly input: UpdateGroupRequest
    readonly output: Nothing
    readonly errors: 'NoSuchEntity' | 'EntityAlreadyExists' | 'LimitExceeded' | 'ServiceFailure'
  }
  UpdateOpenIDConnectProviderThumbprint: {
    readonly input: UpdateOpenIDConnectProviderThumbprintRequest
    readonly output: Nothing
    readonly errors: 'ConcurrentModification' | 'InvalidInput' | 'NoSuchEntity' | 'ServiceFailure'
  }
  UpdateRole: {
    readonly input: UpdateRoleRequest
    readonly output: UpdateRoleResponse
    readonly errors: 'UnmodifiableEntity' | 'NoSuchEntity' | 'ServiceFailure'
  }
  UpdateRoleDescription: {
    readonly input: UpdateRoleDescriptionRequest
    readonly output: UpdateRoleDescriptionResponse
    readonly errors: 'NoSuchEntity' | 'UnmodifiableEntity' | 'ServiceFailure'
  }
  UpdateUser: {
    readonly input: UpdateUserRequest
    readonly output: Nothing
    readonly errors:
      | 'NoSuchEntity'
      | 'LimitExceeded'
      | 'EntityAlreadyExists'
      | 'EntityTemporarilyUnmodifiable'
      | 'ConcurrentModification'
      | 'ServiceFailure'
  }
}

/** Every exception that some operation lists. */
export type ErrorName = Operations[keyof Operations]['errors']

export interface AccessKey {
  readonly UserName: string
  readonly AccessKeyId: string
  readonly Status: statusType
  readonly SecretAccessKey: string
  readonly CreateDate?: Date | undefined
}

export interface AccessKeyLastUsed {
  readonly LastUsedDate?: Date | undefined
  readonly ServiceName: string
  readonly Region: string
}

export interface AccessKeyMetadata {
  readonly UserName?: string | undefined
  readonly AccessKeyId?: string | undefined
  readonly Status?: statusType | undefined
  readonly CreateDate?: Date | undefined
}

export interface AddClientIDToOpenIDConnectProviderRequest {
  readonly OpenIDConnectProviderArn: string
  readonly ClientID: string
}

export interface AddUserToGroupRequest {
  readonly GroupName: string
  readonly UserName: string
}

export interface AttachGroupPolicyRequest {
  readonly GroupName: string
  readonly PolicyArn: string
}

export interface AttachRolePolicyRequest {
  readonly RoleName: string
  readonly PolicyArn: string
}

export interface AttachUserPolicyRequest {
  readonly UserName: string
  readonly PolicyArn: string
}

export interface AttachedPermissionsBoundary {
  readonly PermissionsBoundaryType?: PermissionsBoundaryAttachmentType | undefined
  readonly PermissionsBoundaryArn?: string | undefined
}

export interface AttachedPolicy {
  readonly PolicyName?: string | undefined
  readonly PolicyArn?: string | undefined
}

export interface ContextEntry {
  readonly ContextKeyName?: string | undefined
  readonly ContextKeyValues?: readonly string[] | undefined
  readonly ContextKeyType?: ContextKeyTypeEnum | undefined
}

export type ContextKeyTypeEnum =
  | 'string'
  | 'stringList'
  | 'numeric'
  | 'numericList'
  | 'boolean'
  | 'booleanList'
  | 'ip'
  | 'ipList'
  | 'binary'
  | 'binaryList'
  | 'date'
  | 'dateList'

export interface CreateAccessKeyRequest {
  readonly UserName?: string | undefined
}

export interface CreateAccessKeyResponse {
  readonly AccessKey: AccessKey
}

export interface CreateGroupRequest {
  readonly Path?: string | undefined
  readonly GroupName: string
}

export interface CreateGroupResponse {
  readonly Group: Group
}

export interface CreateOpenIDConnectProviderRequest {
  readonly Url: string
  readonly ClientIDList?: readonly string[] | undefined
  readonly ThumbprintList?: readonly string[] | undefined
  readonly Tags?: readonly Tag[] | undefined
}

export interface CreateOpenIDConnectProviderResponse {
  readonly OpenIDConnectProviderArn?: string | undefined
  readonly Tags?: readonly Tag[] | undefined
}

export interface CreatePolicyRequest {
  readonly PolicyName: string
  readonly Path?: string | undefined
  readonly PolicyDocument: string
  readonly Description?: string | undefined
  readonly Tags?: readonly Tag[] | undefined
}

export interface CreatePolicyResponse {
  readonly Policy?: Policy | undefined
}

export interface CreatePolicyVersionRequest {
  readonly PolicyArn: string
  readonly PolicyDocument: string
  readonly SetAsDefault?: boolean | undefined
}

export interface CreatePolicyVersionResponse {
  readonly PolicyVersion?: PolicyVersion | undefined
}

export interface CreateRoleRequest {
  readonly Path?: string | undefined
  readonly RoleName: string
  readonly AssumeRolePolicyDocument: string
  readonly Description?: string | undefined
  readonly MaxSessionDuration?: number | undefined
  readonly PermissionsBoundary?: string | undefined
  readonly Tags?: readonly Tag[] | undefined
}

export interface CreateRoleResponse {
  readonly Role: Role
}

export interface CreateUserRequest {
  readonly Path?: string | undefined
  readonly UserName: string
  readonly PermissionsBoundary?: string | undefined
  readonly Tags?: readonly Tag[] | undefined
}

export interface CreateUserResponse {
  readonly User?: User | undefined
}

export interface DeleteAccessKeyRequest {
  readonly UserName?: string | undefined
  readonly AccessKeyId: string
}

export interface DeleteGroupPolicyRequest {
  readonly GroupName: string
  readonly PolicyName: string
}

export interface DeleteGroupRequest {
  readonly GroupName: string
}

export interface DeleteLoginProfileRequest {
  readonly UserName?: string | undefined
}

export interface DeleteOpenIDConnectProviderRequest {
  readonly OpenIDConnectProviderArn: string
}

export interface DeletePolicyRequest {
  readonly PolicyArn: string
}

export interface DeletePolicyVersionRequest {
  readonly PolicyArn: string
  readonly VersionId: string
}

export interface DeleteRolePermissionsBoundaryRequest {
  readonly RoleName: string
}

export interface DeleteRolePolicyRequest {
  readonly RoleName: string
  readonly PolicyName: string
}

export interface DeleteRoleRequest {
  readonly RoleName: string
}

export interface DeleteUserPermissionsBoundaryRequest {
  readonly UserName: string
}

export interface DeleteUserPolicyRequest {
  readonly UserName: string
  readonly PolicyName: string
}

export interface DeleteUserRequest {
  readonly UserName: string
}

export interface DetachGroupPolicyRequest {
  readonly GroupName: string
  readonly PolicyArn: string
}

export interface DetachRolePolicyRequest {
  readonly RoleName: string
  readonly PolicyArn: string
}

export interface DetachUserPolicyRequest {
  readonly UserName: string
  readonly PolicyArn: string
}

export type EntityType = 'User' | 'Role' | 'Group' | 'LocalManagedPolicy' | 'AWSManagedPolicy'

export interface EvaluationResult {
  readonly EvalActionName: string
  readonly EvalResourceName?: string | undefined
  readonly EvalDecision: PolicyEvaluationDecisionType
  readonly MatchedStatements?: readonly Statement[] | undefined
  readonly MissingContextValues?: readonly string[] | undefined
  readonly OrganizationsDecisionDetail?: OrganizationsDecisionDetail | undefined
  readonly PermissionsBoundaryDecisionDetail?: PermissionsBoundaryDecisionDetail | undefined
  readonly EvalDecisionDetails?: { readonly [Key in string]?: PolicyEvaluationDecisionType } | undefined
  readonly ResourceSpecificResults?: readonly ResourceSpecificResult[] | undefined
}

export interface GetAccessKeyLastUsedRequest {
  readonly AccessKeyId: string
}

export interface GetAccessKeyLastUsedResponse {
  readonly UserName?: string | undefined
  readonly AccessKeyLastUsed?: AccessKeyLastUsed | undefined
}

export interface GetAccountSummaryResponse {
  readonly SummaryMap?: { readonly [Key in summaryKeyType]?: number } | undefined
}

export interface GetGroupPolicyRequest {
  readonly GroupName: string
  readonly PolicyName: string
}

export interface GetGroupPolicyResponse {
  readonly GroupName: string
  readonly PolicyName: string
  readonly PolicyDocument: string
}

export interface GetGroupRequest {
  readonly GroupName: string
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface GetGroupResponse {
  readonly Group: Group
  readonly Users: readonly User[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface GetLoginProfileRequest {
  readonly UserName?: string | undefined
}

export interface GetLoginProfileResponse {
  readonly LoginProfile: LoginProfile
}

export interface GetOpenIDConnectProviderRequest {
  readonly OpenIDConnectProviderArn: string
}

export interface GetOpenIDConnectProviderResponse {
  readonly Url?: string | undefined
  readonly ClientIDList?: readonly string[] | undefined
  readonly ThumbprintList?: readonly string[] | undefined
  readonly CreateDate?: Date | undefined
  readonly Tags?: readonly Tag[] | undefined
}

export interface GetPolicyRequest {
  readonly PolicyArn: string
}

export interface GetPolicyResponse {
  readonly Policy?: Policy | undefined
}

export interface GetPolicyVersionRequest {
  readonly PolicyArn: string
  readonly VersionId: string
}

export interface GetPolicyVersionResponse {
  readonly PolicyVersion?: PolicyVersion | undefined
}

export interface GetRolePolicyRequest {
  readonly RoleName: string
  readonly PolicyName: string
}

export interface GetRolePolicyResponse {
  readonly RoleName: string
  readonly PolicyName: string
  readonly PolicyDocument: string
}

export interface GetRoleRequest {
  readonly RoleName: string
}

export interface GetRoleResponse {
  readonly Role: Role
}

export interface GetUserPolicyRequest {
  readonly UserName: string
  readonly PolicyName: string
}

export interface GetUserPolicyResponse {
  readonly UserName: string
  readonly PolicyName: string
  readonly PolicyDocument: string
}

export interface GetUserRequest {
  readonly UserName?: string | undefined
}

export interface GetUserResponse {
  readonly User: User
}

export interface Group {
  readonly Path: string
  readonly GroupName: string
  readonly GroupId: string
  readonly Arn: string
  readonly CreateDate: Date
}

export interface InstanceProfile {
  readonly Path: string
  readonly InstanceProfileName: string
  readonly InstanceProfileId: string
  readonly Arn: string
  readonly CreateDate: Date
  readonly Roles: readonly Role[]
  readonly Tags?: readonly Tag[] | undefined
}

export interface ListAccessKeysRequest {
  readonly UserName?: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListAccessKeysResponse {
  readonly AccessKeyMetadata: readonly AccessKeyMetadata[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListAccountAliasesRequest {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListAccountAliasesResponse {
  readonly AccountAliases: readonly string[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListAttachedGroupPoliciesRequest {
  readonly GroupName: string
  readonly PathPrefix?: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListAttachedGroupPoliciesResponse {
  readonly AttachedPolicies?: readonly AttachedPolicy[] | undefined
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListAttachedRolePoliciesRequest {
  readonly RoleName: string
  readonly PathPrefix?: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListAttachedRolePoliciesResponse {
  readonly AttachedPolicies?: readonly AttachedPolicy[] | undefined
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListAttachedUserPoliciesRequest {
  readonly UserName: string
  readonly PathPrefix?: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListAttachedUserPoliciesResponse {
  readonly AttachedPolicies?: readonly AttachedPolicy[] | undefined
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListEntitiesForPolicyRequest {
  readonly PolicyArn: string
  readonly EntityFilter?: EntityType | undefined
  readonly PathPrefix?: string | undefined
  readonly PolicyUsageFilter?: PolicyUsageType | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListEntitiesForPolicyResponse {
  readonly PolicyGroups?: readonly PolicyGroup[] | undefined
  readonly PolicyUsers?: readonly PolicyUser[] | undefined
  readonly PolicyRoles?: readonly PolicyRole[] | undefined
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListGroupPoliciesRequest {
  readonly GroupName: string
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListGroupPoliciesResponse {
  readonly PolicyNames: readonly string[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListGroupsForUserRequest {
  readonly UserName: string
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListGroupsForUserResponse {
  readonly Groups: readonly Group[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListGroupsRequest {
  readonly PathPrefix?: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListGroupsResponse {
  readonly Groups: readonly Group[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListInstanceProfilesForRoleRequest {
  readonly RoleName: string
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListInstanceProfilesForRoleResponse {
  readonly InstanceProfiles: readonly InstanceProfile[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListMFADevicesRequest {
  readonly UserName?: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListMFADevicesResponse {
  readonly MFADevices: readonly MFADevice[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListOpenIDConnectProviderTagsRequest {
  readonly OpenIDConnectProviderArn: string
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListOpenIDConnectProviderTagsResponse {
  readonly Tags: readonly Tag[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export type ListOpenIDConnectProvidersRequest = Readonly<Record<never, never>>

export interface ListOpenIDConnectProvidersResponse {
  readonly OpenIDConnectProviderList?: readonly OpenIDConnectProviderListEntry[] | undefined
}

export interface ListPoliciesRequest {
  readonly Scope?: policyScopeType | undefined
  readonly OnlyAttached?: boolean | undefined
  readonly PathPrefix?: string | undefined
  readonly PolicyUsageFilter?: PolicyUsageType | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListPoliciesResponse {
  readonly Policies?: readonly Policy[] | undefined
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListPolicyTagsRequest {
  readonly PolicyArn: string
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListPolicyTagsResponse {
  readonly Tags: readonly Tag[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListPolicyVersionsRequest {
  readonly PolicyArn: string
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListPolicyVersionsResponse {
  readonly Versions?: readonly PolicyVersion[] | undefined
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListRolePoliciesRequest {
  readonly RoleName: string
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListRolePoliciesResponse {
  readonly PolicyNames: readonly string[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListRoleTagsRequest {
  readonly RoleName: string
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListRoleTagsResponse {
  readonly Tags: readonly Tag[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListRolesRequest {
  readonly PathPrefix?: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListRolesResponse {
  readonly Roles: readonly Role[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListSSHPublicKeysRequest {
  readonly UserName?: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListSSHPublicKeysResponse {
  readonly SSHPublicKeys?: readonly SSHPublicKeyMetadata[] | undefined
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListServiceSpecificCredentialsRequest {
  readonly UserName?: string | undefined
  readonly ServiceName?: string | undefined
  readonly AllUsers?: boolean | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListServiceSpecificCredentialsResponse {
  readonly ServiceSpecificCredentials?: readonly ServiceSpecificCredentialMetadata[] | undefined
  readonly Marker?: string | undefined
  readonly IsTruncated?: boolean | undefined
}

export interface ListSigningCertificatesRequest {
  readonly UserName?: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListSigningCertificatesResponse {
  readonly Certificates: readonly SigningCertificate[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListUserPoliciesRequest {
  readonly UserName: string
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListUserPoliciesResponse {
  readonly PolicyNames: readonly string[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListUserTagsRequest {
  readonly UserName: string
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListUserTagsResponse {
  readonly Tags: readonly Tag[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListUsersRequest {
  readonly PathPrefix?: string | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListUsersResponse {
  readonly Users: readonly User[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface ListVirtualMFADevicesRequest {
  readonly AssignmentStatus?: assignmentStatusType | undefined
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

export interface ListVirtualMFADevicesResponse {
  readonly VirtualMFADevices: readonly VirtualMFADevice[]
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface LoginProfile {
  readonly UserName: string
  readonly CreateDate: Date
  readonly PasswordResetRequired?: boolean | undefined
}

export interface MFADevice {
  readonly UserName: string
  readonly SerialNumber: string
  readonly EnableDate: Date
}

export type Nothing = Readonly<Record<never, never>>

export interface OpenIDConnectProviderListEntry {
  readonly Arn?: string | undefined
}

export interface OrganizationsDecisionDetail {
  readonly AllowedByOrganizations?: boolean | undefined
}

export type PermissionsBoundaryAttachmentType = 'PermissionsBoundaryPolicy' | 'Policy'

export interface PermissionsBoundaryDecisionDetail {
  readonly AllowedByPermissionsBoundary?: boolean | undefined
}

export interface Policy {
  readonly PolicyName?: string | undefined
  readonly PolicyId?: string | undefined
  readonly Arn?: string | undefined
  readonly Path?: string | undefined
  readonly DefaultVersionId?: string | undefined
  readonly AttachmentCount?: number | undefined
  readonly PermissionsBoundaryUsageCount?: number | undefined
  readonly IsAttachable?: boolean | undefined
  readonly Description?: string | undefined
  readonly CreateDate?: Date | undefined
  readonly UpdateDate?: Date | undefined
  readonly Tags?: readonly Tag[] | undefined
}

export type PolicyEvaluationDecisionType = 'allowed' | 'explicitDeny' | 'implicitDeny'

export interface PolicyGroup {
  readonly GroupName?: string | undefined
  readonly GroupId?: string | undefined
}

export interface PolicyRole {
  readonly RoleName?: string | undefined
  readonly RoleId?: string | undefined
}

export type PolicySourceType =
  | 'user'
  | 'group'
  | 'role'
  | 'aws-managed'
  | 'user-managed'
  | 'resource'
  | 'none'
  | 'IAM Policy'

export type PolicyUsageType = 'PermissionsPolicy' | 'PermissionsBoundary'

export interface PolicyUser {
  readonly UserName?: string | undefined
  readonly UserId?: string | undefined
}

export interface PolicyVersion {
  readonly Document?: string | undefined
  readonly VersionId?: string | undefined
  readonly IsDefaultVersion?: boolean | undefined
  readonly CreateDate?: Date | undefined
}

export interface Position {
  readonly Line?: number | undefined
  readonly Column?: number | undefined
}

export interface PutGroupPolicyRequest {
  readonly GroupName: string
  readonly PolicyName: string
  readonly PolicyDocument: string
}

export interface PutRolePermissionsBoundaryRequest {
  readonly RoleName: string
  readonly PermissionsBoundary: string
}

export interface PutRolePolicyRequest {
  readonly RoleName: string
  readonly PolicyName: string
  readonly PolicyDocument: string
}

export interface PutUserPermissionsBoundaryRequest {
  readonly UserName: string
  readonly PermissionsBoundary: string
}

export interface PutUserPolicyRequest {
  readonly UserName: string
  readonly PolicyName: string
  readonly PolicyDocument: string
}

export interface RemoveClientIDFromOpenIDConnectProviderRequest {
  readonly OpenIDConnectProviderArn: string
  readonly ClientID: string
}

export interface RemoveUserFromGroupRequest {
  readonly GroupName: string
  readonly UserName: string
}

export interface ResourceSpecificResult {
  readonly EvalResourceName: string
  readonly EvalResourceDecision: PolicyEvaluationDecisionType
  readonly MatchedStatements?: readonly Statement[] | undefined
  readonly MissingContextValues?: readonly string[] | undefined
  readonly EvalDecisionDetails?: { readonly [Key in string]?: PolicyEvaluationDecisionType } | undefined
  readonly PermissionsBoundaryDecisionDetail?: PermissionsBoundaryDecisionDetail | undefined
}

export interface Role {
  readonly Path: string
  readonly RoleName: string
  readonly RoleId: string
  readonly Arn: string
  readonly CreateDate: Date
  readonly AssumeRolePolicyDocument?: string | undefined
  readonly Description?: string | undefined
  readonly MaxSessionDuration?: number | undefined
  readonly PermissionsBoundary?: AttachedPermissionsBoundary | undefined
  readonly Tags?: readonly Tag[] | undefined
  readonly RoleLastUsed?: RoleLastUsed | undefined
}

export interface RoleLastUsed {
  readonly LastUsedDate?: Date | undefined
  readonly Region?: string | undefined
}

export interface SSHPublicKeyMetadata {
  readonly UserName: string
  readonly SSHPublicKeyId: string
  readonly Status: statusType
  readonly UploadDate: Date
}

export interface ServiceSpecificCredentialMetadata {
  readonly UserName: string
  readonly Status: statusType
  readonly ServiceUserName?: string | undefined
  readonly ServiceCredentialAlias?: string | undefined
  readonly CreateDate: Date
  readonly ExpirationDate?: Date | undefined
  readonly ServiceSpecificCredentialId: string
  readonly ServiceName: string
}

export interface SetDefaultPolicyVersionRequest {
  readonly PolicyArn: string
  readonly VersionId: string
}

export interface SigningCertificate {
  readonly UserName: string
  readonly CertificateId: string
  readonly CertificateBody: string
  readonly Status: statusType
  readonly UploadDate?: Date | undefined
}

export interface SimulatePolicyResponse {
  readonly EvaluationResults?: readonly EvaluationResult[] | undefined
  readonly IsTruncated?: boolean | undefined
  readonly Marker?: string | undefined
}

export interface SimulatePrincipalPolicyRequest {
  readonly PolicySourceArn: string
  readonly PolicyInputList?: readonly string[] | undefined
  readonly PermissionsBoundaryPolicyInputList?: readonly string[] | undefined
  readonly ActionNames: readonly string[]
  readonly ResourceArns?: readonly string[] | undefined
  readonly ResourcePolicy?: string | undefined
  readonly ResourceOwner?: string | undefined
  readonly CallerArn?: string | undefined
  readonly ContextEntries?: readonly ContextEntry[] | undefined
  readonly ResourceHandlingOption?: string | undefined
  readonly MaxItems?: number | undefined
  readonly Marker?: string | undefined
}

export interface Statement {
  readonly SourcePolicyId?: string | undefined
  readonly SourcePolicyType?: PolicySourceType | undefined
  readonly StartPosition?: Position | undefined
  readonly EndPosition?: Position | undefined
}

export interface Tag {
  readonly Key: string
  readonly Value: string
}

export interface TagOpenIDConnectProviderRequest {
  readonly OpenIDConnectProviderArn: string
  readonly Tags: readonly Tag[]
}

export interface TagPolicyRequest {
  readonly PolicyArn: string
  readonly Tags: readonly Tag[]
}

export interface TagRoleRequest {
  readonly RoleName: string
  readonly Tags: readonly Tag[]
}

export interface TagUserRequest {
  readonly UserName: string
  readonly Tags: readonly Tag[]
}

export interface UntagOpenIDConnectProviderRequest {
  readonly OpenIDConnectProviderArn: string
  readonly TagKeys: readonly string[]
}

export interface UntagPolicyRequest {
  readonly PolicyArn: string
  readonly TagKeys: readonly string[]
}

export interface UntagRoleRequest {
  readonly RoleName: string
  readonly TagKeys: readonly string[]
}

export interface UntagUserRequest {
  readonly UserName: string
  readonly TagKeys: readonly string[]
}

export interface UpdateAccessKeyRequest {
  readonly UserName?: string | undefined
  readonly AccessKeyId: string
  readonly Status: statusType
}

export interface UpdateAssumeRolePolicyRequest {
  readonly RoleName: string
  readonly PolicyDocument: string
}

export interface UpdateGroupRequest {
  readonly GroupName: string
  readonly NewPath?: string | undefined
  readonly NewGroupName?: string | undefined
}

export interface UpdateOpenIDConnectProviderThumbprintRequest {
  readonly OpenIDConnectProviderArn: string
  readonly ThumbprintList: readonly string[]
}

export interface UpdateRoleDescriptionRequest {
  readonly RoleName: string
  readonly Description: string
}

export interface UpdateRoleDescriptionResponse {
  readonly Role?: Role | undefined
}

export interface UpdateRoleRequest {
  readonly RoleName: string
  readonly Description?: string | undefined
  readonly MaxSessionDuration?: number | undefined
}

export type UpdateRoleResponse = Readonly<Record<never, never>>

export interface UpdateUserRequest {
  readonly UserName: string
  readonly NewPath?: string | undefined
  readonly NewUserName?: string | undefined
}

export interface User {
  readonly Path: string
  readonly UserName: string
  readonly UserId: string
  readonly Arn: string
  readonly CreateDate: Date
  readonly PasswordLastUsed?: Date | undefined
  readonly PermissionsBoundary?: AttachedPermissionsBoundary | undefined
  readonly Tags?: readonly Tag[] | undefined
}

export interface VirtualMFADevice {
  readonly SerialNumber: string
  readonly Base32StringSeed?: Uint8Array | undefined
  readonly QRCodePNG?: Uint8Array | undefined
  readonly User?: User | undefined
  readonly EnableDate?: Date | undefined
  readonly Tags?: readonly Tag[] | undefined
}

export type assignmentStatusType = 'Assigned' | 'Unassigned' | 'Any'

export type policyScopeType = 'All' | 'AWS' | 'Local'

export type statusType = 'Active' | 'Inactive' | 'Expired'

export type summaryKeyType =
  | 'Users'
  | 'UsersQuota'
  | 'Groups'
  | 'GroupsQuota'
  | 'ServerCertificates'
  | 'ServerCertificatesQuota'
  | 'UserPolicySizeQuota'
  | 'GroupPolicySizeQuota'
  | 'GroupsPerUserQuota'
  | 'SigningCertificatesPerUserQuota'
  | 'AccessKeysPerUserQuota'
  | 'MFADevices'
  | 'MFADevicesInUse'
  | 'AccountMFAEnabled'
  | 'AccountAccessKeysPresent'
  | 'AccountPasswordPresent'
  | 'AccountSigningCertificatesPresent'
  | 'AttachedPoliciesPerGroupQuota'
  | 'AttachedPoliciesPerRoleQuota'
  | 'AttachedPoliciesPerUserQuota'
  | 'Policies'
  | 'PoliciesQuota'
  | 'PolicySizeQuota'
  | 'PolicyVersionsInUse'
  | 'PolicyVersionsInUseQuota'
  | 'VersionsPerPolicyQuota'
  | 'GlobalEndpointTokenVersion'
  | 'AssumeRolePolicySizeQuota'
  | 'InstanceProfiles'
  | 'InstanceProfilesQuota'
  | 'Providers'
  | 'RolePolicySizeQuota'
  | 'Roles'
  | 'RolesQuota'
