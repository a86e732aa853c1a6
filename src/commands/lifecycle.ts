import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type {
  LifecyclePreviewImage,
  LifecyclePreviewSummary,
  PreviewLifecycleRequest,
  PreviewLifecycleResponse,
} from '#admin/model.ts'
import type { Api, Wire } from './api/client.ts'
import type { ApiCall, CommandGroup } from './command.ts'
import { bytes, summaryLines } from './lifecycle-summary.ts'
import { readRepositoryName } from './names.ts'
import { type Fields, time } from './output.ts'

export const lifecycleCommands: CommandGroup = {
  name: 'lifecycle',
  description: 'lifecycle policies, before they are put',
  commands: [
    {
      name: 'preview',
      over: 'api',
      description: 'tell what a lifecycle policy would do with each image, and why; changes nothing',
      arguments: [['<repository>', 'its name']],
      options: [
        ['--policy <file>', 'a draft, or - for standard input; without it the policy in force'],
        ['--all', 'list what is kept too'],
      ],
      example: 'lading lifecycle preview team/app --policy policy.json',
      run: preview,
    },
  ],
}

type Answer = Wire<PreviewLifecycleResponse>
type Image = Wire<LifecyclePreviewImage>

async function preview(call: ApiCall): Promise<void> {
  const [name = ''] = call.arguments
  const repositoryName = readRepositoryName(name)
  const { api } = call
  const { policy } = call.options
  const draft = typeof policy === 'string' ? await readDraft(policy) : undefined
  const input = { repositoryName, maxResults: 1_000, ...(draft !== undefined && { lifecyclePolicyText: draft }) }
  const first = await api.call('PreviewLifecycle', input)
  const { summary } = first
  for (const line of summaryLines(summary)) call.output.note(line)
  const all = call.options.all === true
  await call.output.list('images', fieldsOf(pagesOf(api, input, first), all), columns, {
    also: { summary: summaryFields(summary) },
    titleOf: ({ verdict, change }) =>
      titles[verdict === 'KEEP' && change === '-' ? 'SPARED' : (verdict as Image['verdict'])],
    // The summary says so already.
    none: '',
  })
}

const titles = {
  EXPIRE: 'Would go',
  ARCHIVE: 'Would go',
  BLOCKED: 'Would go, but for what keeps it',
  SPARED: 'Would go under the policy in force alone',
  KEEP: 'Would stay',
} as const

const columns = [
  'change',
  { heading: 'action', cell: ({ verdict }: Fields) => String(verdict).toLowerCase() },
  'tags',
  { heading: 'size', cell: ({ sizeBytes }: Fields) => bytes(Number(sizeBytes)) },
  ...['pushedAt', 'pulledAt', 'rule', 'reason', 'digest'],
]

/** Any text may be a policy: the server says what is wrong with it. */
async function readDraft(file: string): Promise<string> {
  return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
}

async function* pagesOf(api: Api, input: PreviewLifecycleRequest, first: Answer): AsyncGenerator<Answer> {
  let page = first
  for (;;) {
    yield page
    if (page.nextToken === undefined) return
    page = await api.call('PreviewLifecycle', { ...input, nextToken: page.nextToken })
  }
}

/** What stays comes last, led by what only the policy in force takes. */
async function* fieldsOf(pages: AsyncIterable<Answer>, all: boolean): AsyncGenerator<readonly Fields[]> {
  for await (const { images } of pages) {
    const shown = images.filter(({ verdict, goesUnder }) => all || verdict !== 'KEEP' || goesUnder === 'IN_FORCE')
    yield shown.map(imageFields)
    if (shown.length < images.length) return
  }
}

function imageFields(image: Image): Fields {
  const { goesUnder } = image
  return {
    change: goesUnder === 'DRAFT' ? '+' : goesUnder === 'IN_FORCE' ? '-' : undefined,
    verdict: image.verdict,
    digest: image.imageDigest,
    tags: image.imageTags,
    sizeBytes: image.imageSizeInBytes,
    pushedAt: timeOf(image.imagePushedAt),
    pulledAt: timeOf(image.lastRecordedPullTime),
    rule: image.rulePriority,
    ruleDescription: image.ruleDescription,
    reason: image.reason,
    subject: image.subjectDigest,
    indexes: image.indexDigests,
    inUseBy: image.inUseBy?.map(({ cluster, until }) => ({ cluster, until: timeOf(until) })),
    goesUnder,
  }
}

function summaryFields({
  evaluatedAt,
  expiringSizeInBytes,
  freedSizeInBytes,
  ...summary
}: Wire<LifecyclePreviewSummary>) {
  return {
    ...summary,
    evaluatedAt: timeOf(evaluatedAt),
    ...{ expiringSizeBytes: expiringSizeInBytes, freedSizeBytes: freedSizeInBytes },
  }
}

function timeOf(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : time(Math.round(seconds * 1_000))
}
