/** The events of a running Lading, read by its own API as any client reads them. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type * as wire from '#admin/model.ts'
import type { EventEnvelope } from '#events/event.ts'
import { callAdmin } from './admin.ts'
import type { Credentials, RunningServer } from './server.ts'

export interface EventReader {
  /** What happened since the last call. `settle` causes the one event that ends it, which is left out. */
  take(settle: () => Promise<string>): Promise<readonly EventEnvelope[]>
  /** All that come until they are enough. */
  until(isEnough: (events: readonly EventEnvelope[]) => boolean): Promise<readonly EventEnvelope[]>
  /** Waits until so many match, and answers them. */
  wait(matches: (event: EventEnvelope) => boolean, count?: number): Promise<readonly EventEnvelope[]>
}

interface Asked {
  readonly credentials?: Credentials
  readonly input?: Partial<wire.ListEventsRequest>
  readonly clock?: () => number
}

/** Begins with what happens from now on. */
export async function openEvents(server: RunningServer, options: Asked = {}): Promise<EventReader> {
  const { credentials = server.credentials, input = {}, clock = Date.now } = options
  const ask = async (place: object) => {
    const { status, body } = await callAdmin<wire.ListEventsResponse>(
      ...([server, credentials, 'ListEvents', { ...input, ...place }, new Date(clock())] as const),
    )
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }
  let { followToken } = await ask({ startingPosition: 'LATEST' })
  async function more(): Promise<EventEnvelope[]> {
    const answer = await ask({ nextToken: followToken })
    followToken = answer.followToken
    return answer.events.map(({ event }) => JSON.parse(event) as EventEnvelope)
  }
  async function until(isEnough: (events: readonly EventEnvelope[]) => boolean): Promise<readonly EventEnvelope[]> {
    const events: EventEnvelope[] = []
    for (const deadline = Date.now() + 30_000; ; ) {
      events.push(...(await more()))
      if (isEnough(events)) return events
      assert.ok(Date.now() < deadline, `only these came: ${JSON.stringify(events, undefined, 1)}`)
      await delay(20)
    }
  }
  return {
    async take(settle) {
      const repository = await settle()
      const isEnd = ({ detail, source }: EventEnvelope) =>
        source === 'aws.ecr' && detail['action-type'] === 'PUSH' && detail['repository-name'] === repository
      const events = await until((some) => some.some(isEnd))
      return events.slice(0, events.findIndex(isEnd))
    },
    until,
    async wait(matches, count = 1) {
      const events = await until((some) => some.filter(matches).length >= count)
      return events.filter(matches)
    },
  }
}

/** What differs from run to run is replaced, and members of the envelope that are the same in all. */
export function essence({ source, 'detail-type': type, detail }: EventEnvelope) {
  return { type: source === 'lading' || type.startsWith('ECR') ? type : `${source}: ${type}`, ...detail }
}
