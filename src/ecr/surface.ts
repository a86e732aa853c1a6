import { jsonSurface } from '#aws/json-surface.ts'
import type { Surface } from '#aws/surface.ts'
import { ecrViolations as violations } from '#aws/violations.ts'
import { constraints } from './constraints.ts'
import { exceptions } from './errors.ts'
import { model, type Operations } from './model.ts'
import { type EcrParts, ecrOperations } from './operations.ts'

type DomainParts = Omit<EcrParts, AccessPart>
type AccessPart = 'tokens' | 'downloadLinks' | 'endpoints'

/** The ECR API: its model, and the handlers over the domain that answer it. */
export function ecrSurface(
  domain: DomainParts,
  { verifyOutputs, ...access }: Pick<EcrParts, AccessPart> & { readonly verifyOutputs: boolean },
): Surface {
  const handlers = ecrOperations({ ...domain, ...access })
  return jsonSurface<Operations>({ model, handlers, exceptions, constraints, violations, verifyOutputs })
}
