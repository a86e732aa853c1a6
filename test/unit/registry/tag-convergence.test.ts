/** Two registries that replicate a tag to each other, with clocks that differ: once all has arrived, both point it to the same image. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAccountId } from '#names/account.ts'
import { type Digest, parseDigest } from '#names/digest.ts'
import { parseRegion } from '#names/region.ts'
import type { Registry } from '#names/registry.ts'
import { boundedTime, decideTag, nextTime, type PresentTag, presentTime } from '#registry/tag-conflict.ts'

interface Message {
  readonly digest: Digest
  readonly pushedAt: number
  hasArrived: boolean
}

/** One registry: its tag, and what it has sent and the other has not received. */
interface Side {
  readonly registry: Registry
  readonly aheadMs: number
  present: PresentTag | undefined
  readonly sent: Message[]
}

const start = 1_700_000_000_000

function sideOf(account: string, aheadMs: number): Side {
  const registry = { account: parseAccountId(account.repeat(12)), region: parseRegion('eu-west-1') }
  return { registry, aheadMs, present: undefined, sent: [] }
}

function digestOf(image: number): Digest {
  return parseDigest(`sha256:${String(image).repeat(64)}`)
}

function push(side: Side, digest: Digest, now: number): void {
  if (side.present?.digest === digest) return
  const countsAt = nextTime(side.present?.countsAt, now + side.aheadMs)
  side.present = { digest, isImmutable: false, countsAt, source: undefined }
  side.sent.push({ digest, pushedAt: countsAt, hasArrived: false })
}

/** As `moveReplicaTag` does it. */
function receive(side: Side, from: Side, message: Message, now: number): void {
  message.hasArrived = true
  const { digest, pushedAt } = message
  const at = now + side.aheadMs
  const source = { registry: from.registry, pushedAt }
  const moved = { digest, isImmutable: false, countsAt: boundedTime(pushedAt, at), source: from.registry }
  const { present } = side
  const decision = decideTag(present, { digest, source, at })
  if (decision === 'moves' || decision === 'wins') side.present = moved
  if (decision === 'same' && present !== undefined && presentTime(present, at) < moved.countsAt) side.present = moved
}

const step = fc.record({
  side: fc.nat(1),
  image: fc.integer({ min: 0, max: 4 }),
  /** How many of the waiting messages of the other side arrive first, and from which on. */
  arriving: fc.nat(3),
  from: fc.nat(5),
  waitMs: fc.nat(3),
})

test('two sides agree in the end, in any order of arrivals and repetitions', () => {
  const skew = fc.integer({ min: -120_000, max: 120_000 })
  // A registry that is not sure of an answer sends again.
  const endings = fc.record({ reversed: fc.boolean(), repeated: fc.boolean() })
  fc.assert(
    fc.property(skew, skew, fc.array(step, { maxLength: 12 }), endings, (one, two, steps, { reversed, repeated }) => {
      const sides = [sideOf('1', one), sideOf('2', two)] as const
      let now = start
      for (const { side, image, arriving, from, waitMs } of steps) {
        now += waitMs
        const [here, there] = side === 0 ? sides : [sides[1], sides[0]]
        for (const message of there.sent.slice(from, from + arriving)) receive(here, there, message, now)
        push(here, digestOf(image), now)
      }
      for (const [here, there] of [sides, [sides[1], sides[0]]] as const) {
        for (const message of reversed ? there.sent.toReversed() : there.sent) {
          if (repeated || !message.hasArrived) receive(here, there, message, now)
        }
      }
      assert.equal(sides[0].present?.digest, sides[1].present?.digest)
    }),
    { numRuns: 2_000 },
  )
})
