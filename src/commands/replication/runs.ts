import { setTimeout as delay } from 'node:timers/promises'
import type { ReplicationFinding, ReplicationRun, ReplicationRunChange, ReplicationRunKind } from '#admin/model.ts'
import type { Wire } from '#commands/api/client.ts'
import { type ApiCall, CommandError, type Explained, textsOf } from '#commands/command.ts'
import { bytes } from '#commands/lifecycle-summary.ts'
import { type Column, type Fields, onePage, pageSize, shownPages, time } from '#commands/output.ts'
import { exitWithFaults, printDestination, readDestination } from './destinations.ts'

type Run = Wire<ReplicationRun>

const filters: readonly Explained[] = [
  ['--destination <account/region...>', 'only these registries; without it each that a rule names'],
  ['--repository <prefix...>', 'only repositories with a name that begins so'],
]
const lost: Explained = [
  '--include-lost',
  'also send images that were there and are gone without a trace, as after a loss of data',
]
const wait: Explained = ['--wait', 'end when it is done; with code 2 if something failed or differs']

export const syncOptions: readonly Explained[] = [
  ...filters,
  ['--tag <pattern...>', 'only images with such a tag, such as v*, with their children and referrers'],
  ['--dry-run', 'send nothing: count the images and bytes that would be sent'],
  lost,
  ['--pause', 'pause back-fills; pushes are still copied'],
  ['--resume', 'resume them'],
  ['--cancel', 'end them: what was sent stays'],
  wait,
]

export const verifyOptions: readonly Explained[] = [
  ...filters,
  ['--repair', 'send what is missing; never what the destination deleted'],
  lost,
  ['--cancel', 'end verifications that are under way'],
  wait,
]

export async function sync(call: ApiCall): Promise<void> {
  const change = readChange(call)
  if (change !== undefined) return changeRuns(call, change, ['SYNC', 'DRY_RUN'])
  const tagPatterns = textsOf(call, 'tag')
  const { runs } = await call.api.call('StartReplicationSync', {
    ...filtersOf(call),
    ...(tagPatterns.length > 0 && { tagPatterns }),
    dryRun: call.options.dryRun === true,
  })
  await follow(call, runs)
}

export async function verify(call: ApiCall): Promise<void> {
  const change = readChange(call)
  if (change !== undefined) return changeRuns(call, change, ['VERIFY'])
  const { runs } = await call.api.call('StartReplicationVerification', {
    ...filtersOf(call),
    repair: call.options.repair === true,
  })
  await follow(call, runs)
}

export async function listRuns(call: ApiCall): Promise<void> {
  const pages = call.api.pages('ListReplicationRuns', { maxResults: pageSize }, ({ runs }) => runs)
  await call.output.list('runs', shownPages(pages, runFields), columns)
}

export async function listFindings(call: ApiCall): Promise<void> {
  const [runId = ''] = call.arguments
  const input = { runId, maxResults: pageSize }
  const pages = call.api.pages('ListReplicationFindings', input, ({ findings }) => findings)
  await call.output.list('findings', shownPages(pages, findingFields), findingColumns)
}

const findingColumns: readonly Column[] = ['kind', 'repository', 'tag', 'digest', 'destinationDigest', 'reason']

function findingFields(finding: Wire<ReplicationFinding>): Fields {
  return {
    ...{ kind: finding.kind.toLowerCase(), repository: finding.repositoryName, tag: finding.imageTag },
    ...{ digest: finding.imageDigest, destinationDigest: finding.destinationImageDigest, reason: finding.reason },
  }
}

function filtersOf(call: ApiCall) {
  const destinations = textsOf(call, 'destination').map(readDestination)
  const repositoryPrefixes = textsOf(call, 'repository')
  return {
    ...(destinations.length > 0 && { destinations }),
    ...(repositoryPrefixes.length > 0 && { repositoryPrefixes }),
    includeLost: call.options.includeLost === true,
  }
}

/** @throws CommandError */
function readChange({ options }: ApiCall): ReplicationRunChange | undefined {
  const given = (['pause', 'resume', 'cancel'] as const).filter((name) => options[name] === true)
  const [change] = given
  if (given.length > 1) throw new CommandError(`expected one of ${given.map((name) => `--${name}`).join(' and ')}`)
  return change && ({ pause: 'PAUSE', resume: 'RESUME', cancel: 'CANCEL' } as const)[change]
}

async function changeRuns(
  call: ApiCall,
  change: ReplicationRunChange,
  kinds: readonly ReplicationRunKind[],
): Promise<void> {
  const wanted = textsOf(call, 'destination').map((text) => printDestination(readDestination(text)))
  const changed: Run[] = []
  for (const run of await unfinishedRuns(call)) {
    const isWanted = wanted.length === 0 || wanted.includes(printDestination(run.destination))
    if (!kinds.includes(run.kind) || !isWanted) continue
    changed.push((await call.api.call('UpdateReplicationRun', { runId: run.runId, change })).run)
  }
  await follow(call, changed)
}

export async function unfinishedRuns({ api }: ApiCall): Promise<readonly Run[]> {
  const found: Run[] = []
  const input = { unfinishedOnly: true, maxResults: pageSize }
  for await (const runs of api.pages('ListReplicationRuns', input, (answer) => answer.runs)) found.push(...runs)
  return found
}

const pollMs = 1_000

/** Shows the runs, with `--wait` once they are over. */
async function follow(call: ApiCall, runs: readonly Run[]): Promise<void> {
  const shown: Run[] = []
  for (let run of runs) {
    while (call.options.wait === true && isUnfinished(run)) {
      await delay(pollMs)
      run = (await call.api.call('DescribeReplicationRun', { runId: run.runId })).run
    }
    shown.push(run)
  }
  await call.output.list('runs', onePage(shown.map(runFields)), columns)
  for (const { runId, kind, counts } of shown) {
    if (kind === 'VERIFY' || counts.deleted + counts.lost + counts.tagsDeleted === 0) continue
    call.output.note(
      `\n${counts.deleted + counts.lost} images and ${counts.tagsDeleted} tags are gone at the destination and are not sent: lading replication findings ${runId}`,
    )
  }
  if (call.options.wait === true && shown.some(isFaulty)) exitWithFaults()
}

function isUnfinished({ status }: Run): boolean {
  return status === 'RUNNING' || status === 'PAUSED'
}

function isFaulty({ kind, status, repair, counts }: Run): boolean {
  if (status !== 'COMPLETE' || counts.sendingFailed + counts.failed > 0) return true
  if (kind !== 'VERIFY' || repair) return false
  return counts.missing + counts.lost + counts.tagsMissing + counts.tagsDiffering > 0
}

const columns: readonly Column[] = [
  ...['run', 'kind', 'destination', 'status', 'listed', 'toSend', 'sending', 'failed', 'missing', 'lost'],
  ...['tagsDiffering', 'deletedThere'],
  { heading: 'size', cell: ({ sizeBytes }) => (typeof sizeBytes === 'number' ? bytes(sizeBytes) : undefined) },
]

function runFields({ counts, ...run }: Run): Fields {
  return {
    ...{ run: run.runId, kind: kindNames[run.kind], destination: printDestination(run.destination) },
    ...{ status: run.status.toLowerCase(), startedAt: timeOf(run.startedAt), startedBy: run.startedBy },
    ...{ finishedAt: timeOf(run.finishedAt), lastRepository: run.lastRepositoryName, reason: run.reason },
    ...{ listed: counts.listed, present: counts.present, toSend: counts.toSend, sending: counts.sending },
    ...{ failed: counts.failed + counts.sendingFailed, waiting: counts.waiting, missing: counts.missing },
    ...{ lost: counts.lost, deletedThere: counts.deleted, tagsMissing: counts.tagsMissing },
    ...{ tagsDiffering: counts.tagsDiffering, tagsDeletedThere: counts.tagsDeleted },
    ...{ findingsDropped: counts.findingsDropped, sizeBytes: counts.sizeInBytes },
  }
}

const kindNames = { SYNC: 'sync', DRY_RUN: 'dry run', VERIFY: 'verify' } as const satisfies Record<
  ReplicationRunKind,
  string
>

/** AWS JSON has times in seconds. */
function timeOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : time(Math.round(at * 1_000))
}
