/**
 * The members of API models that hold a secret and that the models themselves do not call `sensitive`, as
 * `<structure>.<member>`. This is the one list: whatever shows an input or an output leaves them out, and so do errors.
 */
export const secretMembers: ReadonlySet<string> = new Set([
  // ECR: whoever has one of these is logged in, or reads a layer.
  'AuthorizationData.authorizationToken',
  'GetDownloadUrlForLayerResponse.downloadUrl',
  // STS and IAM.
  'Credentials.SecretAccessKey',
  'Credentials.SessionToken',
  'AccessKey.SecretAccessKey',
  'AssumeRoleWithWebIdentityRequest.WebIdentityToken',
  'AssumeRoleRequest.TokenCode',
  'GetSessionTokenRequest.TokenCode',
])
