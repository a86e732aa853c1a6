import { userAgentOf } from '#iam/circumstances.ts'
import type { AuditedCall } from './call.ts'

/**
 * Refusals that are alike: the same caller, from the same address, asks for the same and is refused for the same reason. Of each kind the
 * first few in a minute have a record each, so that `lading why --request` finds what a person just tried. The rest of that minute is
 * counted, and becomes one record.
 */
export interface RepeatedRefusals<Noted extends Counted> {
  /**
   * Counts a call with those that are alike. False if the call is among the first few, and has a record of its own. `note` makes what is
   * counted; `undefined` counts nothing.
   */
  counts(call: AuditedCall, note: () => Noted | undefined): boolean
  /** Returns the counted refusals that are older than a minute; with `all`, every one. */
  take(now: number, all?: boolean): readonly Noted[]
}

interface Counted {
  count: number
  lastAt: number
}

interface Kind<Noted> {
  readonly since: number
  alone: number
  counted: Noted | undefined
}

const windowMs = 60_000
const mostAlone = 5
const mostKinds = 2_000

export function createRepeatedRefusals<Noted extends Counted>(): RepeatedRefusals<Noted> {
  const kinds = new Map<string, Kind<Noted>>()
  let over: Noted[] = []

  function end(key: string, { counted }: Kind<Noted>): void {
    kinds.delete(key)
    if (counted !== undefined) over.push(counted)
  }

  function kindOf(key: string, now: number): Kind<Noted> {
    const known = kinds.get(key)
    if (known !== undefined && now < known.since + windowMs) return known
    if (known !== undefined) end(key, known)
    const [oldest] = kinds
    if (oldest !== undefined && kinds.size >= mostKinds) end(...oldest)
    const kind: Kind<Noted> = { since: now, alone: 0, counted: undefined }
    kinds.set(key, kind)
    return kind
  }

  return {
    counts(call, note) {
      const { now } = call.circumstances
      const kind = kindOf(keyOf(call), now)
      if (kind.alone < mostAlone) {
        kind.alone++
        return false
      }
      if (kind.counted === undefined) {
        kind.counted = note()
      } else {
        kind.counted.count++
        kind.counted.lastAt = now
      }
      return true
    },

    take(now, all = false) {
      for (const [key, kind] of kinds) if (all || now >= kind.since + windowMs) end(key, kind)
      const taken = over
      over = []
      return taken
    },
  }
}

/** A caller chose most of it. */
const longestKey = 4_096

function keyOf({ principal, circumstances, service, name, error, owner, resources }: AuditedCall): string {
  const { sourceIp, region } = circumstances
  const who = [principal?.arn, principal?.accessKeyId, sourceIp, userAgentOf(circumstances)]
  return [...who, owner, region, service, name, error?.code, ...resources].join(' ').slice(0, longestKey)
}
