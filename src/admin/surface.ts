import { jsonSurface } from '#aws/json-surface.ts'
import type { Surface } from '#aws/surface.ts'
import { jsonViolations as violations } from '#aws/violations.ts'
import { exceptions } from './errors.ts'
import { model, type Operations } from './model.ts'
import { type AdminParts, adminOperations } from './operations.ts'

/** Lading's own API, in AWS JSON 1.1 and signed for the service `lading`. */
export function adminSurface(parts: AdminParts, { verifyOutputs }: { readonly verifyOutputs: boolean }): Surface {
  const handlers = adminOperations(parts)
  return jsonSurface<Operations>({ model, handlers, exceptions, constraints: {}, violations, verifyOutputs })
}
