import { refusals } from '#lib/refusal.ts'
import type { ImageQuery } from '#registry/image.ts'
import type { InRepository } from '#registry/refusals.ts'
import type { ScanFrequency, ScanType } from './configuration.ts'

/** What scanning declines. Surfaces word it. */
export interface ScanningRefusals {
  /** A rule of a frequency that scans of this type do not have: `available` are theirs. */
  ScanFrequencyUnavailable: { readonly type: ScanType; readonly available: readonly ScanFrequency[] }
  /** More than one rule of a frequency, where there may be one. */
  ScanFrequencyRepeated: { readonly frequency: ScanFrequency }
  /** Enhanced scanning goes by its rules alone. */
  ScanNotStartable: Readonly<Record<never, never>>
  /** Nothing here can look into the image. */
  ScannerMissing: InRepository & { readonly query: ImageQuery }
  /** The image is there, and has never been scanned. `query` is what the caller asked for. */
  ScanNotFound: InRepository & { readonly query: ImageQuery }
}

export const refuse = refusals<ScanningRefusals>()
