/** The client for other registries, towards a stand-in, as a test of it needs it. */
import { systemClock } from '#lib/clock.ts'
import type { RemoteCredentials, RemoteFailure, RemoteFailureReason, RemoteHooks } from '#remote/registry.ts'
import { createRemotes, type RemotesParts } from '#remote/remotes.ts'
import type { Hub } from './hub.ts'

export const dockerHub = 'registry-1.docker.io'

/** Remotes that reach Docker Hub at the stand-in, and its CDN. */
function remotesOf(hub: Hub, parts: Partial<RemotesParts> = {}) {
  const hosts = [
    { host: dockerHub, url: hub.url },
    { host: hub.cdnHost, url: undefined },
  ]
  return createRemotes({ hosts, isKnown: (host) => host === dockerHub, clock: systemClock, silenceMs: 2000, ...parts })
}

/** The stand-in as a registry, and what closes its connections. */
export function connect(
  hub: Hub,
  options: Partial<RemotesParts> & { credentials?: RemoteCredentials; hooks?: RemoteHooks } = {},
) {
  const { credentials = { kind: 'none' }, hooks = {}, ...parts } = options
  const remotes = remotesOf(hub, parts)
  const registry = remotes.connect(dockerHub, credentials, hooks)
  return { ...registry, remotes, [Symbol.asyncDispose]: () => remotes[Symbol.asyncDispose]() }
}

export async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Whether an error is a failure for that reason, with such a message. */
export function failure(reason: RemoteFailureReason, message = /./) {
  return (error: RemoteFailure) =>
    error.name === 'RemoteFailure' && error.reason === reason && message.test(error.message)
}
