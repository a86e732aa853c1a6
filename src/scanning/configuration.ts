import { defineSetting } from '#registry/settings.ts'
import { matchesScanningFilter } from './filters.ts'
import { refuse } from './refusals.ts'

/**
 * How a registry is scanned, and what that comes to for one of its repositories (ECR user guide, "Scan images for software
 * vulnerabilities"). Pure, but for where it is kept.
 */
export interface ScanningConfiguration {
  readonly type: ScanType
  readonly rules: readonly ScanningRule[]
}

export type ScanType = 'BASIC' | 'ENHANCED'
export type ScanFrequency = 'SCAN_ON_PUSH' | 'CONTINUOUS_SCAN' | 'MANUAL'

export interface ScanningRule {
  readonly frequency: ScanFrequency
  /** A repository that one of them takes is scanned so. */
  readonly filters: readonly string[]
}

export const scanningSetting = defineSetting<ScanningConfiguration>({
  name: 'scanning',
  // Only a configuration that was parsed is put.
  parse: (document) => document as ScanningConfiguration,
  fallback: { type: 'BASIC', rules: [] },
})

const frequencies = {
  BASIC: ['SCAN_ON_PUSH'],
  ENHANCED: ['SCAN_ON_PUSH', 'CONTINUOUS_SCAN'],
} as const satisfies Readonly<Record<ScanType, readonly ScanFrequency[]>>

/** @throws Refusal `ScanFrequencyUnavailable`, `ScanFrequencyRepeated` */
export function parseScanningConfiguration({ type, rules }: ScanningConfiguration): ScanningConfiguration {
  const available: readonly ScanFrequency[] = frequencies[type]
  const seen = new Set<ScanFrequency>()
  for (const { frequency } of rules) {
    if (!available.includes(frequency)) throw refuse('ScanFrequencyUnavailable', { type, available })
    // The guide says so of enhanced scanning alone.
    if (type === 'ENHANCED' && seen.has(frequency)) throw refuse('ScanFrequencyRepeated', { frequency })
    seen.add(frequency)
  }
  return { type, rules }
}

/** What a configuration comes to for one repository. */
export interface AppliedScanning {
  readonly frequency: ScanFrequency
  /** The filters that took it, each once. */
  readonly filters: readonly string[]
}

/**
 * A repository's own flag counts under basic scanning. A repository that nothing takes is scanned when somebody asks for it; under
 * enhanced scanning it is not scanned, and ECR shows it in the same way.
 */
export function scanningOf(
  { type, rules }: ScanningConfiguration,
  repository: { readonly name: string; readonly scanOnPush: boolean },
): AppliedScanning {
  const matching = rules.flatMap(({ frequency, filters }) =>
    filters.filter((filter) => matchesScanningFilter(filter, repository.name)).map((filter) => ({ frequency, filter })),
  )
  const continuous = matching.some(({ frequency }) => frequency === 'CONTINUOUS_SCAN')
  const onPush = matching.length > 0 || (type === 'BASIC' && repository.scanOnPush)
  return {
    frequency: continuous ? 'CONTINUOUS_SCAN' : onPush ? 'SCAN_ON_PUSH' : 'MANUAL',
    filters: [...new Set(matching.map(({ filter }) => filter))],
  }
}
