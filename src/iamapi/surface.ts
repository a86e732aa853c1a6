import { querySurface } from '#aws/query-surface.ts'
import type { Surface } from '#aws/surface.ts'
import { exceptions } from './errors.ts'
import { model, type Operations } from './model.ts'
import { iamOperations } from './operations.ts'

/** The IAM API: its model, and the handlers over the domain that answer it. */
export function iamSurface({ verifyOutputs }: { readonly verifyOutputs: boolean }): Surface {
  return querySurface<Operations>({ model, handlers: iamOperations(), exceptions, constraints: {}, verifyOutputs })
}
