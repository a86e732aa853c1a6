import { querySurface } from '#aws/query-surface.ts'
import type { Surface } from '#aws/surface.ts'
import { exceptions } from './errors.ts'
import { model, type Operations } from './model.ts'
import { type StsDomain, stsOperations } from './operations.ts'

/** The STS API: its model, and the handlers over the domain that answer it. */
export function stsSurface(domain: StsDomain, { verifyOutputs }: { readonly verifyOutputs: boolean }): Surface {
  const handlers = stsOperations(domain)
  return querySurface<Operations>({ model, handlers, exceptions, constraints: {}, verifyOutputs })
}
