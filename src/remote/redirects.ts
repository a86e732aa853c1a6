// A request and the redirects that follow it, each to an address that the rules admit. Credentials go to the first origin alone.

import type { HostRules } from './hosts.ts'
import { RemoteFailure } from './registry.ts'
import type { Transport, TransportAnswer, TransportRequest } from './transport.ts'

export interface Sent extends TransportRequest {
  readonly url: URL
  readonly authorization: string | undefined
  /** Whether an answer that redirects is returned, and not followed. A request that writes is never redirected. */
  readonly keepsRedirect?: boolean
  /** Whether it may arrive twice. A read always may. */
  readonly isRepeatable?: boolean | undefined
}

export interface Answered extends TransportAnswer {
  /** Where the answer comes from. */
  readonly url: URL
  /** Whether no redirect left the origin that was asked. */
  readonly atOrigin: boolean
}

type Admission = Pick<HostRules, 'admit' | 'admitRedirect'>

export type Send = (request: Sent) => Promise<Answered>

export function createSend(rules: Admission, transport: Transport): Send {
  return async ({ url, authorization, keepsRedirect = false, isRepeatable, ...request }) => {
    let destination = rules.admit(url)
    const { origin } = destination.url
    let atOrigin = true
    for (let hop = 0; hop <= mostHops; hop++) {
      const headers = { ...request.headers, ...(atOrigin && authorization !== undefined && { authorization }) }
      const mayRepeat = isRepeatable ?? isRead(request.method)
      const answer = await sendTwice(() => transport.send(destination, { ...request, headers }), mayRepeat)
      const location = answer.headers.get('location')
      if (!redirects.has(answer.status) || location === undefined || keepsRedirect || !isRead(request.method)) {
        return { ...answer, url: destination.url, atOrigin }
      }
      await answer.discard()
      destination = admitRedirect(rules, location, destination.url)
      // Credentials do not come back by a detour either.
      atOrigin &&= destination.url.origin === origin
    }
    throw new RemoteFailure('invalid', `it redirects more than ${mostHops} times`)
  }
}

function isRead(method: TransportRequest['method']): boolean {
  return method === 'GET' || method === 'HEAD'
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const mostHops = 5

function admitRedirect(rules: Admission, location: string, from: URL) {
  const url = URL.parse(location, from)
  if (url === null) throw new RemoteFailure('invalid', 'it redirects to what is no address')
  try {
    return rules.admitRedirect(url, from)
  } catch (cause) {
    throw new RemoteFailure('blocked', 'it redirects to an address that may not be reached', { cause })
  }
}

/** The other side may end a kept connection while the next request is on its way. Such a request is sent once more. */
async function sendTwice(send: () => Promise<TransportAnswer>, isRepeatable: boolean): Promise<TransportAnswer> {
  try {
    return await send()
  } catch (error) {
    if (!isRepeatable || !isClosed(error)) throw error
    return send()
  }
}

function isClosed(error: unknown): boolean {
  if (!(error instanceof RemoteFailure) || !(error.cause instanceof Error) || !('code' in error.cause)) return false
  return error.cause.code === 'UND_ERR_SOCKET' || error.cause.code === 'ECONNRESET' || error.cause.code === 'EPIPE'
}
