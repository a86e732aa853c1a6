/**
 * How much there may be of each thing at most: ECR's quotas (user guide, "Amazon ECR service quotas"), unless an operator says
 * otherwise. ECR has no number for templates, sessions, open uploads, webhooks and bytes; those are ours. So is that of
 * secrets, of which Secrets Manager allows 500,000.
 */
export const ecrQuotas = {
  repositories: 100_000,
  images: 100_000,
  tags: 1_000,
  layerParts: 4_200,
  pullTimeUpdateExclusions: 100,
  repositoryCreationTemplates: 100,
  pullThroughCacheRules: 50,
  secrets: 500,
  webhooks: 100,
  replicationDestinations: 25,
  lifecycleRules: 50,
  sessionsPerPrincipal: 5_000,
  openUploads: 20_000,
  openUploadBytes: Number.POSITIVE_INFINITY,
  bytesPerRegistry: Number.POSITIVE_INFINITY,
  bytesPerAccount: Number.POSITIVE_INFINITY,
}

export type Quotas = Readonly<typeof ecrQuotas>

// The names are the table's keys and no others, which Object.keys cannot know.
export const quotaNames = Object.keys(ecrQuotas) as (keyof Quotas)[]

/** Those that count bytes, and may be off. */
const ofBytes: ReadonlySet<string> = new Set<keyof Quotas>(['openUploadBytes', 'bytesPerRegistry', 'bytesPerAccount'])

const units = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }

/** Such as `repositories=200000,bytesPerRegistry=500GiB`; what is not named stays as it is by default. */
export function parseQuotas(text: string): Quotas | undefined {
  const given = new Map<string, number>()
  for (const entry of text.split(',')) {
    const [, name = '', value = ''] = /^\s*(\w+)\s*=\s*(\w+)\s*$/.exec(entry) ?? []
    const count = ofBytes.has(name) ? parseBytes(value) : parseCount(value)
    if (count === undefined || !Object.hasOwn(ecrQuotas, name) || given.has(name)) return undefined
    given.set(name, count)
  }
  return Object.freeze({ ...ecrQuotas, ...Object.fromEntries(given) })
}

function parseCount(text: string): number | undefined {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}

function parseBytes(text: string): number | undefined {
  if (text === 'none') return Number.POSITIVE_INFINITY
  const [, count, unit = ''] = /^([0-9]{1,15})([KMGT]iB)?$/.exec(text) ?? []
  if (count === undefined) return undefined
  // The pattern has the names of the units.
  const bytes = Number(count) * units[unit as keyof typeof units]
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
