import type { LifecycleRule } from '#lifecycle/policy.ts'
import type { CountType } from '#lifecycle/schema.ts'
import type { WhatIfImage } from '#lifecycle/what-if-images.ts'
import { usesText } from './registry.ts'

/**
 * Why an image goes or stays, in words: "12th youngest of 'prod*', rule keeps 10". Only words for what the evaluation found; `rule`
 * is the one of the image's `priority`, `now` the time of the evaluation.
 */
export function reasonText(image: WhatIfImage, rule: LifecycleRule | undefined, now: number): string {
  const { verdict, subject, indexes = [], inUseBy = [] } = image
  if (rule === undefined) return subject === undefined ? 'no rule selects it' : `stays with its subject ${subject}`
  const found = subject === undefined ? findingText(image, rule, now) : `goes with its subject ${subject}`
  if (verdict !== 'blocked') return found
  const others = indexes.length > 1 ? ` and ${indexes.length - 1} more` : ''
  const blocks = [
    ...(inUseBy.length > 0 ? [`in use: ${usesText(inUseBy)}`] : []),
    ...(indexes.length > 0 ? [`referred to by index ${indexes[0]}${others}, which stays`] : []),
  ]
  return `${blocks.join('; ')}; else rule ${rule.priority} applies: ${found}`
}

function findingText(image: WhatIfImage, rule: LifecycleRule, now: number): string {
  const { countType, countNumber } = rule
  const measured = image.measured ?? now
  if (countType === 'imageCountMoreThan')
    return `${ordinal(measured)} youngest ${selectionText(rule)}, rule keeps ${countNumber}`
  return `${ageText(countType, image, measured, now)}, rule keeps ${days(countNumber)}${moreText(now - measured, countNumber)}`
}

/** What is over by less than a day would read as if it were not. */
function moreText(ageMs: number, countNumber: number): string {
  return ageMs > countNumber * dayMs && ageMs < (countNumber + 1) * dayMs ? ', which are over' : ''
}

/** Which images the rule counts, such as `of 'prod*'`. */
function selectionText({ tags, storageClass }: LifecycleRule): string {
  const archived = storageClass === 'archive' ? 'archived ' : ''
  if (tags.status !== 'tagged') return `${archived}image${tags.status === 'any' ? '' : ' without a tag'}`
  const entries = tags.entries.map((entry) => (tags.by === 'prefix' ? `'${entry}*'` : `'${entry}'`))
  return `${archived && 'archived image '}of ${entries.join(' and ')}`
}

const dayMs = 24 * 60 * 60 * 1_000

function ageText(countType: CountType, image: WhatIfImage, since: number, now: number): string {
  const age = Math.floor((now - since) / dayMs)
  const ago = age < 1 ? 'less than a day ago' : `${days(age)} ago`
  if (countType === 'sinceImageTransitioned' && image.archivedAt !== undefined) return `archived ${ago}`
  if (since === image.activatedAt) return `restored from the archive ${ago}`
  if (countType !== 'sinceImagePulled') return `pushed ${ago}`
  return since === image.pulledAt ? `last pulled ${ago}` : `never pulled and pushed ${ago}`
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`
}

function ordinal(number: number): string {
  if (number === 1) return 'the'
  const teen = number % 100 > 10 && number % 100 < 14
  return `${number}${(!teen && ['th', 'st', 'nd', 'rd'][number % 10]) || 'th'}`
}
