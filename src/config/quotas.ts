/**
 * How much there may be of each thing at most: ECR's quotas (user guide, "Amazon ECR service quotas"), unless an operator says
 * otherwise. ECR has no number for templates and sessions; those are ours.
 */
export const ecrQuotas = {
  repositories: 100_000,
  images: 100_000,
  tags: 1_000,
  layerParts: 4_200,
  pullTimeUpdateExclusions: 100,
  repositoryCreationTemplates: 100,
  pullThroughCacheRules: 50,
  replicationDestinations: 25,
  lifecycleRules: 50,
  sessionsPerPrincipal: 5_000,
}

export type Quotas = Readonly<typeof ecrQuotas>

// The names are the table's keys and no others, which Object.keys cannot know.
export const quotaNames = Object.keys(ecrQuotas) as (keyof Quotas)[]

/** Such as `repositories=200000,images=5000`; what is not named stays as ECR has it. */
export function parseQuotas(text: string): Quotas | undefined {
  const given = new Map<string, number>()
  for (const entry of text.split(',')) {
    const [, name, count] = /^\s*(\w+)\s*=\s*([0-9]{1,9})\s*$/.exec(entry) ?? []
    if (name === undefined || !Object.hasOwn(ecrQuotas, name) || given.has(name)) return undefined
    given.set(name, Number(count))
  }
  return Object.freeze({ ...ecrQuotas, ...Object.fromEntries(given) })
}
