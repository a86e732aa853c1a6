import type { ErrorName } from '#admin/model.ts'
import type { AccessRefusals } from '#admin/refusals.ts'
import type { Exceptions } from '#aws/exceptions.ts'
import type { IamRefusals } from '#iam/refusals.ts'
import { accessDeniedText } from '#wording/iam.ts'

type Refusals = Pick<IamRefusals, 'AccessDenied'> & AccessRefusals

export const accessExceptions: Exceptions<Refusals, ErrorName | 'AccessDeniedException'> = {
  AccessDenied: ['AccessDeniedException', accessDeniedText],
  PrincipalUnknown: [
    'PrincipalNotFoundException',
    ({ principal }) =>
      `No root, user, role or session is named '${principal}', and no access key: give an ARN or an access key id.`,
  ],
  NotYours: [
    'NotYoursException',
    ({ principal }) =>
      `'${principal}' belongs to another account. Ask by the id of a denied request: ExplainRequest tells what your account's policies say to it.`,
  ],
  ContextTooLong: [
    'ContextTooLongException',
    ({ most }) => `The keys and values of the context must not have more than ${most} characters together.`,
  ],
  RequestUnknown: [
    'RequestNotFoundException',
    ({ requestId }) =>
      `Your account's audit trail has no denied request '${requestId}'. Records are written each second and kept for a set time.`,
  ],
}
