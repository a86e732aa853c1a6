/** The operations of other services than ECR that are served, to which their models are trimmed. */
export const servedOperations: Readonly<Record<string, readonly string[]>> = {
  iam: [
    // Users and their credentials.
    ...['CreateUser', 'GetUser', 'ListUsers', 'UpdateUser', 'DeleteUser', 'TagUser', 'UntagUser', 'ListUserTags'],
    ...['CreateAccessKey', 'ListAccessKeys', 'UpdateAccessKey', 'DeleteAccessKey', 'GetAccessKeyLastUsed'],
    ...['GetLoginProfile', 'DeleteLoginProfile', 'ListMFADevices', 'ListVirtualMFADevices', 'ListSigningCertificates'],
    ...['ListSSHPublicKeys', 'ListServiceSpecificCredentials', 'PutUserPermissionsBoundary'],
    ...['DeleteUserPermissionsBoundary', 'PutUserPolicy', 'GetUserPolicy', 'ListUserPolicies', 'DeleteUserPolicy'],
    ...['AttachUserPolicy', 'DetachUserPolicy', 'ListAttachedUserPolicies', 'ListGroupsForUser'],
    // Groups.
    ...['CreateGroup', 'GetGroup', 'ListGroups', 'UpdateGroup', 'DeleteGroup', 'AddUserToGroup', 'RemoveUserFromGroup'],
    ...['PutGroupPolicy', 'GetGroupPolicy', 'ListGroupPolicies', 'DeleteGroupPolicy'],
    ...['AttachGroupPolicy', 'DetachGroupPolicy', 'ListAttachedGroupPolicies'],
    // Roles.
    ...['CreateRole', 'GetRole', 'ListRoles', 'UpdateRole', 'UpdateRoleDescription', 'UpdateAssumeRolePolicy'],
    ...['DeleteRole', 'TagRole', 'UntagRole', 'ListRoleTags', 'ListInstanceProfilesForRole'],
    ...['PutRolePolicy', 'GetRolePolicy', 'ListRolePolicies', 'DeleteRolePolicy'],
    ...['AttachRolePolicy', 'DetachRolePolicy', 'ListAttachedRolePolicies'],
    ...['PutRolePermissionsBoundary', 'DeleteRolePermissionsBoundary'],
    // Managed policies.
    ...['CreatePolicy', 'GetPolicy', 'ListPolicies', 'DeletePolicy', 'ListEntitiesForPolicy'],
    ...['CreatePolicyVersion', 'GetPolicyVersion', 'ListPolicyVersions', 'DeletePolicyVersion'],
    ...['SetDefaultPolicyVersion', 'TagPolicy', 'UntagPolicy', 'ListPolicyTags', 'SimulatePrincipalPolicy'],
    // OpenID Connect.
    ...['CreateOpenIDConnectProvider', 'GetOpenIDConnectProvider', 'ListOpenIDConnectProviders'],
    ...['UpdateOpenIDConnectProviderThumbprint', 'AddClientIDToOpenIDConnectProvider'],
    ...['RemoveClientIDFromOpenIDConnectProvider', 'DeleteOpenIDConnectProvider', 'TagOpenIDConnectProvider'],
    ...['UntagOpenIDConnectProvider', 'ListOpenIDConnectProviderTags'],
    // The account.
    ...['GetAccountSummary', 'ListAccountAliases'],
  ],
  cloudtrail: ['LookupEvents'],
  secretsmanager: [
    ...['CreateSecret', 'DescribeSecret', 'GetSecretValue', 'PutSecretValue', 'UpdateSecret', 'ListSecrets'],
    ...['ListSecretVersionIds', 'UpdateSecretVersionStage', 'GetResourcePolicy', 'DeleteSecret', 'RestoreSecret'],
    ...['TagResource', 'UntagResource'],
  ],
  sts: ['GetCallerIdentity', 'AssumeRole', 'AssumeRoleWithWebIdentity', 'GetSessionToken', 'GetAccessKeyInfo'],
}
