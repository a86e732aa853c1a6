// Generated from model.json by 'npm run generate'. Do not edit.
import type { QueryModel } from '#aws/api-model.ts'
import json from './model.json' with { type: 'json' }

/** The API model as data, for validation and serialization. */
// The type inferred from JSON widens every literal; 'npm run generate' reads this file as the same type.
export const model = json as unknown as QueryModel

/** Every operation of the API, by name. */
export interface Operations {
  AssumeRole: {
    readonly input: AssumeRoleRequest
    readonly output: AssumeRoleResponse
    readonly errors:
      | 'MalformedPolicyDocument'
      | 'PackedPolicyTooLarge'
      | 'RegionDisabledException'
      | 'ExpiredTokenException'
      | 'InvalidParameterValue'
  }
  AssumeRoleWithWebIdentity: {
    readonly input: AssumeRoleWithWebIdentityRequest
    readonly output: AssumeRoleWithWebIdentityResponse
    readonly errors:
      | 'MalformedPolicyDocument'
      | 'PackedPolicyTooLarge'
      | 'IDPRejectedClaim'
      | 'IDPCommunicationError'
      | 'InvalidIdentityToken'
      | 'ExpiredTokenException'
      | 'RegionDisabledException'
  }
  GetAccessKeyInfo: {
    readonly input: GetAccessKeyInfoRequest
    readonly output: GetAccessKeyInfoResponse
    readonly errors: never
  }
  GetCallerIdentity: {
    readonly input: GetCallerIdentityRequest
    readonly output: GetCallerIdentityResponse
    readonly errors: never
  }
  GetSessionToken: {
    readonly input: GetSessionTokenRequest
    readonly output: GetSessionTokenResponse
    readonly errors: 'RegionDisabledException'
  }
}

/** Every exception that some operation lists. */
export type ErrorName = Operations[keyof Operations]['errors']

export interface AssumeRoleRequest {
  readonly RoleArn: string
  readonly RoleSessionName: string
  readonly PolicyArns?: readonly PolicyDescriptorType[] | undefined
  readonly Policy?: string | undefined
  readonly DurationSeconds?: number | undefined
  readonly Tags?: readonly Tag[] | undefined
  readonly TransitiveTagKeys?: readonly string[] | undefined
  readonly ExternalId?: string | undefined
  readonly SerialNumber?: string | undefined
  readonly TokenCode?: string | undefined
  readonly SourceIdentity?: string | undefined
  readonly ProvidedContexts?: readonly ProvidedContext[] | undefined
}

export interface AssumeRoleResponse {
  readonly Credentials?: Credentials | undefined
  readonly AssumedRoleUser?: AssumedRoleUser | undefined
  readonly PackedPolicySize?: number | undefined
  readonly SourceIdentity?: string | undefined
}

export interface AssumeRoleWithWebIdentityRequest {
  readonly RoleArn: string
  readonly RoleSessionName: string
  readonly WebIdentityToken: string
  readonly ProviderId?: string | undefined
  readonly PolicyArns?: readonly PolicyDescriptorType[] | undefined
  readonly Policy?: string | undefined
  readonly DurationSeconds?: number | undefined
}

export interface AssumeRoleWithWebIdentityResponse {
  readonly Credentials?: Credentials | undefined
  readonly SubjectFromWebIdentityToken?: string | undefined
  readonly AssumedRoleUser?: AssumedRoleUser | undefined
  readonly PackedPolicySize?: number | undefined
  readonly Provider?: string | undefined
  readonly Audience?: string | undefined
  readonly SourceIdentity?: string | undefined
}

export interface AssumedRoleUser {
  readonly AssumedRoleId: string
  readonly Arn: string
}

export interface Credentials {
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly SessionToken: string
  readonly Expiration: Date
}

export interface GetAccessKeyInfoRequest {
  readonly AccessKeyId: string
}

export interface GetAccessKeyInfoResponse {
  readonly Account?: string | undefined
}

export type GetCallerIdentityRequest = Readonly<Record<never, never>>

export interface GetCallerIdentityResponse {
  readonly UserId?: string | undefined
  readonly Account?: string | undefined
  readonly Arn?: string | undefined
}

export interface GetSessionTokenRequest {
  readonly DurationSeconds?: number | undefined
  readonly SerialNumber?: string | undefined
  readonly TokenCode?: string | undefined
}

export interface GetSessionTokenResponse {
  readonly Credentials?: Credentials | undefined
}

export interface PolicyDescriptorType {
  readonly arn?: string | undefined
}

export interface ProvidedContext {
  readonly ProviderArn?: string | undefined
  readonly ContextAssertion?: string | undefined
}

export interface Tag {
  readonly Key: string
  readonly Value: string
}
