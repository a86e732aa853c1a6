import type { JsonKind, PatternProblem, PatternRefusals, Wanted } from '#events/pattern/refusals.ts'

/** What is wrong with an event pattern, and where. EventBridge's texts name a place in the text; ours name the path. */
export function patternProblemText(facts: PatternRefusals['EventPatternInvalid']): string {
  const text = `${facts.path === '' ? 'The event pattern' : facts.path}: ${problemText(facts)}`
  // A pattern's own texts may be as long as it is.
  return text.length <= 1_000 ? text : `${text.slice(0, 1_000)}…`
}

function problemText(facts: PatternProblem): string {
  switch (facts.problem) {
    case 'syntax':
      return 'it is not valid JSON'
    case 'too long':
      return `it has more than ${facts.most} characters`
    case 'too deep':
      return `it has more than ${facts.most} objects and lists within one another, or a path of more than ${facts.most} names`
    case 'too many combinations':
      return `the alternatives of $or make more than ${facts.most} combinations`
    case 'name repeated':
      return `an object has the name ${JSON.stringify(facts.name)} twice`
    case 'field repeated':
      return `it has two lists for the field ${facts.name}; use one list of all allowed values`
    case 'type':
      return `expected ${wantedTexts[facts.wanted]}, found ${kindTexts[facts.found]}`
    case 'object empty':
      return 'the object is empty'
    case 'list empty':
      return 'the list is empty'
    case 'text empty':
      return 'the text is empty, so each text would be excluded'
    case 'operators':
      return `expected one operator in the object, found ${facts.found}`
    case 'operator unknown':
      return `there is no operator ${JSON.stringify(facts.name)} here; use ${facts.allowed.join(', ')}`
    case 'list mixed':
      return 'the list has texts and numbers; use only one of the two'
    case 'alternatives':
      return `expected at least 2 alternatives, found ${facts.found}`
    case 'name reserved':
      return `${JSON.stringify(facts.name)} is the name of an operator, so it cannot be a field within $or`
    case 'comparisons':
      return 'expected a sign and a number, or two of each for a range'
    case 'comparison unknown':
      return `there is no sign ${JSON.stringify(facts.name)}; use ${facts.allowed.join(', ')}`
    case 'range order':
      return 'a range begins with > or >= and ends with < or <='
    case 'range empty':
      return 'the first number of a range must be less than the second'
    case 'number out of range':
      return `${facts.found} is not between -${facts.most} and ${facts.most}`
    case 'network':
      return 'expected a network such as 10.0.0.0/8 or 2001:db8::/32'
    case 'network bits':
      return `the network has at most ${facts.most} bits; for a single address use the address itself, without an operator`
    case 'wildcards in a row':
      return `character ${facts.place} is a * before another *; use one`
    case 'escape':
      return `character ${facts.place} is a \\ that is neither before a * nor before a \\`
  }
}

const kindTexts = {
  object: 'an object',
  list: 'a list',
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
} satisfies Record<JsonKind, string>

const wantedTexts = {
  object: 'an object',
  list: 'a list',
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  'object or list': 'an object or a list of allowed values',
  'primitive or operator': 'a text, a number, true, false, null or an object with an operator',
  'text, number or list': 'a text, a number, a list of one of these, or an object with an operator',
  'text or list': 'a text or a list of texts',
  'text or ignoring case': 'a text or {"equals-ignore-case": "a text"}',
  'text or number': 'a text or a number',
} satisfies Record<Wanted, string>
