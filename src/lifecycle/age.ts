import type { LifecycleImage } from '#registry/lifecycle-images.ts'
import type { CountType } from './schema.ts'

/** From when an image's age counts (ECR user guide, "How lifecycle policies work"). Milliseconds since the epoch. */
export const dayMs = 24 * 60 * 60 * 1_000

export function countsFrom(countType: CountType, image: LifecycleImage): number {
  if (countType === 'sinceImageTransitioned') return image.archivedAt ?? image.pushedAt
  if (countType === 'sinceImagePulled') return Math.max(image.pulledAt ?? image.pushedAt, image.activatedAt ?? 0)
  return cameAt(image)
}

/** When it was pushed, or restored from the archive, which makes it new. */
function cameAt({ pushedAt, activatedAt }: LifecycleImage): number {
  return activatedAt ?? pushedAt
}

/** The older first; of one age by digest, so that which of two goes is no accident. */
export function byAge(a: LifecycleImage, b: LifecycleImage): number {
  return cameAt(a) - cameAt(b) || (a.digest < b.digest ? -1 : 1)
}

/** Each image's age is read once: with a hundred thousand images that is half the work. */
export function sortYoungestFirst(images: readonly LifecycleImage[]): LifecycleImage[] {
  return images
    .map((image) => ({ image, at: cameAt(image) }))
    .sort((a, b) => b.at - a.at || byAge(b.image, a.image))
    .map(({ image }) => image)
}
