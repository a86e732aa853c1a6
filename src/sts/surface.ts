import { querySurface } from '#aws/query-surface.ts'
import type { Surface } from '#aws/surface.ts'
import { exceptions } from './errors.ts'
import { model, type Operations } from './model.ts'
import { stsOperations } from './operations.ts'

/** The STS API: its model, and the handlers that answer it. */
export function stsSurface({ verifyOutputs }: { readonly verifyOutputs: boolean }): Surface {
  return querySurface<Operations>({ model, handlers: stsOperations(), exceptions, constraints: {}, verifyOutputs })
}
