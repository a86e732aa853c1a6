import type { ReplicationImage, ReplicationStatus } from '#admin/model.ts'
import type { Wire } from './api/client.ts'
import { type ApiCall, type CommandGroup, textOf } from './command.ts'
import { bytes } from './lifecycle-summary.ts'
import { type Column, type Fields, onePage, pageSize, shownPages, time } from './output.ts'
import { destinationOption, exitWithFaults, printDestination, readDestination } from './replication/destinations.ts'
import { listFindings, listRuns, sync, syncOptions, unfinishedRuns, verify, verifyOptions } from './replication/runs.ts'

export const replicationCommands: CommandGroup = {
  name: 'replication',
  description: 'copies in other registries: how far they are, and what failed',
  commands: [
    {
      name: 'status',
      over: 'api',
      description:
        'show how far each destination is; ends with code 2 if images failed or a destination is out of reach',
      options: [destinationOption, ['--failed', 'list the images that destinations refused, and why']],
      example: 'lading replication status --destination 000000000000/eu-west-1 --failed',
      run: showStatus,
    },
    {
      name: 'sync',
      over: 'api',
      description: 'send the images that were there before a rule, or were not sent for another reason',
      options: syncOptions,
      example: 'lading replication sync --repository team/ --dry-run --wait',
      run: sync,
    },
    {
      name: 'verify',
      over: 'api',
      description: 'compare both sides by digests, images and tags',
      options: verifyOptions,
      example: 'lading replication verify --repair --wait',
      run: verify,
    },
    {
      name: 'runs',
      over: 'api',
      description: 'list back-fills, dry runs and verifications, the newest first',
      example: 'lading replication runs',
      run: listRuns,
    },
    {
      name: 'findings',
      over: 'api',
      description: 'list what a run found, image by image',
      arguments: [['<run>', 'its number, as runs lists it']],
      example: 'lading replication findings 12',
      run: listFindings,
    },
    {
      name: 'retry',
      over: 'api',
      description: 'try now what was refused or waits for its next attempt',
      options: [destinationOption],
      example: 'lading replication retry --destination 000000000000/eu-west-1',
      run: retry,
    },
  ],
}

const columns: readonly Column[] = [
  ...['destination', 'waiting', 'failed', 'paused'],
  { heading: 'behind', cell: ({ secondsBehind }) => `${secondsBehind}s` },
  'sentImages',
  { heading: 'sent', cell: ({ sentBytes }) => bytes(Number(sentBytes)) },
  ...['lastSuccessAt', 'unreachableSince', 'nextAttemptAt'],
]

/** @throws CommandError */
function destinationOf(call: ApiCall) {
  const text = textOf(call, 'destination')
  return text === undefined ? undefined : readDestination(text)
}

async function showStatus(call: ApiCall): Promise<void> {
  const destination = destinationOf(call)
  if (call.options.failed === true) {
    const input = { status: 'FAILED' as const, maxResults: pageSize, ...(destination && { destination }) }
    const pages = call.api.pages('ListReplicationImages', input, ({ images }) => images)
    await call.output.list('images', countedPages(shownPages(pages, imageFields)), failedColumns)
    return
  }
  const { destinations } = await call.api.call('DescribeReplication', {})
  const shown = destinations.filter(
    (each) => destination === undefined || printDestination(each.destination) === printDestination(destination),
  )
  await call.output.list('destinations', onePage(shown.map(statusFields)), columns)
  for (const { destination: to, failures, unreachable } of shown) {
    for (const { imageCount, failureCode, reason } of failures) {
      call.output.note(`\n${printDestination(to)}: ${imageCount} failed with ${failureCode}: ${reason}`)
    }
    if (unreachable !== undefined) call.output.note(`\n${printDestination(to)}: out of reach: ${unreachable.reason}`)
  }
  for (const { runId, kind, status, destination: to, reason } of await unfinishedRuns(call)) {
    const name = kind.toLowerCase().replace('_', ' ')
    call.output.note(
      `\n${printDestination(to)}: ${name} ${runId} is ${status.toLowerCase()}${reason === undefined ? '' : `: ${reason}`}`,
    )
  }
  if (shown.some(({ failedCount, unreachable }) => failedCount > 0 || unreachable !== undefined)) exitWithFaults()
}

const failedColumns: readonly Column[] = [
  ...['destination', 'repository', 'tags', 'code', 'reason', 'pushedAt', 'nextAttemptAt', 'digest'],
]

async function* countedPages(pages: AsyncIterable<readonly Fields[]>): AsyncGenerator<readonly Fields[]> {
  for await (const page of pages) {
    if (page.length > 0) exitWithFaults()
    yield page
  }
}

async function retry(call: ApiCall): Promise<void> {
  const destination = destinationOf(call)
  const { imageCount: images } = await call.api.call('RetryReplication', { ...(destination && { destination }) })
  call.output.show({ destination: destination && printDestination(destination), images })
}

function statusFields({ destination, failures, unreachable, ...status }: Wire<ReplicationStatus>): Fields {
  return {
    ...{ destination: printDestination(destination), inRules: status.inRules },
    ...{ waiting: status.waitingCount, failed: status.failedCount, paused: status.pausedCount },
    ...{ secondsBehind: status.secondsBehind, oldestPushAt: timeOf(status.oldestPushAt) },
    ...{ sentImages: status.sentImageCount, sentBytes: status.sentSizeInBytes },
    ...{ lastSuccessAt: timeOf(status.lastSuccessAt), unreachableSince: timeOf(unreachable?.since) },
    ...{ nextAttemptAt: timeOf(unreachable?.nextAttemptAt), unreachableReason: unreachable?.reason },
    failures: failures.map(({ failureCode, reason, imageCount }) => ({
      code: failureCode,
      reason,
      images: imageCount,
    })),
  }
}

function imageFields({ destination, ...image }: Wire<ReplicationImage>): Fields {
  return {
    ...{ destination: printDestination(destination), repository: image.repositoryName, digest: image.imageDigest },
    ...{ tags: image.imageTags, cause: image.cause.toLowerCase(), code: image.failureCode, reason: image.reason },
    ...{ pushedAt: timeOf(image.pushedAt), attempts: image.attempts, nextAttemptAt: timeOf(image.nextAttemptAt) },
  }
}

/** AWS JSON has times in seconds. */
function timeOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : time(Math.round(at * 1_000))
}
