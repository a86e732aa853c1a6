import { jsonSurface } from '#aws/json-surface.ts'
import type { Surface } from '#aws/surface.ts'
import { jsonViolations as violations } from '#aws/violations.ts'
import { exceptions } from './errors.ts'
import { model, type Operations } from './model.ts'
import { type CloudTrailParts, cloudTrailOperations } from './operations.ts'

/** What of the CloudTrail API shows the audit trail, so that `aws cloudtrail lookup-events` does. */
export function cloudTrailSurface(
  parts: CloudTrailParts,
  { verifyOutputs }: { readonly verifyOutputs: boolean },
): Surface {
  const handlers = cloudTrailOperations(parts)
  return jsonSurface<Operations>({ model, handlers, exceptions, constraints: {}, violations, verifyOutputs })
}
