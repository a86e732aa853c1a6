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
  CreateWebhook: {
    readonly input: CreateWebhookRequest
    readonly output: CreateWebhookResponse
    readonly errors:
      | 'InvalidEventPatternException'
      | 'InvalidParameterException'
      | 'LimitExceededException'
      | 'WebhookAlreadyExistsException'
  }
  DeleteInUseReport: {
    readonly input: DeleteInUseReportRequest
    readonly output: DeleteInUseReportResponse
    readonly errors: 'InvalidParameterException' | 'InUseReportNotFoundException'
  }
  DeleteWebhook: {
    readonly input: DeleteWebhookRequest
    readonly output: DeleteWebhookResponse
    readonly errors: 'WebhookNotFoundException'
  }
  DescribeImageOrigin: {
    readonly input: DescribeImageOriginRequest
    readonly output: DescribeImageOriginResponse
    readonly errors: 'ImageNotFoundException' | 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  DescribePullThroughCache: {
    readonly input: DescribePullThroughCacheRequest
    readonly output: DescribePullThroughCacheResponse
    readonly errors: 'InvalidParameterException' | 'PullThroughCacheRuleNotFoundException'
  }
  DescribeReplication: {
    readonly input: DescribeReplicationRequest
    readonly output: DescribeReplicationResponse
    readonly errors: never
  }
  DescribeReplicationRun: {
    readonly input: DescribeReplicationRunRequest
    readonly output: DescribeReplicationRunResponse
    readonly errors: 'ReplicationRunNotFoundException'
  }
  DescribeWebhook: {
    readonly input: DescribeWebhookRequest
    readonly output: DescribeWebhookResponse
    readonly errors: 'WebhookNotFoundException'
  }
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
  GetRepositoryRetention: {
    readonly input: GetRepositoryRetentionRequest
    readonly output: GetRepositoryRetentionResponse
    readonly errors: 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  GetRetentionSettings: {
    readonly input: GetRetentionSettingsRequest
    readonly output: GetRetentionSettingsResponse
    readonly errors: never
  }
  GetTagAt: {
    readonly input: GetTagAtRequest
    readonly output: GetTagAtResponse
    readonly errors: 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  ListDeletedImages: {
    readonly input: ListDeletedImagesRequest
    readonly output: ListDeletedImagesResponse
    readonly errors: 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  ListDeletedRepositories: {
    readonly input: ListDeletedRepositoriesRequest
    readonly output: ListDeletedRepositoriesResponse
    readonly errors: 'InvalidParameterException'
  }
  ListEvents: {
    readonly input: ListEventsRequest
    readonly output: ListEventsResponse
    readonly errors: 'InvalidParameterException'
  }
  ListImagesInUse: {
    readonly input: ListImagesInUseRequest
    readonly output: ListImagesInUseResponse
    readonly errors: 'InvalidParameterException'
  }
  ListInUseReports: {
    readonly input: ListInUseReportsRequest
    readonly output: ListInUseReportsResponse
    readonly errors: 'InvalidParameterException'
  }
  ListReplicationFindings: {
    readonly input: ListReplicationFindingsRequest
    readonly output: ListReplicationFindingsResponse
    readonly errors: 'InvalidParameterException' | 'ReplicationRunNotFoundException'
  }
  ListReplicationImages: {
    readonly input: ListReplicationImagesRequest
    readonly output: ListReplicationImagesResponse
    readonly errors: 'InvalidParameterException'
  }
  ListReplicationRuns: {
    readonly input: ListReplicationRunsRequest
    readonly output: ListReplicationRunsResponse
    readonly errors: 'InvalidParameterException'
  }
  ListTagMoves: {
    readonly input: ListTagMovesRequest
    readonly output: ListTagMovesResponse
    readonly errors: 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  ListWebhookDeliveries: {
    readonly input: ListWebhookDeliveriesRequest
    readonly output: ListWebhookDeliveriesResponse
    readonly errors: 'InvalidParameterException' | 'WebhookNotFoundException'
  }
  ListWebhooks: {
    readonly input: ListWebhooksRequest
    readonly output: ListWebhooksResponse
    readonly errors: 'InvalidParameterException'
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
  PurgeDeletedImages: {
    readonly input: PurgeDeletedImagesRequest
    readonly output: PurgeDeletedImagesResponse
    readonly errors: 'DeletedImageNotFoundException' | 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  PutPullThroughCacheSettings: {
    readonly input: PutPullThroughCacheSettingsRequest
    readonly output: PutPullThroughCacheSettingsResponse
    readonly errors: 'InvalidParameterException' | 'PullThroughCacheRuleNotFoundException'
  }
  PutRepositoryRetention: {
    readonly input: PutRepositoryRetentionRequest
    readonly output: PutRepositoryRetentionResponse
    readonly errors: 'InvalidParameterException' | 'RepositoryNotFoundException'
  }
  PutRetentionSettings: {
    readonly input: PutRetentionSettingsRequest
    readonly output: PutRetentionSettingsResponse
    readonly errors: 'InvalidParameterException'
  }
  RedeliverWebhookEvents: {
    readonly input: RedeliverWebhookEventsRequest
    readonly output: RedeliverWebhookEventsResponse
    readonly errors: 'InvalidParameterException' | 'WebhookDeliveryNotFoundException' | 'WebhookNotFoundException'
  }
  RefreshPullThroughCache: {
    readonly input: RefreshPullThroughCacheRequest
    readonly output: RefreshPullThroughCacheResponse
    readonly errors:
      | 'ImageNotFoundException'
      | 'InvalidParameterException'
      | 'PullThroughCacheRuleNotFoundException'
      | 'RepositoryNotFoundException'
  }
  ReportImagesInUse: {
    readonly input: ReportImagesInUseRequest
    readonly output: ReportImagesInUseResponse
    readonly errors: 'InvalidParameterException' | 'LimitExceededException'
  }
  RestoreDeletedImage: {
    readonly input: RestoreDeletedImageRequest
    readonly output: RestoreDeletedImageResponse
    readonly errors:
      | 'DeletedImageNotFoundException'
      | 'InvalidParameterException'
      | 'LayersNotFoundException'
      | 'LimitExceededException'
      | 'ReferencedImagesNotFoundException'
      | 'RepositoryNotFoundException'
  }
  RestoreDeletedRepository: {
    readonly input: RestoreDeletedRepositoryRequest
    readonly output: RestoreDeletedRepositoryResponse
    readonly errors:
      | 'DeletedRepositoryNotFoundException'
      | 'InvalidParameterException'
      | 'LimitExceededException'
      | 'RepositoryAlreadyExistsException'
  }
  RetryReplication: {
    readonly input: RetryReplicationRequest
    readonly output: RetryReplicationResponse
    readonly errors: 'InvalidParameterException' | 'ReplicationDestinationNotFoundException'
  }
  RollbackTag: {
    readonly input: RollbackTagRequest
    readonly output: RollbackTagResponse
    readonly errors:
      | 'ImageTagAlreadyExistsException'
      | 'ImageUnavailableException'
      | 'InvalidParameterException'
      | 'LimitExceededException'
      | 'RepositoryNotFoundException'
      | 'TagHistoryNotFoundException'
  }
  RotateWebhookSecret: {
    readonly input: RotateWebhookSecretRequest
    readonly output: RotateWebhookSecretResponse
    readonly errors: 'WebhookNotFoundException'
  }
  StartReplicationSync: {
    readonly input: StartReplicationSyncRequest
    readonly output: StartReplicationSyncResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'ReplicationDestinationNotFoundException'
      | 'ReplicationRulesNotFoundException'
      | 'ReplicationRunInProgressException'
  }
  StartReplicationVerification: {
    readonly input: StartReplicationVerificationRequest
    readonly output: StartReplicationVerificationResponse
    readonly errors:
      | 'InvalidParameterException'
      | 'ReplicationDestinationNotFoundException'
      | 'ReplicationRulesNotFoundException'
      | 'ReplicationRunInProgressException'
  }
  TestEventPattern: {
    readonly input: TestEventPatternRequest
    readonly output: TestEventPatternResponse
    readonly errors: 'InvalidEventPatternException' | 'InvalidParameterException'
  }
  TestWebhook: {
    readonly input: TestWebhookRequest
    readonly output: TestWebhookResponse
    readonly errors: 'WebhookNotFoundException'
  }
  UpdateReplicationRun: {
    readonly input: UpdateReplicationRunRequest
    readonly output: UpdateReplicationRunResponse
    readonly errors: 'ReplicationRunFinishedException' | 'ReplicationRunNotFoundException'
  }
  UpdateWebhook: {
    readonly input: UpdateWebhookRequest
    readonly output: UpdateWebhookResponse
    readonly errors: 'InvalidEventPatternException' | 'InvalidParameterException' | 'WebhookNotFoundException'
  }
}

/** Every exception that some operation lists. */
export type ErrorName = Operations[keyof Operations]['errors']

export interface ConditionKey {
  readonly key: string
  readonly values?: readonly string[] | undefined
}

export interface CreateWebhookRequest {
  readonly registryId?: AccountId | undefined
  readonly name: string
  readonly url: string
  readonly eventPattern?: string | undefined
  readonly description?: string | undefined
  readonly enabled?: boolean | undefined
}

export interface CreateWebhookResponse {
  readonly registryId: string
  readonly webhook: Webhook
  readonly secret: string
}

export interface DeleteInUseReportRequest {
  readonly registryId?: AccountId | undefined
  readonly cluster: string
}

export interface DeleteInUseReportResponse {
  readonly registryId: string
  readonly cluster: string
}

export interface DeleteWebhookRequest {
  readonly registryId?: AccountId | undefined
  readonly name: string
}

export interface DeleteWebhookResponse {
  readonly registryId: string
  readonly name: string
}

export interface DeletedImage {
  readonly imageDigest: string
  readonly imageTags: readonly string[]
  readonly imageSizeInBytes: number
  readonly imageManifestMediaType: string
  readonly artifactMediaType?: string | undefined
  readonly subjectDigest?: string | undefined
  readonly imagePushedAt: Date
  readonly deletedAt: Date
  readonly deletedBy?: string | undefined
  readonly cause: DeletionCause
  readonly purgeAt: Date
}

export interface DeletedRepository {
  readonly deletedRepositoryId: string
  readonly repositoryName: string
  readonly deletedAt: Date
  readonly deletedBy: string
  readonly purgeAt: Date
}

export type DeletionCause = 'DELETE' | 'LIFECYCLE' | 'SUBJECT'

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

export interface DescribeImageOriginRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageDigest?: string | undefined
  readonly imageTag?: string | undefined
}

export interface DescribeImageOriginResponse {
  readonly registryId: string
  readonly repositoryName: string
  readonly imageDigest: string
  readonly imageTags: readonly string[]
  readonly origin: Origin
  readonly pushedAt?: Date | undefined
  readonly sourceRegistryId?: string | undefined
  readonly sourceRegion?: string | undefined
  readonly replicatedAt?: Date | undefined
  readonly upstreamRegistryUrl?: string | undefined
  readonly upstreamRepositoryName?: string | undefined
  readonly fetchedAt?: Date | undefined
  readonly lastCheckedAt?: Date | undefined
}

export interface DescribePullThroughCacheRequest {
  readonly registryId?: AccountId | undefined
  readonly ecrRepositoryPrefix?: string | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface DescribePullThroughCacheResponse {
  readonly registryId: string
  readonly caches: readonly PullThroughCache[]
  readonly nextToken?: string | undefined
}

export interface DescribeReplicationRequest {
  readonly registryId?: AccountId | undefined
}

export interface DescribeReplicationResponse {
  readonly registryId: string
  readonly destinations: readonly ReplicationStatus[]
}

export interface DescribeReplicationRunRequest {
  readonly registryId?: AccountId | undefined
  readonly runId: string
}

export interface DescribeReplicationRunResponse {
  readonly registryId: string
  readonly run: ReplicationRun
}

export interface DescribeWebhookRequest {
  readonly registryId?: AccountId | undefined
  readonly name: string
}

export interface DescribeWebhookResponse {
  readonly registryId: string
  readonly webhook: Webhook
}

export type Effect = 'Allow' | 'Deny'

export type EventPosition = 'OLDEST' | 'LATEST'

export interface EventRecord {
  readonly eventId: string
  readonly eventTime: Date
  readonly source: string
  readonly detailType: string
  readonly event: string
}

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

export interface GetRepositoryRetentionRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
}

export interface GetRepositoryRetentionResponse {
  readonly registryId: string
  readonly repositoryName: string
  readonly keepInUse: KeepInUse
  readonly keepsInUse: boolean
}

export interface GetRetentionSettingsRequest {
  readonly registryId?: AccountId | undefined
}

export interface GetRetentionSettingsResponse {
  readonly registryId: string
  readonly recycleBinDays: number
  readonly keepInUse: boolean
}

export interface GetTagAtRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageTag: string
  readonly at?: Date | undefined
}

export interface GetTagAtResponse {
  readonly registryId: string
  readonly repositoryName: string
  readonly imageTag: string
  readonly at: Date
  readonly imageDigest?: string | undefined
  readonly imageState?: PastImageState | undefined
  readonly lastMove?: TagMove | undefined
}

export type GoesUnder = 'DRAFT' | 'IN_FORCE' | 'BOTH'

export interface ImageInUse {
  readonly repositoryName: string
  readonly imageDigest: string
  readonly cluster: string
  readonly expiresAt: Date
}

export interface ImportCounts {
  readonly waiting: number
  readonly running: number
  readonly failed: number
}

export interface InUseReport {
  readonly cluster: string
  readonly reportedAt: Date
  readonly reportedBy: string
  readonly expiresAt: Date
  readonly imageCount: number
}

export type KeepInUse = 'ENABLED' | 'DISABLED' | 'INHERITED'

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
  readonly inUseBy?: readonly LifecyclePreviewUse[] | undefined
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

export interface LifecyclePreviewUse {
  readonly cluster: string
  readonly until: Date
}

export type LifecycleVerdict = 'EXPIRE' | 'ARCHIVE' | 'BLOCKED' | 'KEEP'

export interface ListDeletedImagesRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListDeletedImagesResponse {
  readonly registryId: string
  readonly repositoryName: string
  readonly images: readonly DeletedImage[]
  readonly nextToken?: string | undefined
}

export interface ListDeletedRepositoriesRequest {
  readonly registryId?: AccountId | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListDeletedRepositoriesResponse {
  readonly registryId: string
  readonly repositories: readonly DeletedRepository[]
  readonly nextToken?: string | undefined
}

export interface ListEventsRequest {
  readonly registryId?: AccountId | undefined
  readonly startingPosition?: EventPosition | undefined
  readonly startTime?: Date | undefined
  readonly detailType?: string | undefined
  readonly repositoryName?: RepositoryName | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListEventsResponse {
  readonly registryId: string
  readonly events: readonly EventRecord[]
  readonly nextToken?: string | undefined
  readonly followToken: string
}

export interface ListImagesInUseRequest {
  readonly registryId?: AccountId | undefined
  readonly cluster?: string | undefined
  readonly repositoryName?: RepositoryName | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListImagesInUseResponse {
  readonly registryId: string
  readonly images: readonly ImageInUse[]
  readonly nextToken?: string | undefined
}

export interface ListInUseReportsRequest {
  readonly registryId?: AccountId | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListInUseReportsResponse {
  readonly registryId: string
  readonly reports: readonly InUseReport[]
  readonly nextToken?: string | undefined
}

export interface ListReplicationFindingsRequest {
  readonly registryId?: AccountId | undefined
  readonly runId: string
  readonly kind?: ReplicationFindingKind | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListReplicationFindingsResponse {
  readonly registryId: string
  readonly findings: readonly ReplicationFinding[]
  readonly nextToken?: string | undefined
}

export interface ListReplicationImagesRequest {
  readonly registryId?: AccountId | undefined
  readonly destination?: ReplicationDestination | undefined
  readonly status?: ReplicationImageStatus | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListReplicationImagesResponse {
  readonly registryId: string
  readonly images: readonly ReplicationImage[]
  readonly nextToken?: string | undefined
}

export interface ListReplicationRunsRequest {
  readonly registryId?: AccountId | undefined
  readonly unfinishedOnly?: boolean | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListReplicationRunsResponse {
  readonly registryId: string
  readonly runs: readonly ReplicationRun[]
  readonly nextToken?: string | undefined
}

export interface ListTagMovesRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageTag?: string | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListTagMovesResponse {
  readonly registryId: string
  readonly repositoryName: string
  readonly tagMoves: readonly TagMove[]
  readonly nextToken?: string | undefined
}

export interface ListWebhookDeliveriesRequest {
  readonly registryId?: AccountId | undefined
  readonly name: string
  readonly state?: WebhookDeliveryState | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListWebhookDeliveriesResponse {
  readonly registryId: string
  readonly name: string
  readonly deliveries: readonly WebhookDelivery[]
  readonly nextToken?: string | undefined
}

export interface ListWebhooksRequest {
  readonly registryId?: AccountId | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

export interface ListWebhooksResponse {
  readonly registryId: string
  readonly webhooks: readonly Webhook[]
  readonly nextToken?: string | undefined
}

export interface NamedImage {
  readonly repositoryName: RepositoryName
  readonly imageDigest: string
}

export type Origin = 'PUSHED' | 'REPLICATED' | 'CACHED'

export type Outcome = 'APPLIES' | 'CONDITIONS_NOT_MET' | 'OTHER_PRINCIPALS' | 'TOO_MANY_STEPS'

export type PastImageState = 'ACTIVE' | 'ARCHIVED' | 'IN_RECYCLE_BIN' | 'GONE'

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

export interface PullThroughCache {
  readonly ecrRepositoryPrefix: string
  readonly upstreamRegistryUrl: string
  readonly maxAgeSeconds: number
  readonly maxSizeInBytes: number
  readonly repositoryCount: number
  readonly imageCount: number
  readonly sizeInBytes: number
  readonly imports: ImportCounts
  readonly lastSuccessAt?: Date | undefined
  readonly lastFailure?: UpstreamFailure | undefined
  readonly rateLimit?: UpstreamRateLimit | undefined
}

export interface PurgeDeletedImagesRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageDigest?: string | undefined
  readonly all?: boolean | undefined
}

export interface PurgeDeletedImagesResponse {
  readonly registryId: string
  readonly repositoryName: string
  readonly imageCount: number
  readonly remainingImageDigests: readonly string[]
}

export interface PutPullThroughCacheSettingsRequest {
  readonly registryId?: AccountId | undefined
  readonly ecrRepositoryPrefix: string
  readonly maxAgeSeconds?: number | undefined
  readonly maxSizeInBytes?: number | undefined
}

export interface PutPullThroughCacheSettingsResponse {
  readonly registryId: string
  readonly ecrRepositoryPrefix: string
  readonly maxAgeSeconds: number
  readonly maxSizeInBytes: number
}

export interface PutRepositoryRetentionRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly keepInUse: KeepInUse
}

export interface PutRepositoryRetentionResponse {
  readonly registryId: string
  readonly repositoryName: string
  readonly keepInUse: KeepInUse
  readonly keepsInUse: boolean
}

export interface PutRetentionSettingsRequest {
  readonly registryId?: AccountId | undefined
  readonly recycleBinDays?: number | undefined
  readonly keepInUse?: boolean | undefined
}

export interface PutRetentionSettingsResponse {
  readonly registryId: string
  readonly recycleBinDays: number
  readonly keepInUse: boolean
}

export interface RedeliverWebhookEventsRequest {
  readonly registryId?: AccountId | undefined
  readonly name: string
  readonly eventId?: string | undefined
  readonly allDead?: boolean | undefined
}

export interface RedeliverWebhookEventsResponse {
  readonly registryId: string
  readonly name: string
  readonly eventCount: number
}

export interface RefreshPullThroughCacheRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName?: RepositoryName | undefined
  readonly imageTag?: string | undefined
  readonly ecrRepositoryPrefix?: string | undefined
}

export interface RefreshPullThroughCacheResponse {
  readonly registryId: string
  readonly tagCount: number
}

export type ReplicationCause = 'PUSH' | 'RESTORE' | 'SYNC' | 'REPAIR'

export interface ReplicationDestination {
  readonly registryId: string
  readonly region: string
}

export interface ReplicationFailure {
  readonly failureCode: string
  readonly reason: string
  readonly imageCount: number
}

export interface ReplicationFinding {
  readonly repositoryName: string
  readonly imageDigest: string
  readonly imageTag?: string | undefined
  readonly kind: ReplicationFindingKind
  readonly destinationImageDigest?: string | undefined
  readonly reason?: string | undefined
}

export type ReplicationFindingKind = 'MISSING' | 'WAITING' | 'FAILED' | 'DELETED' | 'LOST' | 'DIFFERS'

export interface ReplicationImage {
  readonly destination: ReplicationDestination
  readonly repositoryName: string
  readonly imageDigest: string
  readonly imageTags: readonly string[]
  readonly status: ReplicationImageStatus
  readonly cause: ReplicationCause
  readonly pushedAt: Date
  readonly attempts: number
  readonly nextAttemptAt?: Date | undefined
  readonly failureCode?: string | undefined
  readonly reason?: string | undefined
}

export type ReplicationImageStatus = 'WAITING' | 'FAILED'

export interface ReplicationRun {
  readonly runId: string
  readonly kind: ReplicationRunKind
  readonly status: ReplicationRunStatus
  readonly destination: ReplicationDestination
  readonly repositoryPrefixes?: readonly string[] | undefined
  readonly tagPatterns?: readonly string[] | undefined
  readonly repair: boolean
  readonly includeLost: boolean
  readonly startedAt: Date
  readonly startedBy: string
  readonly finishedAt?: Date | undefined
  readonly listed: boolean
  readonly lastRepositoryName?: string | undefined
  readonly counts: ReplicationRunCounts
  readonly reason?: string | undefined
}

export type ReplicationRunChange = 'PAUSE' | 'RESUME' | 'CANCEL'

export interface ReplicationRunCounts {
  readonly listed: number
  readonly present: number
  readonly toSend: number
  readonly sending: number
  readonly sendingFailed: number
  readonly waiting: number
  readonly failed: number
  readonly missing: number
  readonly deleted: number
  readonly lost: number
  readonly tagsMissing: number
  readonly tagsDiffering: number
  readonly tagsDeleted: number
  readonly findingsDropped: number
  readonly sizeInBytes?: number | undefined
}

export type ReplicationRunKind = 'SYNC' | 'DRY_RUN' | 'VERIFY'

export type ReplicationRunStatus = 'RUNNING' | 'PAUSED' | 'COMPLETE' | 'CANCELLED' | 'FAILED'

export interface ReplicationStatus {
  readonly destination: ReplicationDestination
  readonly inRules: boolean
  readonly waitingCount: number
  readonly pausedCount: number
  readonly failedCount: number
  readonly failures: readonly ReplicationFailure[]
  readonly secondsBehind: number
  readonly oldestPushAt?: Date | undefined
  readonly sentImageCount: number
  readonly sentSizeInBytes: number
  readonly lastSuccessAt?: Date | undefined
  readonly unreachable?: ReplicationUnreachable | undefined
}

export interface ReplicationUnreachable {
  readonly since: Date
  readonly nextAttemptAt: Date
  readonly reason: string
}

export interface ReportImagesInUseRequest {
  readonly registryId?: AccountId | undefined
  readonly cluster: string
  readonly images: readonly NamedImage[]
  readonly ttlSeconds?: number | undefined
}

export interface ReportImagesInUseResponse {
  readonly registryId: string
  readonly report: InUseReport
  readonly unknownImageCount?: number | undefined
}

export interface RestoreDeletedImageRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageDigest: string
}

export interface RestoreDeletedImageResponse {
  readonly registryId: string
  readonly repositoryName: string
  readonly imageDigests: readonly string[]
  readonly imageTags: readonly string[]
  readonly takenTags: readonly string[]
  readonly remainingReferrerDigests: readonly string[]
  readonly lifecyclePolicyInForce: boolean
}

export interface RestoreDeletedRepositoryRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly deletedRepositoryId?: string | undefined
}

export interface RestoreDeletedRepositoryResponse {
  readonly registryId: string
  readonly repositoryName: string
  readonly deletedRepositoryId: string
}

export interface RetryReplicationRequest {
  readonly registryId?: AccountId | undefined
  readonly destination?: ReplicationDestination | undefined
}

export interface RetryReplicationResponse {
  readonly registryId: string
  readonly imageCount: number
}

export interface RollbackTagRequest {
  readonly registryId?: AccountId | undefined
  readonly repositoryName: RepositoryName
  readonly imageTag: string
  readonly imageDigest?: string | undefined
  readonly at?: Date | undefined
}

export interface RollbackTagResponse {
  readonly registryId: string
  readonly repositoryName: string
  readonly imageTag: string
  readonly previousImageDigest?: string | undefined
  readonly imageDigest: string
}

export interface RotateWebhookSecretRequest {
  readonly registryId?: AccountId | undefined
  readonly name: string
}

export interface RotateWebhookSecretResponse {
  readonly registryId: string
  readonly webhook: Webhook
  readonly secret: string
  readonly previousSecretExpiresAt: Date
}

export interface StartReplicationSyncRequest {
  readonly registryId?: AccountId | undefined
  readonly destinations?: readonly ReplicationDestination[] | undefined
  readonly repositoryPrefixes?: readonly string[] | undefined
  readonly tagPatterns?: readonly string[] | undefined
  readonly dryRun?: boolean | undefined
  readonly includeLost?: boolean | undefined
}

export interface StartReplicationSyncResponse {
  readonly registryId: string
  readonly runs: readonly ReplicationRun[]
}

export interface StartReplicationVerificationRequest {
  readonly registryId?: AccountId | undefined
  readonly destinations?: readonly ReplicationDestination[] | undefined
  readonly repositoryPrefixes?: readonly string[] | undefined
  readonly repair?: boolean | undefined
  readonly includeLost?: boolean | undefined
}

export interface StartReplicationVerificationResponse {
  readonly registryId: string
  readonly runs: readonly ReplicationRun[]
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

export interface TagMove {
  readonly imageTag: string
  readonly previousImageDigest?: string | undefined
  readonly imageDigest?: string | undefined
  readonly movedAt: Date
  readonly movedBy?: string | undefined
  readonly cause: TagMoveCause
  readonly sourceRegistryId?: string | undefined
  readonly sourceRegion?: string | undefined
}

export type TagMoveCause =
  | 'PUSH'
  | 'CACHE'
  | 'REPLICATION'
  | 'CONFLICT'
  | 'DELETE'
  | 'LIFECYCLE'
  | 'SUBJECT'
  | 'ROLLBACK'
  | 'RESTORE'

export interface TestEventPatternRequest {
  readonly registryId?: AccountId | undefined
  readonly eventPattern: string
  readonly event: string
}

export interface TestEventPatternResponse {
  readonly registryId: string
  readonly result: boolean
}

export interface TestWebhookRequest {
  readonly registryId?: AccountId | undefined
  readonly name: string
}

export interface TestWebhookResponse {
  readonly registryId: string
  readonly name: string
  readonly eventId: string
  readonly delivered: boolean
  readonly statusCode?: number | undefined
  readonly error?: string | undefined
  readonly durationMilliseconds: number
}

export interface UpdateReplicationRunRequest {
  readonly registryId?: AccountId | undefined
  readonly runId: string
  readonly change: ReplicationRunChange
}

export interface UpdateReplicationRunResponse {
  readonly registryId: string
  readonly run: ReplicationRun
}

export interface UpdateWebhookRequest {
  readonly registryId?: AccountId | undefined
  readonly name: string
  readonly url?: string | undefined
  readonly eventPattern?: string | undefined
  readonly description?: string | undefined
  readonly enabled?: boolean | undefined
}

export interface UpdateWebhookResponse {
  readonly registryId: string
  readonly webhook: Webhook
}

export interface UpstreamFailure {
  readonly at: Date
  readonly code: string
  readonly reason: string
}

export interface UpstreamRateLimit {
  readonly readAt: Date
  readonly remaining: number
  readonly requests?: number | undefined
  readonly windowSeconds?: number | undefined
}

export interface Webhook {
  readonly name: string
  readonly url: string
  readonly eventPattern: string
  readonly description?: string | undefined
  readonly enabled: boolean
  readonly gone: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly waitingCount: number
  readonly deadCount: number
  readonly lastDeliveredAt?: Date | undefined
  readonly lastFailure?: WebhookFailure | undefined
}

export interface WebhookDelivery {
  readonly eventId: string
  readonly detailType: string
  readonly orderKey: string
  readonly state: WebhookDeliveryState
  readonly attempts: number
  readonly createdAt: Date
  readonly firstAttemptAt?: Date | undefined
  readonly lastAttemptAt?: Date | undefined
  readonly lastStatusCode?: number | undefined
  readonly lastError?: string | undefined
}

export type WebhookDeliveryState = 'WAITING' | 'DEAD'

export interface WebhookFailure {
  readonly at: Date
  readonly reason: string
}
