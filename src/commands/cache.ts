import type { PullThroughCache, PutPullThroughCacheSettingsResponse } from '#admin/model.ts'

import { isRepositoryPrefix } from '#names/repository-prefix.ts'

import type { Wire } from './api/client.ts'
import { printAge, readAge, readSize } from './cache/units.ts'
import { type ApiCall, CommandError, type CommandGroup, textOf } from './command.ts'
import { originCommand, readRepository } from './image-origin.ts'
import { bytes } from './lifecycle-summary.ts'

import { type Column, type Fields, pageSize, shownPages, time } from './output.ts'

const prefix = ['<prefix>', "the rule's repository prefix, or ROOT"] as const

export const cacheCommands: CommandGroup = {
  name: 'cache',
  description: 'the pull through cache: what it holds, how long answers of upstreams count, and asking them now',
  commands: [
    {
      name: 'status',
      over: 'api',
      description: 'show what each rule has cached, and how requests to its upstream went',
      arguments: [['[prefix]', 'only the rule with this repository prefix, in all detail']],
      example: 'lading cache status docker-hub',
      run: showStatus,
    },
    {
      name: 'refresh',
      over: 'api',
      description: 'ask the upstream now about the cached tags of a repository, or about one tag',
      arguments: [['[repository[:tag]]', 'a repository, with a tag or without']],
      options: [['--prefix <prefix>', 'instead: all repositories of the rule with this repository prefix']],
      example: 'lading cache refresh docker-hub/library/alpine:3.22',
      run: refresh,
    },
    {
      name: 'set',
      over: 'api',
      description: 'change how long answers of the upstream count, or how much a rule may cache',
      arguments: [prefix],
      options: [
        [
          '--max-age <duration>',
          'how long a tag is served without a check: 30m, 24h, 7d; 0 checks at each pull; never',
        ],
        ['--max-bytes <size>', 'how many bytes cached images may have: 500MiB, 10GiB; none'],
      ],
      example: 'lading cache set docker-hub --max-age 1h --max-bytes 10GiB',
      run: set,
    },
    { ...originCommand, example: 'lading cache origin docker-hub/library/alpine:3.22' },
  ],
}

const columns: readonly Column[] = [
  ...['prefix', 'upstream', 'repositories', 'images'],
  { heading: 'size', cell: ({ sizeBytes }) => bytes(Number(sizeBytes)) },
  { heading: 'limit', cell: ({ maxBytes }) => (typeof maxBytes === 'number' ? bytes(maxBytes) : maxBytes) },
  { heading: 'maxAge', cell: ({ maxAgeSeconds }) => ageText(maxAgeSeconds) },
  ...['lastSuccessAt', 'lastFailureAt'],
]

async function showStatus(call: ApiCall): Promise<void> {
  const [text] = call.arguments
  if (text === undefined) {
    const pages = call.api.pages('DescribePullThroughCache', { maxResults: pageSize }, ({ caches }) => caches)
    await call.output.list('caches', shownPages(pages, cacheFields), columns)
    return
  }
  const { caches } = await call.api.call('DescribePullThroughCache', { ecrRepositoryPrefix: readPrefix(text) })
  const [cache] = caches
  if (cache === undefined) throw new CommandError(`the server knows no rule with the prefix ${JSON.stringify(text)}`)
  call.output.show(cacheFields(cache))
}

async function refresh(call: ApiCall): Promise<void> {
  const [image] = call.arguments
  const ofPrefix = textOf(call, 'prefix')
  if ((image === undefined) === (ofPrefix === undefined)) {
    throw new CommandError('expected either a repository, with a tag or without, or --prefix <prefix>')
  }
  const target = image === undefined ? { ecrRepositoryPrefix: readPrefix(ofPrefix ?? '') } : readRepository(image)
  const { tagCount: tags } = await call.api.call('RefreshPullThroughCache', target)
  call.output.show({ ...target, tags })
  if (tags === 0) call.output.note('Nothing cached has a tag there.')
}

async function set(call: ApiCall): Promise<void> {
  const [maxAge, maxBytes] = [textOf(call, 'maxAge'), textOf(call, 'maxBytes')]
  if (maxAge === undefined && maxBytes === undefined) {
    throw new CommandError('nothing to change: give --max-age or --max-bytes')
  }
  const answer = await call.api.call('PutPullThroughCacheSettings', {
    ecrRepositoryPrefix: readPrefix(call.arguments[0] ?? ''),
    ...(maxAge !== undefined && { maxAgeSeconds: readAge(maxAge) }),
    ...(maxBytes !== undefined && { maxSizeInBytes: readSize(maxBytes) }),
  })
  call.output.show({ prefix: answer.ecrRepositoryPrefix, ...settingFields(answer) })
}

/** @throws CommandError */
function readPrefix(text: string): string {
  const without = text.replace(/\/$/, '')
  if (without.length >= 2 && isRepositoryPrefix(without)) return without
  throw new CommandError(`${JSON.stringify(text)} is no repository prefix: expected one such as docker-hub, or ROOT`)
}

type Settings = Pick<Wire<PutPullThroughCacheSettingsResponse>, 'maxAgeSeconds' | 'maxSizeInBytes'>

function settingFields({ maxAgeSeconds, maxSizeInBytes }: Settings): Fields {
  return {
    maxAgeSeconds: maxAgeSeconds === -1 ? 'never' : maxAgeSeconds,
    maxBytes: maxSizeInBytes === 0 ? 'none' : maxSizeInBytes,
  }
}

function ageText(value: unknown): string {
  return typeof value === 'number' ? printAge(value) : String(value)
}

function cacheFields(cache: Wire<PullThroughCache>): Fields {
  const { lastFailure: failure, rateLimit: limit, lastSuccessAt } = cache
  return {
    ...{ prefix: cache.ecrRepositoryPrefix, upstream: cache.upstreamRegistryUrl },
    ...{ repositories: cache.repositoryCount, images: cache.imageCount, sizeBytes: cache.sizeInBytes },
    importsWaiting: cache.imports.waiting,
    ...{ importsRunning: cache.imports.running, importsFailed: cache.imports.failed, ...settingFields(cache) },
    lastSuccessAt: timeText(lastSuccessAt),
    ...{ lastFailureAt: timeText(failure?.at), failure: failure?.code, failureReason: failure?.reason },
    ...{ rateLimitRemaining: limit?.remaining, rateLimitRequests: limit?.requests },
    ...{ rateLimitWindowSeconds: limit?.windowSeconds, rateLimitReadAt: timeText(limit?.readAt) },
  }
}

/** AWS JSON has times in seconds. */
function timeText(at: number | undefined): string | undefined {
  return at === undefined ? undefined : time(Math.round(at * 1_000))
}
