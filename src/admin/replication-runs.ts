import type { Handlers } from '#aws/operation.ts'
import type { ListedFinding } from '#replication/runs/findings.ts'
import type { ReplicationRuns, RunChange, RunStatus } from '#replication/runs/runs.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { openPage } from './paging.ts'
import { refuse } from './refusals.ts'
import { describeRegistry, readDestination } from './replication-destinations.ts'

export interface ReplicationRunParts {
  readonly replicationRuns: ReplicationRuns
}

/** Back-fills, and comparisons of both sides. */
export function replicationRunOperations({ replicationRuns }: ReplicationRunParts) {
  return {
    StartReplicationSync: {
      resource: () => '*',
      handle: async ({ input, registry, principal }) => {
        const runs = await replicationRuns.start(registry, {
          kind: input.dryRun === true ? 'dry-run' : 'sync',
          destinations: (input.destinations ?? []).map(readDestination),
          request: {
            ...{ prefixes: input.repositoryPrefixes ?? [], tagPatterns: input.tagPatterns ?? [] },
            ...{ repair: false, includeLost: input.includeLost ?? false },
          },
          by: principal.arn,
        })
        return { registryId: registry.account, runs: runs.map(describeRun) }
      },
    },

    StartReplicationVerification: {
      resource: () => '*',
      handle: async ({ input, registry, principal }) => {
        const runs = await replicationRuns.start(registry, {
          kind: 'verify',
          destinations: (input.destinations ?? []).map(readDestination),
          request: {
            ...{ prefixes: input.repositoryPrefixes ?? [], tagPatterns: [] },
            ...{ repair: input.repair ?? false, includeLost: input.includeLost ?? false },
          },
          by: principal.arn,
        })
        return { registryId: registry.account, runs: runs.map(describeRun) }
      },
    },

    DescribeReplicationRun: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const run = await replicationRuns.get(registry, readRunId(input.runId))
        return { registryId: registry.account, run: describeRun(run) }
      },
    },

    ListReplicationRuns: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const { unfinishedOnly: unfinished = false } = input
        const page = openPage(input, ['ListReplicationRuns', registry, unfinished], 1)
        const { items, next } = await replicationRuns.list(registry, {
          ...{ unfinished, limit: page.limit, after: readKey(page.after) },
        })
        return {
          ...{ registryId: registry.account, runs: items.map(describeRun) },
          nextToken: page.nextToken(next === undefined ? undefined : [String(next)]),
        }
      },
    },

    UpdateReplicationRun: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const run = await replicationRuns.change(registry, readRunId(input.runId), changes[input.change])
        return { registryId: registry.account, run: describeRun(run) }
      },
    },

    ListReplicationFindings: {
      resource: () => '*',
      handle: async ({ input, registry }) => {
        const { runId, kind } = input
        const page = openPage(input, ['ListReplicationFindings', registry, runId, kind], 1)
        const { items, next } = await replicationRuns.listFindings(registry, readRunId(runId), {
          ...{ kind, limit: page.limit, after: readKey(page.after) },
        })
        return {
          ...{ registryId: registry.account, findings: items.map(describeFinding) },
          nextToken: page.nextToken(next === undefined ? undefined : [String(next)]),
        }
      },
    },
  } satisfies Handlers<
    Operations,
    | 'StartReplicationSync'
    | 'StartReplicationVerification'
    | 'DescribeReplicationRun'
    | 'ListReplicationRuns'
    | 'UpdateReplicationRun'
    | 'ListReplicationFindings'
  >
}

const changes = { PAUSE: 'pause', RESUME: 'resume', CANCEL: 'cancel' } as const satisfies Record<
  wire.ReplicationRunChange,
  RunChange
>

const kinds = { sync: 'SYNC', 'dry-run': 'DRY_RUN', verify: 'VERIFY' } as const satisfies Record<
  RunStatus['kind'],
  wire.ReplicationRunKind
>

/** The model bounds its digits. Larger numbers are no ids either. */
function readRunId(text: string): number {
  const id = Number(text)
  return Number.isSafeInteger(id) ? id : 0
}

/** @throws Refusal `PageTokenInvalid` */
function readKey(after: readonly string[] | undefined): number | undefined {
  if (after === undefined) return undefined
  const id = Number(after[0])
  if (!Number.isSafeInteger(id)) throw refuse('PageTokenInvalid', {})
  return id
}

function describeRun({ request, counts, items, ...run }: RunStatus): wire.ReplicationRun {
  const { bytes, ...images } = counts
  return {
    ...{ runId: String(run.id), kind: kinds[run.kind], status: run.state },
    ...{ destination: describeRegistry(run.destination), repair: request.repair, includeLost: request.includeLost },
    ...(request.prefixes.length > 0 && { repositoryPrefixes: request.prefixes }),
    ...(request.tagPatterns.length > 0 && { tagPatterns: request.tagPatterns }),
    ...{ startedAt: new Date(run.createdAt), startedBy: run.requestedBy, finishedAt: dateOf(run.finishedAt) },
    ...{ listed: run.listedAt !== undefined, lastRepositoryName: run.after.repository || undefined },
    counts: {
      ...{ ...images, sending: items.waiting, sendingFailed: items.failed },
      sizeInBytes: run.kind === 'dry-run' ? bytes : undefined,
    },
    reason: run.lastError,
  }
}

function describeFinding({ repository, digest, tag, there, ...finding }: ListedFinding): wire.ReplicationFinding {
  return {
    ...{ repositoryName: repository, imageDigest: digest, imageTag: tag, kind: finding.kind },
    ...{ destinationImageDigest: there, reason: finding.reason },
  }
}

function dateOf(at: number | undefined): Date | undefined {
  return at === undefined ? undefined : new Date(at)
}
