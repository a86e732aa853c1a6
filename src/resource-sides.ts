import type { FindResourceSide } from '#iam/authorize.ts'
import { createResourceSide } from '#registry/resource-side.ts'
import { createSecretSide, isSecretResource } from '#secrets/resource-side.ts'

/** What resources of all rooms but `iam` say of who may act on them, for the server and for commands that explain its decisions. */
export function createResourceSides(parts: Parameters<typeof createResourceSide>[0]): FindResourceSide {
  const [ofSecret, ofRegistry] = [createSecretSide(parts.metadata), createResourceSide(parts)]
  return (request) => (isSecretResource(request.resource) ? ofSecret : ofRegistry)(request)
}
