/** The requests that a stand-in for a registry has received, in order. */
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface HubRequest {
  /** Which of the stand-in's three parts it reached. */
  readonly at: 'registry' | 'token' | 'cdn'
  readonly method: string
  readonly kind: 'ping' | 'manifests' | 'blobs' | 'tags' | 'referrers' | 'token' | 'other'
  readonly repository: string | undefined
  readonly reference: string | undefined
  /** With its query. */
  readonly path: string
  readonly authorization: 'none' | 'basic' | 'bearer' | 'other'
  readonly headers: Readonly<IncomingMessage['headers']>
  /** Of the answer, once its head is sent. */
  readonly status: number | undefined
  /** Bytes of the answer's body so far. */
  sentBytes: number
}

export type HubMatch = Partial<Pick<HubRequest, 'at' | 'method' | 'kind' | 'repository' | 'reference'>>

export function matches(request: HubRequest, match: HubMatch): boolean {
  // The keys of a match are those of a request.
  return (Object.keys(match) as (keyof HubMatch)[]).every((key) => match[key] === request[key])
}

export class HubLog {
  readonly requests: HubRequest[] = []

  /** How many requests match. */
  count(match: HubMatch & { readonly status?: number } = {}): number {
    const { status, ...rest } = match
    return this.requests.filter((each) => matches(each, rest) && (status === undefined || each.status === status))
      .length
  }

  clear(): void {
    this.requests.length = 0
  }

  add(at: 'registry' | 'cdn', request: IncomingMessage, response: ServerResponse): HubRequest {
    const { method = 'GET', url = '/', headers } = request
    const { pathname } = new URL(url, 'http://hub')
    const [, repository, kind, reference] = contentPath.exec(pathname) ?? []
    const token = at === 'registry' && pathname === '/token'
    const entry: HubRequest = {
      at: token ? 'token' : at,
      method,
      // The pattern has these kinds alone.
      kind: token ? 'token' : pathname === '/v2/' ? 'ping' : ((kind as HubRequest['kind'] | undefined) ?? 'other'),
      repository,
      reference,
      path: url,
      authorization: authorizationOf(headers.authorization),
      headers,
      get status() {
        return response.headersSent ? response.statusCode : undefined
      },
      sentBytes: 0,
    }
    this.requests.push(entry)
    return entry
  }
}

const contentPath = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/

function authorizationOf(header: string | undefined): HubRequest['authorization'] {
  if (header === undefined) return 'none'
  const [scheme] = header.toLowerCase().split(' ')
  return scheme === 'basic' || scheme === 'bearer' ? scheme : 'other'
}
