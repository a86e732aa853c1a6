import { userAgentOf } from '#iam/circumstances.ts'
import { actorOf } from './actor.ts'
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
/** Of all callers. One that is refused in ever new ways loses its own kinds first, and those of others are counted on. */
const mostKinds = 2_000

export function createRepeatedRefusals<Noted extends Counted>(): RepeatedRefusals<Noted> {
  const byActor = new Map<string, Map<string, Kind<Noted>>>()
  let kinds = 0
  let over: Noted[] = []

  function end(actor: string, key: string): void {
    const own = byActor.get(actor)
    const kind = own?.get(key)
    if (own === undefined || kind === undefined) return
    own.delete(key)
    kinds--
    if (own.size === 0) byActor.delete(actor)
    if (kind.counted !== undefined) over.push(kind.counted)
  }

  function makeRoom(actor: string): void {
    const [first = actor] = byActor.keys()
    const from = byActor.has(actor) ? actor : first
    const [oldest] = byActor.get(from)?.keys() ?? []
    if (oldest !== undefined) end(from, oldest)
  }

  function kindOf(actor: string, key: string, now: number): Kind<Noted> {
    const known = byActor.get(actor)?.get(key)
    if (known !== undefined && now < known.since + windowMs) return known
    end(actor, key)
    if (kinds >= mostKinds) makeRoom(actor)
    const kind: Kind<Noted> = { since: now, alone: 0, counted: undefined }
    const own = byActor.get(actor) ?? new Map<string, Kind<Noted>>()
    byActor.set(actor, own.set(key, kind))
    kinds++
    return kind
  }

  return {
    counts(call, note) {
      const { now } = call.circumstances
      const { account, id } = actorOf(call)
      // All callers that prove nothing are one actor here, with any account that they name.
      const kind = kindOf(id === '' ? '' : `${account} ${id}`, keyOf(call), now)
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
      for (const [actor, own] of byActor) {
        for (const [key, { since }] of own) if (all || now >= since + windowMs) end(actor, key)
      }
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
