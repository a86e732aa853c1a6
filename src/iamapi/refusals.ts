import { refusals } from '#lib/refusal.ts'

/** What this surface declines by itself, before the domain is asked. */
export interface IamApiRefusals {
  /** A text in the place of an ARN that has not the parts of one. */
  ArnUnparsable: Record<string, never>
  /** A call that means its caller, of one who is no user. */
  CallerIsNoUser: Record<string, never>
  /** Only AWS lets a key expire. */
  KeyStatusInvalid: { readonly status: string }
  /** A key of another account, or of nobody: IAM does not tell which. */
  KeyHidden: { readonly principalArn: string; readonly key: string }
  /** What a simulation is about, where it names no identity, or one that only its own account may ask about. */
  SourceUnclear: { readonly arn: string }
  SourceForeign: { readonly caller: string; readonly owner: string }
  /** What a simulation is given for the occasion. */
  SimulationUnserved: { readonly member: string }
  /** Of so many actions times resources at most. */
  SimulationTooLarge: { readonly most: number }
  /** Of the characters of its keys and values. */
  SimulationContextTooLong: { readonly most: number }
}

export const refuse = refusals<IamApiRefusals>()
