import type { GetTagAtResponse, PastImageState, TagMove } from '#admin/model.ts'
import { isTag } from '#names/tag.ts'
import type { Wire } from './api/client.ts'
import { type ApiCall, CommandError, type CommandGroup, textOf } from './command.ts'
import { parseTime, printLocal } from './local-time.ts'
import { readDigest, readRepositoryName } from './names.ts'
import { type Column, type Fields, pageSize, shownPages, time } from './output.ts'

const timeHelp = "2026-11-24T14:00:00Z, or in local time '2026-11-24 14:00'"

export const tagCommands: CommandGroup = {
  name: 'tag',
  description: 'what tags pointed to, and putting them back',
  commands: [
    {
      name: 'history',
      over: 'api',
      description: 'list the moves of a tag, or of all, newest first: when, where to, why and by whom',
      arguments: [
        ['<repository>', 'its name'],
        ['[tag]', 'only this one'],
      ],
      example: 'lading tag history team/app production',
      run: listMoves,
    },
    {
      name: 'show',
      over: 'api',
      description: 'tell what a tag points to, or pointed to at a time, and what became of that image',
      arguments: [
        ['<repository>', 'its name'],
        ['<tag>', 'the tag, be it that it is gone'],
      ],
      options: [['--at <time>', timeHelp]],
      example: "lading tag show team/app production --at '2026-11-24 14:00'",
      run: showTag,
    },
    {
      name: 'rollback',
      over: 'api',
      description: 'point a tag to the last other image that it pointed to, or put it back if it is gone',
      arguments: [
        ['<repository>', 'its name'],
        ['<tag>', 'the tag, be it that it is gone'],
      ],
      options: [
        ['--to <digest>', 'instead: an image that it pointed to'],
        ['--at <time>', `instead: what it pointed to then, ${timeHelp}`],
      ],
      example: 'lading tag rollback team/app production',
      run: rollBack,
    },
  ],
}

async function listMoves(call: ApiCall): Promise<void> {
  const { repositoryName } = repositoryOf(call)
  const [, tag] = call.arguments
  const input = { repositoryName, maxResults: pageSize, ...(tag !== undefined && tagOf(call)) }
  const pages = call.api.pages('ListTagMoves', input, ({ tagMoves }) => tagMoves)
  await call.output.list('moves', shownPages(pages, moveFields), moveColumns)
}

const moveColumns: readonly Column[] = [
  ...['at', 'tag'],
  {
    heading: 'cause',
    cell: ({ cause, sourceAccount, sourceRegion }) =>
      sourceAccount === undefined ? String(cause) : `${cause}, ${sourceAccount} ${sourceRegion}`,
  },
  ...['by', 'to'],
]

async function showTag(call: ApiCall): Promise<void> {
  const at = timeOf(call)
  const answer = await call.api.call('GetTagAt', {
    ...{ ...repositoryOf(call), ...tagOf(call) },
    ...(at !== undefined && { at: seconds(at) }),
  })
  call.output.note(sentenceOf(answer, at))
  call.output.show({
    ...{ tag: answer.imageTag, at: timeText(answer.at) },
    ...{ digest: answer.imageDigest, state: answer.imageState?.toLowerCase().replaceAll('_', ' ') },
    ...(answer.lastMove && { since: timeText(answer.lastMove.movedAt), by: answer.lastMove.movedBy }),
    cause: answer.lastMove?.cause.toLowerCase(),
    ...{ sourceAccount: answer.lastMove?.sourceRegistryId, sourceRegion: answer.lastMove?.sourceRegion },
  })
}

async function rollBack(call: ApiCall): Promise<void> {
  const [to, at] = [textOf(call, 'to'), timeOf(call)]
  if (to !== undefined && at !== undefined) throw new CommandError('say either --to or --at')
  const answer = await call.api.call('RollbackTag', {
    ...{ ...repositoryOf(call), ...tagOf(call) },
    ...(to !== undefined && { imageDigest: readDigest(to) }),
    ...(at !== undefined && { at: seconds(at) }),
  })
  const { repositoryName: repository, imageTag: tag, previousImageDigest: from, imageDigest } = answer
  call.output.show({ repository, tag, from, to: imageDigest })
  if (from === imageDigest) call.output.note('It pointed there already: nothing was changed.')
}

/** @throws CommandError */
function repositoryOf({ arguments: [repositoryName = ''] }: ApiCall) {
  return { repositoryName: readRepositoryName(repositoryName) }
}

/** @throws CommandError */
function tagOf({ arguments: [, imageTag = ''] }: ApiCall) {
  if (isTag(imageTag)) return { imageTag }
  throw new CommandError(`${JSON.stringify(imageTag)} is no tag`)
}

/** Milliseconds since the epoch. @throws CommandError */
function timeOf(call: ApiCall): number | undefined {
  const text = textOf(call, 'at')
  return text === undefined ? undefined : parseTime(text)
}

/** As AWS JSON has times. */
function seconds(at: number): number {
  return at / 1_000
}

function timeText(at: number): string | undefined {
  return time(Math.round(at * 1_000))
}

const fates: Record<PastImageState, string> = {
  ACTIVE: 'which is there',
  ARCHIVED: 'which is archived',
  IN_RECYCLE_BIN: 'which is in the recycle bin',
  GONE: 'which is gone',
}

/** `at` as it was asked for. */
function sentenceOf({ repositoryName, imageTag, ...answer }: Wire<GetTagAtResponse>, at: number | undefined): string {
  const { imageDigest, imageState } = answer
  const [when, verb] = at === undefined ? ['Now', 'points'] : [`At ${printLocal(at)}`, 'pointed']
  const what = imageDigest === undefined ? 'no image, as far as is known' : imageDigest
  const fate = imageState === undefined ? '' : `, ${fates[imageState]}`
  return `${when} ${repositoryName}:${imageTag} ${verb} to ${what}${fate}.`
}

function moveFields(move: Wire<TagMove>): Fields {
  return {
    ...{ at: timeText(move.movedAt), tag: move.imageTag, cause: move.cause.toLowerCase(), by: move.movedBy },
    ...{ from: move.previousImageDigest, to: move.imageDigest },
    ...{ sourceAccount: move.sourceRegistryId, sourceRegion: move.sourceRegion },
  }
}
