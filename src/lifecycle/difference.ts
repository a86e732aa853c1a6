import type { Digest } from '#names/digest.ts'
import type { Decision } from './evaluate.ts'

/** Under which of two policies an image goes: it is deleted or archived. */
export type GoesUnder = 'first' | 'second' | 'both'

/** What two policies differ in, over the same images: those that go under one of them at least. Pure. */
export function difference(first: readonly Decision[], second: readonly Decision[]): Map<Digest, GoesUnder> {
  const goes = new Map<Digest, GoesUnder>()
  for (const { image, verdict } of first) if (verdict === 'act') goes.set(image.digest, 'first')
  for (const { image, verdict } of second) {
    if (verdict === 'act') goes.set(image.digest, goes.has(image.digest) ? 'both' : 'second')
  }
  return goes
}
