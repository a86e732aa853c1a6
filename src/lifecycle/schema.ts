import { findRepeatedName, isObject, readJson } from '#lib/json.ts'
import { invalidPolicy } from './refusals.ts'

/**
 * The form of a lifecycle policy: which members there are, and of what type. What they must be together is `policy.ts`. The
 * schema is closed, and is checked as a whole before anything that a rule means (ECR user guide, "Lifecycle policy properties").
 */

const tagStatuses = ['any', 'tagged', 'untagged'] as const
const storageClasses = ['archive', 'standard'] as const
const countTypes = ['imageCountMoreThan', 'sinceImagePulled', 'sinceImagePushed', 'sinceImageTransitioned'] as const
const actionTypes = ['expire', 'transition'] as const

type TagStatus = (typeof tagStatuses)[number]
export type StorageClass = (typeof storageClasses)[number]
export type CountType = (typeof countTypes)[number]
export type ActionType = (typeof actionTypes)[number]

/** One rule as it is written. */
export interface WrittenRule {
  readonly priority: number
  readonly description: string | undefined
  readonly tagStatus: TagStatus
  readonly prefixes: readonly string[]
  readonly patterns: readonly string[]
  readonly storageClass: StorageClass
  readonly countType: CountType
  /** Images, or days. */
  readonly countNumber: number
  readonly action: ActionType
}

/** ECR's numbers have 32 bits. */
const mostNumber = 2 ** 31 - 1

/** @throws Refusal `LifecyclePolicyInvalid` */
export function readRules(text: string, mostRules: number): WrittenRule[] {
  const { rules } = readMembers(parse(text), ['rules'], [])
  return readList(rules, { least: 1, most: mostRules }).map(readRule)
}

function parse(text: string): unknown {
  let value: unknown
  try {
    value = readJson(text)
  } catch {
    throw invalidPolicy({ problem: 'syntax' })
  }
  // Half a surrogate pair cannot be stored, so that something else would be than was sent.
  if (!text.isWellFormed()) throw invalidPolicy({ problem: 'syntax' })
  const name = findRepeatedName(text)
  if (name !== undefined) throw invalidPolicy({ problem: 'member repeated', name })
  return value
}

function readRule(value: unknown): WrittenRule {
  const rule = readMembers(value, ['action', 'rulePriority', 'selection'], ['description'])
  const priority = readNumber(rule.rulePriority)
  const { description } = rule
  if (description !== undefined) requireType(description, 'string')
  return { priority, description, ...readSelection(rule.selection), action: readAction(rule.action) }
}

function readSelection(value: unknown): Omit<WrittenRule, 'priority' | 'description' | 'action'> {
  const selection = readMembers(
    value,
    ['countNumber', 'countType', 'tagStatus'],
    ['countUnit', 'storageClass', 'tagPatternList', 'tagPrefixList'],
  )
  if (Object.values(selection).includes(null)) throw invalidPolicy({ problem: 'count' })
  const { countUnit, tagPrefixList = [], tagPatternList = [], storageClass = 'standard' } = selection
  const countType = countTypes.find((known) => known === selection.countType)
  const unit = countType === 'imageCountMoreThan' ? undefined : 'days'
  if (countType === undefined || countUnit !== unit) throw invalidPolicy({ problem: 'count' })
  return {
    tagStatus: readChoice(selection.tagStatus, tagStatuses),
    prefixes: readTexts(tagPrefixList),
    patterns: readTexts(tagPatternList),
    storageClass: readChoice(storageClass, storageClasses),
    countType,
    countNumber: readNumber(selection.countNumber),
  }
}

function readAction(value: unknown): ActionType {
  const { type, targetStorageClass } = readMembers(value, ['type'], ['targetStorageClass'])
  const action = readChoice(type, actionTypes)
  if (action === 'transition') {
    if (targetStorageClass === undefined) {
      throw invalidPolicy({ problem: 'members missing', names: ['targetStorageClass'] })
    }
    readChoice(targetStorageClass, ['archive'])
  } else if (targetStorageClass !== undefined) {
    throw invalidPolicy({ problem: 'members unknown', names: ['targetStorageClass'] })
  }
  return action
}

/** An object with all of `required`, and none but those and `optional`. */
function readMembers<Required extends string, Optional extends string>(
  value: unknown,
  required: readonly Required[],
  optional: readonly Optional[],
): Readonly<Record<Required | Optional, unknown>> {
  if (!isObject(value)) throw wrongType(value, 'object')
  const missing = required.filter((name) => !Object.hasOwn(value, name))
  if (missing.length > 0) throw invalidPolicy({ problem: 'members missing', names: missing })
  const known: readonly string[] = [...required, ...optional]
  const unknown = Object.keys(value).filter((name) => !known.includes(name))
  if (unknown.length > 0) throw invalidPolicy({ problem: 'members unknown', names: unknown })
  // Of these names and no others, as has just been seen.
  return value as Readonly<Record<Required | Optional, unknown>>
}

function readList(value: unknown, { least, most }: { least: number; most: number }): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongType(value, 'array')
  if (value.length < least) throw invalidPolicy({ problem: 'list too short', least, found: value.length })
  if (value.length > most) throw invalidPolicy({ problem: 'list too long', most, found: value.length })
  return value
}

function readTexts(value: unknown): string[] {
  return readList(value, { least: 0, most: Number.POSITIVE_INFINITY }).map((text) => {
    requireType(text, 'string')
    if (text === '') throw invalidPolicy({ problem: 'text empty' })
    return text
  })
}

function readChoice<Choice extends string>(value: unknown, allowed: readonly Choice[]): Choice {
  requireType(value, 'string')
  const choice = allowed.find((each) => each === value)
  if (choice === undefined) throw invalidPolicy({ problem: 'value', value, allowed })
  return choice
}

function readNumber(value: unknown): number {
  requireType(value, 'integer')
  if (value < 1) throw invalidPolicy({ problem: 'number too small', least: 1, found: value })
  if (value > mostNumber) throw invalidPolicy({ problem: 'number too large', most: mostNumber, found: value })
  return value
}

function requireType(value: unknown, wanted: 'string'): asserts value is string
function requireType(value: unknown, wanted: 'integer'): asserts value is number
function requireType(value: unknown, wanted: string): void {
  if (typeName(value) !== wanted) throw wrongType(value, wanted)
}

function wrongType(value: unknown, wanted: string) {
  return invalidPolicy({ problem: 'type', found: typeName(value), wanted })
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}
