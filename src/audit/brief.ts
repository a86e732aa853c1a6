import type { AuditedCall } from './call.ts'

/**
 * What a record keeps of a call that was refused: enough to see what was asked, and a bounded number of bytes. A caller without any
 * permission can make as many of these calls as it likes, so that each must cost little.
 */

/** The size of a record's parameters, in characters of JSON. */
const longestParameters = 2_048
const longestText = 256
const mostItems = 10
const mostResources = 3

export function briefCall(call: AuditedCall): AuditedCall {
  const { parameters, resources } = call
  return {
    ...call,
    ...(parameters !== undefined && { parameters: briefParameters(parameters) }),
    resources: resources.slice(0, mostResources),
  }
}

/** Shortens texts and lists in a JSON object. An object that stays too large is replaced by its size. */
export function briefParameters(json: string): string {
  if (json.length <= longestText) return json
  const brief = JSON.stringify(shorten(JSON.parse(json)))
  return brief.length > longestParameters ? JSON.stringify({ omitted: true, originalSize: json.length }) : brief
}

function shorten(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.length > longestText ? `${value.slice(0, longestText)}… (${value.length} characters)` : value
  }
  if (Array.isArray(value)) return value.slice(0, mostItems).map(shorten)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shorten(member)]))
}
