// Generated from model.json by 'npm run generate'. Do not edit.
import type { JsonModel } from '#aws/api-model.ts'
import type { AccountId } from '#names/account.ts'
import type { RepositoryName } from '#names/repository-name.ts'
import json from './model.json' with { type: 'json' }

/** The API model as data, for validation and serialization. */
// The type inferred from JSON widens every literal; 'npm run generate' reads this file as the same type.
export const model = json as unknown as JsonModel

/** Every operation of the API, by name. */
export interface Operations {
  Explain: {
    readonly input: ExplainRequest
    readonly output: ExplainResponse
    readonly errors: 'PrincipalNotFoundException' | 'NotYoursException' | 'ContextTooLongException'
  }
  ExplainRequest: {
    readonly input: ExplainRequestRequest
    readonly output: ExplainRequestResponse
    readonly errors: 'RequestNotFoundException'
  }
  PreviewLifecycle: {
    readonly input: PreviewLifecycleRequest
    readonly output: PreviewLifecycleResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'LifecyclePolicyNotFoundException'
      | 'LifecyclePreviewNotFoundException'
      | 'RepositoryNotFoundException'
  }
}

/** Every exception that some operation lists. */
export type ErrorName = Operations[keyof Operations]['errors']

export interface ConditionKey {
  readonly key: string
  readonly values?: readonly string[] | undefined
}

export interface DeniedRequest {
  readonly principal: string
  readonly accessKeyId: string
  readonly action: string
  readonly resource: string
  readonly message: string
  readonly sourceIp: string
  readonly userAgent?: string | undefined
  readonly at: Date
}

export type Effect = 'Allow' | 'Deny'

export interface ExplainRequest {
  readonly principal: string
  readonly action: string
  readonly resource: string
  readonly context?: readonly ConditionKey[] | undefined
}

export interface ExplainRequestRequest {
  readonly requestId: string
}

export interface ExplainRequestResponse {
  readonly requestId: string
  readonly denied: DeniedRequest
  readonly now?: Explanation | undefined
}

export interface ExplainResponse {
  readonly explanation: Explanation
}

export interface Explanation {
  readonly principal: string
  readonly action: string
  readonly resource: string
  readonly allowed: boolean
  readonly reason: string
  readonly statements: readonly Statement[]
}

export type GoesUnder = 'DRAFT' | 'IN_FORCE' | 'BOTH'

export interface LifecyclePreviewDifference {
  readonly draftCount: number
  readonly inForceCount: number
  readonly bothCount: number
}

export interface LifecyclePreviewImage {
  readonly imageDigest: string
  readonly imageTags: readonly string[]
  readonly imageSizeInBytes: number
  readonly imagePushedAt: Date
  readonly lastRecordedPullTime?: Date | undefined
  readonly verdict: LifecycleVerdict
  readonly rulePriority?: number | undefined
  readonly ruleDescription?: string | undefined
  readonly reason: string
  readonly subjectDigest?: string | undefined
  readonly indexDigests?: readonly string[] | undefined
  readonly goesUnder?: GoesUnder | undefined
}

export interface LifecyclePreviewSummary {
  readonly draft: boolean
  readonly evaluatedAt: Date
  readonly imageCount: number
  readonly expireCount: number
  readonly archiveCount: number
  readonly blockedCount: number
  readonly keepCount: number
  readonly expiringSizeInBytes: number
  readonly freedSizeInBytes: number
  readonly recycleBinDays: number
  readonly difference?: LifecyclePreviewDifference | undefined
}

export type LifecycleVerdict = 'EXPIRE' | 'ARCHIVE' | 'BLOCKED' | 'KEEP'

export type Outcome = 'APPLIES' | 'CONDITIONS_NOT_MET' | 'OTHER_PRINCIPALS'

export interface PreviewLifecycleRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly lifecyclePolicyText?: string | undefined
  readonly verdicts?: readonly LifecycleVerdict[] | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface PreviewLifecycleResponse {
  readonly registryId: string
  readonly repositoryName: string
  readonly lifecyclePolicyText: string
  readonly summary: LifecyclePreviewSummary
  readonly images: readonly LifecyclePreviewImage[]
  readonly nextToken?: string | undefined
}

export interface Statement {
  readonly policyType: string
  readonly policy: string
  readonly index: number
  readonly sid?: string | undefined
  readonly effect: Effect
  readonly text?: string | undefined
  readonly outcome: Outcome
  readonly decisive: boolean
  readonly conditionKeys: readonly ConditionKey[]
}
