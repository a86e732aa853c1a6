/** Generated repositories and policies, as small as the corner cases are. */
import fc from 'fast-check'
import { type LifecyclePolicy, parseLifecyclePolicy } from '#lifecycle/policy.ts'
import type { LifecycleImage } from '#registry/lifecycle-images.ts'
import { readImages, type WrittenImage, type WrittenImages } from './cases.ts'

export const names = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']
const age = fc.integer({ min: 1, max: 6 }).map((days) => days * 100)

/** What an image refers to comes earlier in the alphabet, as a digest must be known to be referred to. */
function imageOf(name: string): fc.Arbitrary<WrittenImage> {
  const earlier = names.slice(0, names.indexOf(name))
  const some =
    earlier.length === 0 ? fc.constant(undefined) : fc.option(fc.constantFrom(...earlier), { nil: undefined })
  return fc
    .record({
      tags: fc.uniqueArray(fc.constantFrom('a', 'ab', 'b', 'abc'), { maxLength: 2 }),
      pushed: age,
      pulled: fc.option(age, { nil: undefined }),
      past: fc.constantFrom('none', 'none', 'archived', 'restored'),
      at: age,
      subject: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: some }),
      children: fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.subarray(earlier, { maxLength: Math.min(3, earlier.length) }) },
      ),
      inUseBy: fc.oneof(
        { weight: 5, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.constantFrom(['blue'], ['blue', 'green']) },
      ),
    })
    .map(({ past, at, ...image }) => {
      // Nothing happens to an image before it is pushed.
      const then = Math.min(at, image.pushed)
      return {
        ...image,
        pulled: image.pulled && Math.min(image.pulled, image.pushed),
        ...(past === 'archived' && { archived: then }),
        ...(past === 'restored' && { restored: then }),
      }
    })
}

export const written: fc.Arbitrary<WrittenImages> = fc
  .tuple(...names.map(imageOf))
  .map((images) => Object.fromEntries(names.map((name, index) => [name, images[index] as WrittenImage])))

export const repositories: fc.Arbitrary<LifecycleImage[]> = written.map(readImages)

const selections = fc.constantFrom<object>(
  { tagStatus: 'tagged', tagPrefixList: ['a'] },
  { tagStatus: 'tagged', tagPrefixList: ['a', 'b'] },
  { tagStatus: 'tagged', tagPatternList: ['*b*'] },
  { tagStatus: 'untagged' },
  { tagStatus: 'any' },
)
export const expire = { type: 'expire' }
const transition = { type: 'transition', targetStorageClass: 'archive' }
export const days = (countType: string, countNumber: number) => ({ countType, countUnit: 'days', countNumber })
const counts = fc.oneof(
  fc.record({
    count: fc.oneof(
      fc.integer({ min: 1, max: 3 }).map((countNumber) => ({ countType: 'imageCountMoreThan', countNumber })),
      age.map((number) => days('sinceImagePushed', number)),
    ),
    action: fc.constantFrom<object>(expire, transition),
  }),
  age.map((number) => ({ count: days('sinceImagePulled', number), action: transition })),
  age.map((number) => ({
    count: { ...days('sinceImageTransitioned', number), storageClass: 'archive' },
    action: expire,
  })),
)

/** With those rules of a generated list that a policy may have together, in whichever order it has them. */
export const policyTexts: fc.Arbitrary<string> = fc
  .array(fc.record({ selection: selections, how: counts }), { minLength: 1, maxLength: 6 })
  .map((written) => {
    let text = ''
    const rules: object[] = []
    for (const { selection, how } of written) {
      const rule = { rulePriority: rules.length + 1, selection: { ...selection, ...how.count }, action: how.action }
      const longer = JSON.stringify({ rules: [...rules, rule] })
      try {
        parseLifecyclePolicy(longer)
        text = longer
        rules.push(rule)
      } catch {
        // Does not go with the others.
      }
    }
    return text
  })

export const policies: fc.Arbitrary<LifecyclePolicy> = policyTexts.map((text) => parseLifecyclePolicy(text))
