import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { adminSurface } from '#admin/surface.ts'
import { createExplainRequest } from '#audit/explain-request.ts'
import { createAuditLookup } from '#audit/lookup.ts'
import { createAuditTrail } from '#audit/trail.ts'
import { auditGauges } from '#audit/usage.ts'
import { createDispatcher } from '#aws/dispatcher.ts'
import { awsRoutes } from '#aws/routes.ts'
import { FileBlobStore } from '#blobs/file.ts'
import { cloudTrailSurface } from '#cloudtrail/surface.ts'
import { listeningUrl } from '#config/listening-url.ts'
import { openSetting } from '#config/open-setting.ts'
import type { Settings } from '#config/settings.ts'
import { describeReplicationFailure } from '#ecr/replication-failures.ts'
import {
  activationEvents,
  cacheActionEvent,
  damageEvents,
  evictionEvents,
  policyExecutionEvents,
} from '#ecr/service-events.ts'
import { ecrSurface } from '#ecr/surface.ts'
import { eventGauges } from '#events/gauges.ts'
import {
  recordArchivals,
  recordDeletions,
  recordPush,
  recordRestores,
  recordTagMoves,
} from '#events/image-listeners.ts'
import { createEventLog } from '#events/log.ts'
import { createEventPublisher } from '#events/publisher.ts'
import { recordEvents } from '#events/record.ts'
import { recordConflict, recordReplication } from '#events/replica-listeners.ts'
import { createEventRetention, eventRetentionSchedule } from '#events/retention.ts'
import { trailEvents } from '#events/shapes/cloudtrail.ts'
import { damageEvent, policyEvent } from '#events/shapes/own.ts'
import { replicationEvent } from '#events/shapes/replication-actions.ts'
import { scanChangeEvents } from '#events/shapes/scan.ts'
import { createDeliveryExpiry, deliveryExpirySchedule } from '#events/webhooks/expiry.ts'
import { webhookGauges } from '#events/webhooks/gauges.ts'
import { createWebhookService, type WebhookWaits } from '#events/webhooks/service.ts'
import { Bodies } from '#http/bodies.ts'
import type { ConnectionFeed } from '#http/connection-feed.ts'
import { maxConnectionsOf } from '#http/connections.ts'
import { createServer } from '#http/server.ts'
import { type EnsuredRoot, ensureRoot } from '#iam/access-keys.ts'
import { createAccounts } from '#iam/accounts.ts'
import { createAuthorizer } from '#iam/authorize.ts'
import { BasicCredentials } from '#iam/basic.ts'
import { createCompiler } from '#iam/compiled.ts'
import { Credentials } from '#iam/credentials.ts'
import { createDownloadLinks } from '#iam/download-links.ts'
import { createExplainer } from '#iam/explain.ts'
import { createFindPrincipal } from '#iam/find-principal.ts'
import { createIdentityPolicies } from '#iam/identity-policies.ts'
import { createInquire } from '#iam/inquiry.ts'
import { createKeySignIn } from '#iam/key-sign-in.ts'
import { createKeyUses } from '#iam/keys/key-uses.ts'
import { createManagement } from '#iam/management.ts'
import { createOperatorAccess } from '#iam/operator-access.ts'
import { awsManagedPolicies } from '#iam/policies/aws-managed.ts'
import { parsePolicy } from '#iam/policy/document.ts'
import { createRequestRates } from '#iam/request-rates.ts'
import { openSecrets } from '#iam/secret-key.ts'
import { createServiceRoles } from '#iam/service-roles.ts'
import { TokenKeys } from '#iam/token-keys.ts'
import { createTokenService } from '#iam/token-service.ts'
import { Tokens } from '#iam/tokens.ts'
import { iamSurface } from '#iamapi/surface.ts'
import { createClaims } from '#jobs/claims.ts'
import { cleanUpSchedule, createCleanUpWorker } from '#jobs/cleanup.ts'
import { createHolds } from '#jobs/holds.ts'
import { createJobRunner } from '#jobs/runner.ts'
import { addressRanges } from '#lib/address-ranges.ts'
import { type Clock, systemClock } from '#lib/clock.ts'
import { descriptorLimit } from '#lib/descriptor-limit.ts'
import { createFetch } from '#lib/fetch.ts'
import { createLifecycleWorkers, lifecycleSchedule } from '#lifecycle/jobs.ts'
import { createLifecyclePolicies } from '#lifecycle/policies.ts'
import { parseLifecyclePolicy } from '#lifecycle/policy.ts'
import { putLifecyclePolicyOfTemplate } from '#lifecycle/policy-rows.ts'
import { createLifecyclePreviews } from '#lifecycle/previews.ts'
import { createWhatIfs } from '#lifecycle/what-if.ts'
import { createWhatIfRemoval, whatIfRemovalSchedule } from '#lifecycle/what-if-removal.ts'
import { openMetadata } from '#metadata/open.ts'
import { createCacheCounts } from '#metrics/cache-counts.ts'
import { createMetrics } from '#metrics/metrics.ts'
import { createRequestCounts } from '#metrics/request-counts.ts'
import { metricsRoutes } from '#metrics/routes.ts'
import { createEndpoints } from '#names/endpoints.ts'
import { findPeer } from '#names/peer.ts'
import { ociRoutes } from '#oci/routes.ts'
import { createAccountSettings } from '#registry/account-settings.ts'
import type { Announcements } from '#registry/announcements.ts'
import { collectionSchedules, createCollectionWorkers } from '#registry/collection/jobs.ts'
import { claimEmptyStore, findForeignToEmpty, type StoreParts } from '#registry/collection/own-store.ts'
import { createCreationTemplates } from '#registry/creation-templates.ts'
import { createImageCopy } from '#registry/image-copy.ts'
import { createImageDeletion } from '#registry/image-deletion.ts'
import { createImageLists } from '#registry/image-lists.ts'
import { createImageOrigins } from '#registry/image-origin.ts'
import { createImagePush } from '#registry/image-push.ts'
import { createImages } from '#registry/images.ts'
import { createInUseExpiry, inUseExpirySchedule } from '#registry/in-use-expiry.ts'
import { createInUseReports } from '#registry/in-use-reports.ts'
import { createIncomingBlobs } from '#registry/incoming/incoming-blobs.ts'
import { createLinkedBlobs, type Damage } from '#registry/linked-blobs.ts'
import { createReferrerRemoval } from '#registry/orphaned-referrers.ts'
import { renameInResourcePolicies } from '#registry/principal-changes.ts'
import { createPullTimeExclusions } from '#registry/pull-time-exclusions.ts'
import { createPulls } from '#registry/pulls.ts'
import { createDeletedImages } from '#registry/recycle-bin/images.ts'
import { createRecycleBinWorker, recycleBinSchedule } from '#registry/recycle-bin/purge.ts'
import { createDeletedRepositories } from '#registry/recycle-bin/repositories.ts'
import { createReferrers } from '#registry/referrers.ts'
import { createRegistryPolicies } from '#registry/registry-policies.ts'
import { createReplicaImages } from '#registry/replica-images.ts'
import { createRepositories } from '#registry/repositories.ts'
import { createRepositoryPolicies } from '#registry/repository-policies.ts'
import { createRepositoryRetentions } from '#registry/repository-retention.ts'
import { createRetentions } from '#registry/retention-settings.ts'
import { damageGauges } from '#registry/scrub/gauges.ts'
import { createScrubWorker, scrubSchedule } from '#registry/scrub/jobs.ts'
import { createRegistrySettings } from '#registry/settings.ts'
import { createStorageClasses } from '#registry/storage-class.ts'
import { storageGauges } from '#registry/storage-gauges.ts'
import { createTagHistory } from '#registry/tag-history.ts'
import { createTagRollback } from '#registry/tag-rollback.ts'
import { createTags } from '#registry/tags.ts'
import { createUploads } from '#registry/uploads.ts'
import { createPeerRemotes } from '#remote/peers.ts'
import { RemoteFailure } from '#remote/registry.ts'
import { createRemotes } from '#remote/remotes.ts'
import type { FindDestination } from '#replication/destination.ts'
import { createReplicationEngine } from '#replication/engine.ts'
import { createItemRemoval, itemRemovalSchedule } from '#replication/item-removal.ts'
import { replicatePushed, replicateRestored } from '#replication/listener.ts'
import { createFindLocalDestination } from '#replication/local/destination.ts'
import { createFindRemoteDestination } from '#replication/remote/destination.ts'
import { createReplication } from '#replication/replication.ts'
import { createReplicationRuns } from '#replication/runs/runs.ts'
import { createRunWorker } from '#replication/runs/worker.ts'
import { replicationGauges } from '#replication/status/gauges.ts'
import { createNotThereLists } from '#replication/status/not-there.ts'
import { createReplicationRetry } from '#replication/status/retry.ts'
import { createReplicationStatuses } from '#replication/status/status.ts'
import { createResourceSides } from '#resource-sides.ts'
import { createScanning } from '#scanning/scanning.ts'
import { createListSecrets } from '#secrets/listing.ts'
import { createSecretPurge, secretPurgeSchedule } from '#secrets/purge.ts'
import { createSecretValues } from '#secrets/secret-values.ts'
import { createSecrets } from '#secrets/secrets.ts'
import { createFindSecretValue } from '#secrets/upstream-credentials.ts'
import { secretsManagerSurface } from '#secretsmanager/surface.ts'
import { createSigning } from '#signing/signing.ts'
import { stsSurface } from '#sts/surface.ts'
import { createUpstreamCache } from '#upstream/cache.ts'
import { createCacheRules } from '#upstream/cache-rules.ts'
import { createCacheStatuses } from '#upstream/cache-status.ts'
import { findCachedOrigin, forgetOrigins } from '#upstream/cached-origins.ts'
import { createEvictionWorkers, evictionSchedule } from '#upstream/eviction.ts'
import { createMirrorRules } from '#upstream/mirror-rules.ts'
import { createPendingExpiry, pendingExpirySchedule } from '#upstream/pending-expiry.ts'
import { createRememberedRules } from '#upstream/remembered-rules.ts'
import { createRuleStatuses, upstreamGauges } from '#upstream/rule-status.ts'
import { createSharedTokens } from '#upstream/shared-tokens.ts'
import { forgetTag } from '#upstream/tag-state.ts'
import { kindOfUpstream } from '#upstream/upstreams.ts'

/** Builds everything once, in order, and takes it down in reverse. The only file that knows every room. */
export interface App {
  /** The public URL, once it listens. */
  readonly url: string
  /** The URL of the listening socket, from this machine. */
  readonly localUrl: string
  stop(): Promise<void>
}

export interface AppOptions {
  /** Where connections come from; without it the app listens. */
  readonly feed?: ConnectionFeed
  readonly clock?: Clock
  /** Checks each answer of the control plane against the API model: for tests. */
  readonly verifyOutputs?: boolean
  /** In PEM: whom to trust beside those whom Node trusts, where others are asked for something. For tests. */
  readonly trustedCertificates?: readonly string[]
  /** How long an upstream registry may send nothing, and the first pause after it breaks a layer. For tests. */
  readonly upstreamWaits?: { readonly silenceMs: number; readonly pauseMs: number }
  /** How long webhooks wait. For tests. */
  readonly webhookWaits?: WebhookWaits
}

/** What a deployment needs once, however many processes serve it: the schema, and the account with its root key. */
export function prepare(settings: Settings, log: Logger): Promise<EnsuredRoot> {
  return openSetting(settings, 'database', async () => {
    const metadata = await openMetadata(settings.database, logLostConnection(log))
    try {
      const box = await openSetting(settings, 'secretKey', () => openSecrets({ metadata, ...settings }))
      return await ensureRoot({ metadata, clock: systemClock, box }, settings.account, settings.rootKey)
    } finally {
      await metadata.close()
    }
  })
}

/** @throws SettingError if what a setting names cannot be opened */
export async function startApp(settings: Settings, log: Logger, options: AppOptions = {}): Promise<App> {
  const {
    clock = systemClock,
    verifyOutputs = false,
    trustedCertificates = [],
    upstreamWaits,
    webhookWaits,
    feed,
  } = options
  const { quotas } = settings
  const metadata = await openSetting(settings, 'database', () =>
    openMetadata(settings.database, logLostConnection(log)),
  )
  const blobs = await openSetting(settings, 'blobs', () => FileBlobStore.open(settings.blobs.path))
  await openSetting(settings, 'blobs', () => requireFitting(settings, { metadata, blobs }))
  if (!(await openSetting(settings, 'blobs', () => claimEmptyStore({ metadata, blobs }))))
    log.warn({ blobs: settings.blobs.path }, 'the folder of blobs belongs to another database')

  const scheme = settings.tls === undefined ? 'http' : 'https'
  let { port } = settings.listen
  const localUrl = () => listeningUrl({ ...settings.listen, port }, scheme)
  const endpoints = createEndpoints({
    publicUrl: settings.publicUrl,
    listeningUrl: localUrl,
    domain: settings.domain,
    mirrors: settings.mirrors,
  })

  const box = await openSetting(settings, 'secretKey', () => openSecrets({ metadata, ...settings }))
  const credentials = new Credentials({ metadata, box })
  const keys = new TokenKeys({ metadata, clock, box })
  const tokens = new Tokens({ keys, clock })
  const downloadLinks = createDownloadLinks({ keys, clock })

  const onError = (error: unknown) => log.error({ err: error }, 'the times of pulls were not recorded')
  const pulls = createPulls({ metadata, clock, onError })
  const audit = createAuditTrail({
    metadata,
    clock,
    keptMs: settings.auditDays * 86_400_000,
    mostBytes: settings.auditMaxMib * 1024 * 1024,
    region: settings.region,
    onError: (error) => log.error({ err: error }, 'audit records could not be written yet'),
    onLost: (count) => log.error({ count }, 'calls are missing from the audit trail'),
    onWritten: (trx, rows) => recordEvents(trx, trailEvents(rows)),
  })
  const keyUses = createKeyUses({
    metadata,
    clock,
    onError: (error) => log.error({ err: error }, 'the last uses of access keys were not recorded'),
  })
  const onDamage = (damage: Damage) =>
    log.error(
      damage,
      'a blob is missing from the store or has another size, and counts as absent until it is pushed again',
    )
  const requestCounts = createRequestCounts({
    metadata,
    onError: (error) => log.error({ err: error }, 'requests could not be counted yet'),
  })
  const cacheCounts = createCacheCounts({
    metadata,
    onError: (error) => log.error({ err: error }, 'pulls through the cache could not be counted yet'),
  })
  const registrySettings = createRegistrySettings({ metadata, clock })
  const secretsManager = {
    secrets: createSecrets({ metadata, box, clock, quotas }),
    secretValues: createSecretValues({ metadata, box, clock }),
    listSecrets: createListSecrets(metadata),
  }
  const findSecretValue = createFindSecretValue(secretsManager)
  const announcements: Announcements = {
    repositoryCreated: [putLifecyclePolicyOfTemplate],
    imagePushed: [replicatePushed, recordPush],
    imagesRestored: [
      replicateRestored,
      recordRestores,
      async (trx, restored) => {
        if (restored.cause !== 'bin') await audit.writeServiceEvents(trx, activationEvents(restored))
      },
    ],
    imagesArchived: [recordArchivals],
    imagesDeleted: [recordDeletions],
    tagsMoved: [recordTagMoves],
    imageReplicated: [recordReplication],
    tagConflicted: [recordConflict],
  }
  const repositories = createRepositories({ metadata, clock, quotas, ...announcements })
  const imageLists = createImageLists({ metadata })
  const lifecyclePreviews = createLifecyclePreviews({
    metadata,
    clock,
    quotas,
    flushPulls: () => pulls.flush(),
    onError: (error) => log.error({ err: error }, 'a preview of a lifecycle policy failed'),
    onPreviewed: (trx, execution) => audit.writeServiceEvents(trx, policyExecutionEvents(execution, 'DryRunEvent')),
  })
  const compile = createCompiler()
  const identityPolicies = createIdentityPolicies({
    metadata,
    compile,
    awsManaged: (arn) => awsManagedPolicies.get(arn)?.document,
  })
  const access = { metadata, identityPolicies, resourceSide: createResourceSides({ metadata, compile }) }
  const authorizer = createAuthorizer(access)
  const holds = createHolds({ metadata, clock, processId: randomUUID() })
  const claims = createClaims(holds)
  const remotes = createRemotes({
    hosts: settings.upstreams,
    isKnown: (host) =>
      kindOfUpstream(host, { areForbidden: false, isListed: () => false, ownRegistryAt: endpoints.ownRegistryAt }) !==
      undefined,
    tokens: createSharedTokens({ metadata, clock, claims, box }),
    keySecret: box.derive('keys of upstream tokens'),
    clock,
    certificates: trustedCertificates,
    ...(upstreamWaits && { silenceMs: upstreamWaits.silenceMs }),
  })
  const upstreamHosts = {
    areForbidden: settings.upstreams === 'none',
    isListed: remotes.isListed,
    ownRegistryAt: endpoints.ownRegistryAt,
  }
  const rules = createRememberedRules({ metadata, clock })
  const imagePush = createImagePush({
    ...{ metadata, clock, quotas, announcements },
    onNewPush: (trx, repositoryId, digest) => forgetOrigins(trx, repositoryId, [digest]),
    onTagMoved: forgetTag,
  })
  const incoming = createIncomingBlobs({
    ...{ metadata, blobs, clock, quotas, processId: randomUUID() },
    ...(upstreamWaits && { pauseMs: upstreamWaits.pauseMs }),
  })
  const ruleStatuses = createRuleStatuses({
    metadata,
    clock,
    onError: (error) => log.error({ err: error }, 'the states of upstreams could not be written yet'),
  })
  const cache = createUpstreamCache({
    ...{
      metadata,
      clock,
      claims,
      rules,
      remotes,
      hosts: upstreamHosts,
      findSecretValue,
      repositories,
      imagePush,
      incoming,
      authorizer,
      serviceRoles: createServiceRoles({ reader: metadata.reader, compile }),
    },
    images: createImages({ metadata, pulls }),
    linkedBlobs: createLinkedBlobs({ ...settings, metadata, blobs, clock, onDamage }),
    referrers: createReferrers({ metadata }),
    onAction(action) {
      const { key, rule, tag, digest, failure } = action
      const about = { repository: key.name, tag, digest, upstream: rule.upstreamUrl }
      if (failure === undefined) log.info(about, 'an image of an upstream was cached')
      else log.warn({ ...about, reason: failure.reason }, 'an upstream did not give an image')
    },
    recordAction: (trx, action) => audit.writeServiceEvents(trx, [cacheActionEvent(action)]),
    onFailedRequest: (action) => audit.recordServiceEvent(cacheActionEvent(action)),
    onPull: cacheCounts.recordPull,
    onRequest: ({ upstreamUrl }, result) =>
      cacheCounts.recordRequest(upstreamUrl, result instanceof RemoteFailure ? result.reason : result),
    statuses: ruleStatuses,
  })
  const domain = {
    accountSettings: createAccountSettings({ metadata, settings: registrySettings }),
    scanning: createScanning({
      ...{ metadata, settings: registrySettings, repositories, imageLists },
      frequencyChanged: (trx, registry, changes) => recordEvents(trx, scanChangeEvents(registry, changes, clock())),
    }),
    replication: createReplication({ metadata, settings: registrySettings, quotas }),
    signing: createSigning({ settings: registrySettings }),
    lifecyclePolicies: createLifecyclePolicies({ metadata, clock, quotas }),
    lifecyclePreviews,
    repositories,
    repositoryPolicies: createRepositoryPolicies({ metadata }),
    registryPolicies: createRegistryPolicies({ metadata, settings: registrySettings }),
    cacheRules: createCacheRules({
      ...{ metadata, clock, quotas },
      hosts: upstreamHosts,
      findSecretValue,
    }),
    creationTemplates: createCreationTemplates({
      metadata,
      clock,
      quotas,
      documents: {
        repositoryPolicy: (text) => parsePolicy(text, 'repository'),
        lifecyclePolicy: (text) => parseLifecyclePolicy(text, quotas.lifecycleRules),
      },
    }),
    images: cache.images,
    replicaImages: createReplicaImages({ metadata, images: cache.images }),
    imageLists,
    imagePush,
    imageDeletion: createImageDeletion({ metadata, clock, announcements }),
    tags: createTags({ metadata }),
    referrers: cache.referrers,
    storageClasses: createStorageClasses({ metadata, clock, announcements }),
    pullTimeExclusions: createPullTimeExclusions({ metadata, clock, quotas }),
    linkedBlobs: cache.linkedBlobs,
    uploads: createUploads({ metadata, blobs, clock, quotas, processId: randomUUID() }),
  }

  const peerRemotes = createPeerRemotes({
    tokens: createSharedTokens({ metadata, clock, claims, box }),
    keySecret: box.derive('keys of peer tokens'),
    clock,
    certificates: trustedCertificates,
    ...(upstreamWaits && { silenceMs: upstreamWaits.silenceMs }),
  })
  const findRemote = createFindRemoteDestination({
    ...{ metadata, clock, peers: settings.peers, remotes: peerRemotes },
    linkedBlobs: createLinkedBlobs({ ...settings, metadata, blobs, clock, onDamage }),
    describe: describeReplicationFailure,
  })
  const findLocal = createFindLocalDestination({
    ...{ metadata, clock, authorizer, repositories },
    accounts: createAccounts({ metadata, clock }),
    describe: describeReplicationFailure,
    imageCopy: createImageCopy({
      ...{ metadata, blobs, clock, quotas, announcements, onDamage },
      onNewImages: forgetOrigins,
      onTagMoved: forgetTag,
    }),
  })
  const findDestination: FindDestination = (source, destination) =>
    findRemote(source, destination) ?? findLocal(source, destination)
  const replication = createReplicationEngine({
    ...{ metadata, clock, holds, findDestination },
    async onAction(trx, { item, result, tag, failure, at }) {
      const { source, destination, digest } = item
      const peer = findPeer(settings.peers, destination)
      // Another Lading records what it receives.
      if (peer?.kind === 'lading' && result === 'SUCCESS') return
      const repository = { registry: destination, name: source.name }
      // A failure belongs to the source, where the rule is. The account of the destination may not be here.
      const owner = peer === undefined && result === 'SUCCESS' ? destination : source.registry
      const facts = { repository, owner, source: source.registry, digest, tag, at, failure }
      await recordEvents(trx, [replicationEvent(result, facts)])
    },
    onError: (error, route) => log.error({ err: error, route }, 'images could not be replicated, and are tried again'),
  })

  const management = createManagement({
    reader: metadata.reader,
    change: (work) => metadata.transaction(work),
    clock,
    box,
    principalChanged: [renameInResourcePolicies],
  })
  const auditLookup = createAuditLookup(metadata)
  const findPrincipal = createFindPrincipal({ reader: metadata.reader, credentials })
  const explain = createExplainer({ reader: metadata.reader, inquire: createInquire(access), compile })
  const explainRequest = createExplainRequest({ auditLookup, findPrincipal, explain })
  const fetch = createFetch({ certificates: trustedCertificates })
  const tokenService = createTokenService({
    ...{ metadata, identityPolicies, compile, box, fetch, clock, quotas },
    privateHosts: settings.oidcPrivateHosts === 'allow',
    onUnreachable: (issuer, reason) => log.warn({ issuer, reason }, 'the keys of an identity provider cannot be read'),
  })
  const webhookService = createWebhookService({
    ...{ metadata, clock, box, quotas, certificates: trustedCertificates, processId: randomUUID() },
    hosts: settings.webhookHosts,
    waits: webhookWaits,
    onDead: (dead) => log.warn(dead, 'a webhook could not deliver events within a day, and gave them up'),
    onGone: ({ webhookId }) => log.warn({ webhookId }, 'a receiver answered 410, and its webhook is disabled'),
    onError: (error) => log.error({ err: error }, 'webhooks could not deliver yet'),
  })
  const requestRates = createRequestRates({
    ...{ perSecond: settings.requestsPerSecond, account: settings.account, clock },
    onThrottled: requestCounts.recordThrottled,
  })
  const dispatch = createDispatcher({
    surfaces: [
      ecrSurface({ ...domain, connect: cache.connect }, { tokens, downloadLinks, endpoints, verifyOutputs }),
      iamSurface({ ...management, findPrincipal, explain }, { verifyOutputs }),
      stsSurface(tokenService, { verifyOutputs }),
      cloudTrailSurface({ auditLookup, clock }, { verifyOutputs }),
      secretsManagerSurface(secretsManager, { verifyOutputs }),
      adminSurface(
        {
          ...{
            findPrincipal,
            explain,
            explainRequest,
            whatIfs: createWhatIfs({ metadata, clock, quotas, flushPulls: () => pulls.flush() }),
          },
          inUseReports: createInUseReports({ metadata, clock }),
          repositoryRetentions: createRepositoryRetentions({ metadata }),
          lifecyclePolicies: domain.lifecyclePolicies,
          cacheRules: domain.cacheRules,
          cacheStatuses: createCacheStatuses({ metadata }),
          cacheRefresh: cache.refresh,
          eventLog: createEventLog({ reader: metadata.reader }),
          imageOrigins: createImageOrigins({ metadata, findCachedOrigin }),
          deletedImages: createDeletedImages({ metadata, clock, quotas, announcements }),
          replicationStatuses: createReplicationStatuses({ metadata, clock }),
          notThereLists: createNotThereLists({ metadata }),
          replicationRetry: createReplicationRetry({ metadata, clock }),
          replicationRuns: createReplicationRuns({ metadata, clock }),
          deletedRepositories: createDeletedRepositories({ metadata, clock, quotas }),
          retentions: createRetentions({ metadata, settings: registrySettings }),
          ...webhookService,
          tagHistory: createTagHistory({ metadata, clock }),
          tagRollback: createTagRollback({ metadata, clock, quotas, announcements, onTagMoved: forgetTag }),
          clock,
        },
        { verifyOutputs },
      ),
    ],
    findCredential: (id) => credentials.find(id),
    authorizer,
    audit,
    keyUses,
    requestRates,
    clock,
  })
  const keySignIn = createKeySignIn({ credentials, clock })
  const accessKeys = settings.accessKeyLogin ? { signIn: keySignIn, uses: keyUses, region: settings.region } : undefined
  const basic = new BasicCredentials({ tokens, keys, credentials, clock, accessKeys })
  const descriptors = descriptorLimit()
  const maxConnections = maxConnectionsOf(descriptors)
  if (descriptors !== undefined && descriptors < fewDescriptors)
    log.warn(
      { descriptors, maxConnections },
      'the process may open few files: raise its limit (ulimit -n, LimitNOFILE)',
    )
  const server = createServer({
    log,
    connectionLimits: { maxConnections, connectionsPerAddress: settings.connectionsPerAddress },
    tls: settings.tls,
    trustedProxies: settings.trustedProxies,
    onAnswered: requestCounts.record,
    checks: [
      { name: 'metadata', check: () => metadata.check() },
      { name: 'blobs', check: () => blobs.check() },
    ],
  })
  // Apart, because a call's sender is proved only by its whole body: strangers must not take the room of those who are known.
  awsRoutes(server.app, { dispatch, bodies: new Bodies(), log })
  const registry = { account: settings.account, region: settings.region }
  const dataPlane = {
    bodies: new Bodies(),
    basic,
    authorizer,
    requestRates,
    clock,
    downloadLinks,
    endpoints,
    mirrors: createMirrorRules({ rules }),
    anonymousPull: { isOpenTo: addressRanges(settings.anonymousPull), registry },
    audit,
    log,
  }
  ociRoutes(server.app, { domain, ...dataPlane })
  const operatorAccess = createOperatorAccess({ keySignIn, authorizer, clock, registry })
  metricsRoutes(server.app, {
    metrics: createMetrics({
      metadata,
      clock,
      gauges: [
        ...auditGauges,
        ...damageGauges,
        ...eventGauges,
        ...storageGauges,
        ...upstreamGauges,
        ...webhookGauges,
        ...replicationGauges({ clock }),
      ],
      requests: requestCounts,
      cache: cacheCounts,
    }),
    operatorAccess,
  })
  const jobs = createJobRunner({
    metadata,
    clock,
    processId: randomUUID(),
    workers: [
      createCleanUpWorker({ metadata, clock }),
      createPendingExpiry({ metadata, clock }),
      createInUseExpiry({ metadata, clock }),
      createEventRetention({ metadata, clock }),
      createItemRemoval({ metadata, clock }),
      createRunWorker({ metadata, clock, findDestination }),
      createDeliveryExpiry({ metadata, clock }),
      createWhatIfRemoval({ metadata, clock }),
      createSecretPurge({ metadata, clock }),
      ...cache.workers,
      ...createLifecycleWorkers({
        ...{ metadata, clock, announcements, flushPulls: () => pulls.flush() },
        async onExecuted(trx, execution) {
          await audit.writeServiceEvents(trx, policyExecutionEvents(execution))
          await recordEvents(trx, [policyEvent(execution)])
        },
      }),
      createRecycleBinWorker({ metadata, clock }),
      ...createEvictionWorkers({
        ...settings,
        ...{ metadata, clock, announcements, flushPulls: () => pulls.flush() },
        onEvicted: (trx, eviction) => audit.writeServiceEvents(trx, evictionEvents(eviction)),
      }),
      createReferrerRemoval({ metadata, clock, announcements }),
      ...createCollectionWorkers({
        ...settings,
        ...{ metadata, blobs, clock },
        onForeignStore: (reason) => log.warn({ reason }, 'files that the database does not know were left alone'),
      }),
      createScrubWorker({
        ...settings,
        ...{ metadata, blobs, clock },
        onDamage: (damage) => log.error(damage, damageText[damage.problem]),
        async recordDamage(trx, damage) {
          const events = damageEvents(damage)
          await audit.writeServiceEvents(trx, events)
          await recordEvents(trx, events.map(damageEvent))
        },
      }),
    ],
    schedules: [
      cleanUpSchedule,
      pendingExpirySchedule,
      whatIfRemovalSchedule,
      eventRetentionSchedule,
      deliveryExpirySchedule,
      inUseExpirySchedule,
      itemRemovalSchedule,
      secretPurgeSchedule,
      lifecycleSchedule,
      recycleBinSchedule,
      evictionSchedule,
      ...collectionSchedules,
      ...(settings.scrubMibPerSecond > 0 ? [scrubSchedule] : []),
    ],
    onError: (error, job) => log.error({ err: error, job }, 'a job failed, and is tried again if it may be'),
  })
  const eventPublisher = createEventPublisher({
    metadata,
    fanOut: webhookService.fanOut,
    onError: (error) => log.error({ err: error }, 'events could not be published yet'),
  })
  port = await openSetting(settings, 'listen', async () =>
    feed === undefined ? server.listen(settings.listen) : feed.open(await server.receive()),
  )
  await jobs.start()
  replication.start()
  await eventPublisher.start()
  webhookService.start()

  return {
    url: settings.publicUrl ?? localUrl(),
    localUrl: localUrl(),
    async stop() {
      await server.stop()
      await incoming.stop()
      await jobs.stop()
      await replication.stop()
      await eventPublisher.stop()
      await webhookService.stop()
      await remotes[Symbol.asyncDispose]()
      await peerRemotes[Symbol.asyncDispose]()
      await lifecyclePreviews.stop()
      await pulls.stop()
      await audit.stop()
      await keyUses.stop()
      await requestCounts.stop()
      await cacheCounts.stop()
      await ruleStatuses.stop()
      await metadata.close()
    },
  }
}

/** Below this the limit bounds what an ordinary cluster needs. */
const fewDescriptors = 4_096

/** What the log says of damaged content that the scrub found. */
const damageText = {
  content:
    'a blob is damaged: its bytes are others than its digest names; it is in quarantine until it is pushed again',
  length: 'a blob is damaged: it has another length than was stored; it is in quarantine until it is pushed again',
  missing: 'a blob is missing from the store, and counts as absent until it is pushed again',
  unreadable: 'a blob cannot be read from the disk; it is in quarantine until it is pushed again',
  manifest: 'a manifest is damaged: its bytes in the database are others than its digest names',
} as const

async function requireFitting({ foreignBlobs }: Settings, parts: StoreParts): Promise<void> {
  const reason = foreignBlobs === 'allow' ? undefined : await findForeignToEmpty(parts)
  if (reason !== undefined) throw new Error(`${reason}; LADING_FOREIGN_BLOBS=allow serves nonetheless`)
}

/** Only what says why: the error may carry the whole connection, with what may cancel its queries. */
function logLostConnection(log: Logger) {
  return ({ message, code }: Error & { code?: string }) =>
    log.warn({ reason: message, code }, 'a connection to the database was lost')
}
