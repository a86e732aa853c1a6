import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { ImageInUse, InUseReport } from '#admin/model.ts'
import { isRepositoryName } from '#names/repository-name.ts'
import type { Wire } from './api/client.ts'
import { type ApiCall, CommandError, type CommandGroup, textOf, textsOf } from './command.ts'
import { type Inventory, InventoryError, ofRegistry, parseInventory } from './in-use/inventory.ts'
import { type Mirror, parseMirror } from './in-use/mirrors.ts'
import { readRepositoryName } from './names.ts'
import { type Fields, shownPages, time } from './output.ts'

export const inUseCommands: CommandGroup = {
  name: 'in-use',
  description: 'images that clusters run, which a registry or a repository can be told to keep',
  commands: [
    {
      name: 'report',
      over: 'api',
      description: 'say what a cluster runs now, in place of what it said before',
      arguments: [
        [
          '[file]',
          "of 'kubectl get pods -A -o json', 'aws ecs describe-tasks', or lines of repository@digest; without it standard input",
        ],
      ],
      options: [
        ['--cluster <name>', 'which cluster'],
        ['--ttl <duration>', 'for how long that counts: 90m, 24h, 7d; by default 24h'],
        ['--registry-host <host...>', "further hosts, with their ports, under which images are this registry's"],
        [
          '--mirror <host=prefix...>',
          'an upstream that clusters pull through this registry, and the prefix of its repositories here: docker.io=docker-hub/',
        ],
        ['--allow-empty', 'report that nothing of this registry runs there'],
      ],
      example: 'lading in-use report --cluster prod pods.json',
      run: report,
    },
    {
      name: 'list',
      over: 'api',
      description: 'list the reports that count, or the images of one',
      options: [
        ['--cluster <name>', 'the images that this cluster runs'],
        ['--repository <name>', 'the images of this repository that run anywhere'],
      ],
      example: 'lading in-use list --repository team/app',
      run: list,
    },
    {
      name: 'keep',
      over: 'api',
      description: 'tell a repository to keep what is in use, not to, or to do as its registry; or ask which it does',
      arguments: [
        ['<repository>', 'its name'],
        ['[choice]', 'on, off or inherit; without it nothing changes'],
      ],
      example: 'lading in-use keep team/app on',
      run: keep,
    },
    {
      name: 'delete',
      over: 'api',
      description: 'forget what a cluster said, so that nothing is kept for it',
      arguments: [['<cluster>', 'its name']],
      example: 'lading in-use delete prod',
      run: forget,
    },
  ],
}

async function report(call: ApiCall): Promise<void> {
  const cluster = textOf(call, 'cluster')
  if (cluster === undefined) throw new CommandError('which cluster is not said: give --cluster, such as --cluster prod')
  const ttl = textOf(call, 'ttl')
  const ttlSeconds = ttl === undefined ? undefined : parseSeconds(ttl)
  const mirrors = textsOf(call, 'mirror').map(readMirror)
  const inventory = await readInventory(call.arguments[0])
  const { endpoint, region } = call.target
  const hosts = [endpoint.host, ...textsOf(call, 'registryHost')]
  const { own, others } = ofRegistry(inventory, { hosts, region, mirrors })
  const images = own.flatMap(({ repository: repositoryName, digest: imageDigest }) =>
    isRepositoryName(repositoryName) ? [{ repositoryName, imageDigest }] : [],
  )
  // Rather none than one that takes protection away, since it is likelier that a host is missing.
  if (images.length === 0 && call.options.allowEmpty !== true) {
    throw new CommandError(
      `nothing in the input is an image of this registry (${hosts.join(', ')}) with a digest: ${whatIs(inventory, others)}. Name its host by --registry-host, an upstream that it mirrors by --mirror, or say --allow-empty`,
    )
  }
  const answer = await call.api.call('ReportImagesInUse', { cluster, images, ttlSeconds })
  const { withoutDigest } = inventory
  call.output.show({
    ...reportFields(answer.report),
    unknownImages: answer.unknownImageCount,
    otherRegistries: others,
    withoutDigest: withoutDigest.length,
  })
  if ((answer.unknownImageCount ?? 0) > 0) {
    call.output.note(`\n${answer.unknownImageCount} of the images are not in the registry: nothing is kept for them.`)
  }
  if (withoutDigest.length > 0) {
    call.output.note(`\nWithout a digest it is not known what runs: ${withoutDigest.slice(0, 10).join(', ')}`)
  }
}

/** @throws CommandError */
function readMirror(text: string): Mirror {
  const mirror = parseMirror(text)
  if (mirror !== undefined) return mirror
  throw new CommandError(
    `${JSON.stringify(text)} is no mirror: expected <host>=<prefix>, such as docker.io=docker-hub/; a file comes before this option`,
  )
}

/** What an inventory has of others. */
function whatIs({ withoutDigest }: Inventory, others: number): string {
  const count = withoutDigest.length
  const found = [
    ...(others > 0 ? [`${others} others were skipped`] : []),
    ...(count > 0 ? [`${count} had no digest, such as ${JSON.stringify(withoutDigest[0])}`] : []),
  ]
  return found.length === 0 ? 'it names no image' : found.join(', and ')
}

async function readInventory(file: string | undefined): Promise<Inventory> {
  const input = file === undefined || file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
  try {
    return parseInventory(input)
  } catch (error) {
    throw error instanceof InventoryError ? new CommandError(error.message) : error
  }
}

/** For how long a report may count. */
const [leastSeconds, mostSeconds] = [300, 30 * 86_400]

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** @throws CommandError */
function parseSeconds(duration: string): number {
  const [, number, unit = ''] = /^(\d{1,7})([smhd])$/.exec(duration) ?? []
  const seconds = unitSeconds[unit]
  if (number === undefined || seconds === undefined) {
    throw new CommandError(
      `${JSON.stringify(duration)} is no duration: expected a number and s, m, h or d, such as 24h`,
    )
  }
  const total = Number(number) * seconds
  if (total < leastSeconds || total > mostSeconds) {
    throw new CommandError(`${JSON.stringify(duration)} is out of range: expected 5m to 30d`)
  }
  return total
}

async function list(call: ApiCall): Promise<void> {
  const cluster = textOf(call, 'cluster')
  const repositoryName = textOf(call, 'repository')
  if (cluster === undefined && repositoryName === undefined) {
    const reports = call.api.pages('ListInUseReports', { maxResults: 1_000 }, (answer) => answer.reports)
    await call.output.list('reports', shownPages(reports, reportFields), reportColumns)
    return
  }
  const named = repositoryName === undefined ? undefined : readRepositoryName(repositoryName)
  const input = { cluster, repositoryName: named, maxResults: 1_000 }
  const images = call.api.pages('ListImagesInUse', input, (answer) => answer.images)
  await call.output.list('images', shownPages(images, imageFields), ['repository', 'digest', 'cluster', 'expiresAt'])
}

const choices = { on: 'ENABLED', off: 'DISABLED', inherit: 'INHERITED' } as const

async function keep(call: ApiCall): Promise<void> {
  const [name = '', choice] = call.arguments
  const repositoryName = readRepositoryName(name)
  if (choice !== undefined && !isChoice(choice)) {
    throw new CommandError(`${JSON.stringify(choice)} is no choice: expected on, off or inherit`)
  }
  const { keepInUse, keepsInUse } =
    choice === undefined
      ? await call.api.call('GetRepositoryRetention', { repositoryName })
      : await call.api.call('PutRepositoryRetention', { repositoryName, keepInUse: choices[choice] })
  const chosen = Object.entries(choices).find(([, value]) => value === keepInUse)?.[0]
  call.output.show({ repository: repositoryName, choice: chosen, keepsInUse })
}

function isChoice(text: string): text is keyof typeof choices {
  return Object.hasOwn(choices, text)
}

const reportColumns = ['cluster', 'images', 'reportedAt', 'expiresAt', 'reportedBy']

async function forget(call: ApiCall): Promise<void> {
  const [cluster = ''] = call.arguments
  await call.api.call('DeleteInUseReport', { cluster })
  call.output.show({ cluster })
}

function reportFields({ cluster, imageCount, reportedAt, expiresAt, reportedBy }: Wire<InUseReport>): Fields {
  return { cluster, images: imageCount, reportedAt: timeOf(reportedAt), expiresAt: timeOf(expiresAt), reportedBy }
}

function imageFields({ repositoryName, imageDigest, cluster, expiresAt }: Wire<ImageInUse>): Fields {
  return { repository: repositoryName, digest: imageDigest, cluster, expiresAt: timeOf(expiresAt) }
}

function timeOf(seconds: number): string | undefined {
  return time(Math.round(seconds * 1_000))
}
