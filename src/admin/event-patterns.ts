import type { Handlers } from '#aws/operation.ts'
import { matches } from '#events/pattern/match.ts'
import { parsePattern } from '#events/pattern/parse.ts'
import { isObject, readJson } from '#lib/json.ts'
import type { Operations } from './model.ts'
import { refuse } from './refusals.ts'

/** Whether an event fits a pattern, as EventBridge's operation of the same name answers it. Reads nothing of the registry. */
export function eventPatternOperations() {
  return {
    TestEventPattern: {
      resource: () => '*',
      handle: async ({ input: { eventPattern, event }, registry }) => {
        const pattern = parsePattern(eventPattern)
        return { registryId: registry.account, result: matches(pattern, readEvent(event)) }
      },
    },
  } satisfies Handlers<Operations, 'TestEventPattern'>
}

/** @throws Refusal `EventUnreadable` */
function readEvent(text: string): unknown {
  let event: unknown
  try {
    event = readJson(text)
  } catch {
    throw refuse('EventUnreadable', {})
  }
  if (!isObject(event)) throw refuse('EventUnreadable', {})
  return event
}
