// Resources of which only the beginning is known: `arn:…:repository/team/*` in a request stands for every repository below `team/`,
// those that do not exist yet included. To decide by the name `team/*` would overlook a statement about `team/secret`.

import { anyRun, type GlobToken, globOf, matchesGlob } from '#lib/glob.ts'
import type { Steps } from '#lib/steps.ts'
import type { Asking } from './context.ts'
import { type ArnComponents, type ArnParts, compileGlob, splitArn } from './match.ts'
import { isFixed, type Part, resolveVariables, stepsPerPart } from './template.ts'

/** What a request is about, ready to be compared. */
export interface Subject {
  /** An ARN in its parts, without its `*` if it is a beginning; `undefined` for the `*` of an action without a resource. */
  readonly resource: ArnParts | undefined
  /** Whether every resource is meant that begins so. */
  readonly below: boolean
}

/** A repository's name has no `*`, so that such an ARN is no single repository's. */
export function subjectOf(resource: string): Subject {
  const below = resource.endsWith('*') && /^arn:[^:]*:ecr:[^:]*:[^:]*:repository\//.test(resource)
  return { resource: splitArn(below ? resource.slice(0, -1) : resource), below }
}

/** How many of the texts that begin with `beginning` match the pattern. */
export type Coverage = 'all' | 'some' | 'none'

export function coverageOf(tokens: readonly GlobToken[], beginning: string, steps?: Steps): Coverage {
  const star = tokens.indexOf(anyRun)
  const head = star < 0 ? tokens : tokens.slice(0, star)
  const headLength = head.reduce((sum, token) => sum + (typeof token === 'string' ? token.length : 1), 0)
  if (star < 0 && headLength < beginning.length) return 'none'
  if (!agrees(head, beginning)) return 'none'
  const trailing = tokens.slice(tokens.findLastIndex((token) => typeof token === 'string') + 1)
  return trailing.includes(anyRun) && matchesGlob(globOf(tokens), beginning, steps) ? 'all' : 'some'
}

/** Whether the two are the same as far as both go. */
function agrees(head: readonly GlobToken[], beginning: string): boolean {
  let at = 0
  for (const token of head) {
    if (at >= beginning.length) return true
    if (typeof token === 'string' && !beginning.startsWith(token, at) && !token.startsWith(beginning.slice(at)))
      return false
    at += typeof token === 'string' ? token.length : 1
  }
  return true
}

export interface BelowOptions {
  readonly variables: boolean
  readonly allows: boolean
}

interface ParsedPatterns {
  readonly negated: boolean
  readonly patterns: readonly ArnComponents[]
}

/** Such questions are rare, so that their patterns are compiled for each. */
function stepsToCompile(parts: readonly Part[]): number {
  return parts.reduce(
    (sum, part) => sum + (typeof part === 'string' ? part.length : 0),
    (1 + parts.length) * stepsPerPart,
  )
}

/** An Allow must be about all resources that begin so. A Deny that is about one of them denies. */
export function isAboutBelow(
  { negated, patterns }: ParsedPatterns,
  beginning: ArnParts,
  asking: Asking,
  { allows }: BelowOptions,
) {
  const found = new Set(patterns.map((pattern) => coverageOfArn(pattern, beginning, asking)))
  const touchesAny = found.has('all') || found.has('some')
  if (negated) return allows ? !touchesAny : !found.has('all')
  return allows ? found.has('all') : touchesAny
}

function coverageOfArn(components: ArnComponents, beginning: ArnParts, asking: Asking): Coverage {
  const last = components.at(-1) ?? []
  for (const parts of components) asking.steps.spend(stepsToCompile(parts))
  for (const [index, parts] of components.slice(0, -1).entries()) {
    if (!compileGlob(parts)(beginning[index] ?? '', asking)) return 'none'
  }
  const tokens = isFixed(last) ? last : resolveVariables(last, asking)
  return tokens === undefined ? 'none' : coverageOf(tokens, beginning.at(-1) ?? '', asking.steps)
}
