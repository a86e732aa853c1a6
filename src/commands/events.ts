import { setTimeout as delay } from 'node:timers/promises'
import type { EventEnvelope } from '#events/event.ts'
import { type ApiCall, CommandError, type CommandGroup, textOf } from './command.ts'
import { parseTime } from './local-time.ts'
import { readRepositoryName } from './names.ts'
import type { Fields } from './output.ts'

/** What happened in a registry, as it happens. */
export const eventCommands: CommandGroup = {
  name: 'events',
  description: 'what happens in a registry: pushes, deletions, replication, calls',
  commands: [
    {
      name: 'tail',
      over: 'api',
      description: 'print events as they happen, one on each line, until it is interrupted',
      options: [
        [
          '--since <time>',
          "print what happened since then, too: 2026-11-24T14:00:00Z, or in local time '2026-11-24 14:00'",
        ],
        ['--repository <name>', 'only events of this repository'],
        ['--type <detail-type>', "only events of this type, such as 'ECR Image Action'"],
      ],
      example: 'lading events tail --repository team/app --json',
      run: tail,
    },
  ],
}

const pauseMs = 1_000
const pageEvents = 200
/** A server that starts again is away for some seconds. */
const failuresInARow = 30

async function tail(call: ApiCall): Promise<void> {
  const filter = filterOf(call)
  const since = textOf(call, 'since')
  const begin = since === undefined ? { startingPosition: 'LATEST' as const } : { startTime: parseTime(since) / 1_000 }
  const ask = (place: typeof begin | { readonly nextToken: string }) =>
    call.api.call('ListEvents', { ...begin, ...filter, maxResults: pageEvents, ...place })
  let answer = await ask(begin)
  for (let failures = 0; ; ) {
    for (const { event } of answer.events) print(call, event)
    if (answer.nextToken === undefined) await delay(pauseMs)
    try {
      answer = await ask({ nextToken: answer.followToken })
      failures = 0
    } catch (error) {
      if (!(error instanceof CommandError) || ++failures === failuresInARow) throw error
      answer = { ...answer, events: [], nextToken: undefined }
    }
  }
}

/** @throws CommandError */
function filterOf(call: ApiCall) {
  const [repository, detailType] = [textOf(call, 'repository'), textOf(call, 'type')]
  return {
    ...(repository !== undefined && { repositoryName: readRepositoryName(repository) }),
    ...(detailType !== undefined && { detailType }),
  }
}

/** The event as receivers get it. */
function print({ output }: ApiCall, text: string): void {
  // What the API promises of the member.
  const envelope = JSON.parse(text) as EventEnvelope & Fields
  output.line([envelope.time, envelope['detail-type'], ...wordsOf(envelope)].join('  '), envelope)
}

/** What says most about an event, for people. */
const shownMembers = [
  'action-type',
  'eventName',
  'sync-status',
  'result',
  'repository-name',
  'image-tag',
  'image-digest',
]

function wordsOf({ detail }: EventEnvelope): string[] {
  return shownMembers.flatMap((name) => {
    const value = detail[name]
    return typeof value === 'string' && !(name === 'result' && value === 'SUCCESS') ? [value] : []
  })
}
