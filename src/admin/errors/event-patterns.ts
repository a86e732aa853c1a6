import type { ErrorName } from '#admin/model.ts'
import type { EventAskRefusals } from '#admin/refusals.ts'
import type { Exceptions } from '#aws/exceptions.ts'
import type { PatternRefusals } from '#events/pattern/refusals.ts'
import { patternProblemText } from '#wording/event-patterns.ts'
import { invalid } from './invalid.ts'

export const eventPatternExceptions: Exceptions<EventAskRefusals & PatternRefusals, ErrorName> = {
  EventUnreadable: ['InvalidParameterException', () => invalid('event', 'The event must be a JSON object')],
  // EventBridge's words, with a reason of our own.
  EventPatternInvalid: [
    'InvalidEventPatternException',
    (facts) => `Event pattern is not valid. Reason: ${patternProblemText(facts)}`,
  ],
}
