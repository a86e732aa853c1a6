import { jsonSurface } from '#aws/json-surface.ts'
import type { Surface } from '#aws/surface.ts'
import { jsonViolations as violations } from '#aws/violations.ts'
import { constraints } from './constraints.ts'
import { exceptions } from './errors.ts'
import { model, type Operations } from './model.ts'
import { type SecretsManagerParts, secretsManagerOperations } from './operations.ts'

/** What of the Secrets Manager API keeps the credentials for upstream registries. */
export function secretsManagerSurface(
  parts: SecretsManagerParts,
  { verifyOutputs }: { readonly verifyOutputs: boolean },
): Surface {
  const handlers = secretsManagerOperations(parts)
  return jsonSurface<Operations>({ model, handlers, exceptions, constraints, violations, verifyOutputs })
}
