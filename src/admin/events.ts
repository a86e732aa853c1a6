import type { Handlers } from '#aws/operation.ts'
import type { EventEnvelope } from '#events/event.ts'
import type { EventLog } from '#events/log.ts'
import { repositoryArn } from '#names/arn.ts'
import type * as wire from './model.ts'
import type { Operations } from './model.ts'
import { openPage } from './paging.ts'
import { refuse } from './refusals.ts'

export interface EventParts {
  readonly eventLog: EventLog
}

/** What happened in the caller's registry. */
export function eventOperations({ eventLog }: EventParts) {
  return {
    ListEvents: {
      // A repository's policy opens no events to another account: they also say who called what.
      resource: ({ input: { repositoryName }, registry, principal }) =>
        repositoryName === undefined || registry.account !== principal.account
          ? '*'
          : repositoryArn(registry, repositoryName),
      handle: async ({ input, registry }) => {
        const { detailType, repositoryName: repository, startTime, startingPosition } = input
        const page = openPage(input, ['ListEvents', registry, detailType, repository], 1)
        const after = page.after === undefined ? await begin(startingPosition) : readNumber(page.after)
        const query = { detailType, repository, since: startTime?.getTime(), after, limit: page.limit }
        const { events, examined, hasMore } = await eventLog.list(registry, query)
        const token = page.nextToken([String(examined)])
        return {
          ...{ registryId: registry.account, events: events.map(describeEvent) },
          ...{ nextToken: hasMore ? token : undefined, followToken: token ?? '' },
        }

        async function begin(position: wire.EventPosition = 'OLDEST'): Promise<number> {
          return position === 'LATEST' ? eventLog.findLast(registry) : 0
        }
      },
    },
  } satisfies Handlers<Operations, 'ListEvents'>
}

/** @throws Refusal `PageTokenInvalid` */
function readNumber([text = '']: readonly string[]): number {
  if (!/^\d{1,15}$/.test(text)) throw refuse('PageTokenInvalid', {})
  return Number(text)
}

function describeEvent(envelope: EventEnvelope): wire.EventRecord {
  return {
    ...{ eventId: envelope.id, eventTime: new Date(envelope.time) },
    ...{ source: envelope.source, detailType: envelope['detail-type'], event: JSON.stringify(envelope) },
  }
}
