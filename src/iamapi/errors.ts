import type { Exceptions } from '#aws/exceptions.ts'
import type { IamRefusals } from '#iam/refusals.ts'
import { accessDeniedText } from '#wording/iam.ts'
import type { ErrorName } from './model.ts'

/** Every refusal that reaches this surface, as IAM words it. */
export const exceptions: Exceptions<Pick<IamRefusals, 'AccessDenied'>, ErrorName | 'AccessDeniedException'> = {
  AccessDenied: ['AccessDeniedException', accessDeniedText],
}
