/** The worked examples of ECR's user guide, and what follows from its rules: `test/vectors/lifecycle/*.json`. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Refusal } from '#lib/refusal.ts'
import { parseLifecyclePolicy } from '#lifecycle/policy.ts'
import { outcomeOf, readImages, type WrittenImages } from './cases.ts'

interface Vector {
  /** What it shows. */
  readonly claim: string
  readonly source: string
  readonly rules: readonly { readonly selection: { readonly tagPatternList?: readonly string[] } }[]
  /** The same must hold with a prefix in place of each pattern. */
  readonly prefixesToo?: boolean
  /** By name; times are ages in days. */
  readonly images?: WrittenImages
  /** Image to the rule that acts on it. */
  readonly acted?: Readonly<Record<string, number>>
  /** Image to the rule that would, were there not an index. */
  readonly blocked?: Readonly<Record<string, number>>
  /** Image to why it goes or stays: `test/unit/wording/lifecycle-reasons.test.ts`. */
  readonly reasons?: Readonly<Record<string, string>>
  /** The problem for which the policy is refused instead. */
  readonly refused?: string
}

const folder = fileURLToPath(new URL('../../vectors/lifecycle/', import.meta.url))
const sorted = (entries: Iterable<readonly [string, number]>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1))

function withPrefixes(rules: Vector['rules']): unknown[] {
  return rules.map(({ selection: { tagPatternList, ...selection }, ...rule }) => ({
    ...rule,
    selection: {
      ...selection,
      ...(tagPatternList && { tagPrefixList: tagPatternList.map((pattern) => pattern.replace(/\*$/, '')) }),
    },
  }))
}

describe('lifecycle vectors', () => {
  const files = readdirSync(folder).sort((a, b) => (a < b ? -1 : 1))
  assert.ok(files.length >= 22)
  for (const file of files) {
    const vector: Vector = JSON.parse(readFileSync(`${folder}${file}`, 'utf8'))
    test(`${file.replace('.json', '')}: ${vector.claim}`, () => {
      if (vector.refused !== undefined) {
        assert.throws(
          () => parseLifecyclePolicy(JSON.stringify({ rules: vector.rules })),
          (error) => error instanceof Refusal && (error.facts as { problem: string }).problem === vector.refused,
        )
        return
      }
      for (const rules of [vector.rules, ...(vector.prefixesToo ? [withPrefixes(vector.rules)] : [])]) {
        const policy = parseLifecyclePolicy(JSON.stringify({ rules }))
        const { acted, blocked } = outcomeOf(policy, readImages(vector.images ?? {}))
        assert.deepEqual(sorted(acted), sorted(Object.entries(vector.acted ?? {})))
        assert.deepEqual(sorted(blocked), sorted(Object.entries(vector.blocked ?? {})))
      }
    })
  }
})
