import { querySurface } from '#aws/query-surface.ts'
import type { Surface } from '#aws/surface.ts'
import { exceptions } from './errors.ts'
import { model, type Operations } from './model.ts'
import { type IamParts, iamOperations } from './operations.ts'

/** The IAM API: its model, and the handlers over the domain that answer it. */
export function iamSurface(domain: IamParts, { verifyOutputs }: { readonly verifyOutputs: boolean }): Surface {
  return querySurface<Operations>({
    ...{ model, handlers: iamOperations(domain), exceptions, constraints: {}, verifyOutputs },
    // The unique id of a root is the twelve digits of its account.
    uncheckedAnswers: ['idType'],
  })
}
