/** Why images go or stay, in words: what each of `test/vectors/lifecycle/*.json` says under `reasons`. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseLifecyclePolicy } from '#lifecycle/policy.ts'
import { whatIfImages } from '#lifecycle/what-if-images.ts'
import { decide, nameOf, now, readImages, type WrittenImages } from '#test/unit/lifecycle/cases.ts'
import { reasonText } from '#wording/lifecycle-reasons.ts'

interface Vector {
  readonly rules: readonly unknown[]
  readonly images?: WrittenImages
  /** By name; other images are named in place of their digests. */
  readonly reasons?: Readonly<Record<string, string>>
}

const folder = fileURLToPath(new URL('../../vectors/lifecycle/', import.meta.url))

/** The reasons of all images, by their names. */
function reasonsOf({ rules, images = {} }: Vector): Record<string, string> {
  const policy = parseLifecyclePolicy(JSON.stringify({ rules }))
  const decided = whatIfImages(decide(policy, readImages(images)), undefined)
  const names = new Map(decided.map(({ digest }) => [digest as string, nameOf(digest)]))
  return Object.fromEntries(
    decided.map((image) => {
      const rule = policy.rules.find(({ priority }) => priority === image.priority)
      const text = reasonText(image, rule, now).replaceAll(
        /sha256:[0-9a-f]{64}/g,
        (digest) => names.get(digest) ?? digest,
      )
      return [nameOf(image.digest), text]
    }),
  )
}

describe('reasons in words', () => {
  let tested = 0
  for (const file of readdirSync(folder)) {
    const vector: Vector = JSON.parse(readFileSync(`${folder}${file}`, 'utf8'))
    if (vector.reasons === undefined) continue
    test(file.replace('.json', ''), () => assert.deepEqual(reasonsOf(vector), vector.reasons))
    tested++
  }
  assert.ok(tested >= 20, `${tested}`)
})

test('what is over by hours does not read as if it were not', () => {
  const rules = [
    {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 30 },
      action: { type: 'expire' },
    },
  ]
  assert.deepEqual(reasonsOf({ rules, images: { A: { tags: [], pushed: 30.2 }, B: { tags: [], pushed: 0.5 } } }), {
    A: 'pushed 30 days ago, rule keeps 30 days, which are over',
    B: 'pushed less than a day ago, rule keeps 30 days',
  })
})
