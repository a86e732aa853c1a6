import { refusals } from '#lib/refusal.ts'

/** What a name was meant to be; each kind has one grammar, in the file of that name. */
export type NameKind =
  | 'account'
  | 'region'
  | 'repository'
  | 'repository prefix'
  | 'tag'
  | 'digest'
  | 'media type'
  | 'arn'

export interface NameRefusals {
  NameInvalid: { kind: NameKind; value: string }
}

export const refuseName = refusals<NameRefusals>()
