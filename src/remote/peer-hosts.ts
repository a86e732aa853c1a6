// Which addresses the client connects to for a peer: the peer itself, its token server, and for Amazon ECR the APIs of AWS.

import { isIP } from 'node:net'
import { type Destination, isLoopbackHost, isWithin, type Reach, withoutBrackets } from './hosts.ts'
import { type PeerAddress, RemoteFailure } from './registry.ts'

export interface PeerHosts {
  readonly base: URL
  /** Whether the ECR API is at the peer's own address, and not at AWS. */
  readonly isStandIn: boolean
  /** Where a URL is reached. @throws RemoteFailure `blocked` */
  admit(url: URL): Destination
  /** Where an upload is. @throws RemoteFailure `blocked` unless it is at the peer */
  admitLocation(url: URL): URL
}

export function createPeerHosts({ url, credentials, tokenServer }: PeerAddress): PeerHosts {
  const base = new URL(url)
  const configured = new Set([base.origin, ...(tokenServer === undefined ? [] : [new URL(tokenServer).origin])])
  return {
    base,
    isStandIn: credentials.kind === 'ecr' && !isAws(base.hostname),
    admit(asked) {
      if (asked.username !== '' || asked.password !== '') throw blocked('holds a user name')
      const isConfigured = configured.has(asked.origin)
      if (!isConfigured && asked.protocol !== 'https:') throw blocked('is not one of HTTPS')
      const reach: Reach = !isConfigured ? 'public' : isLoopbackHost(asked.hostname) ? 'loopback' : 'configured'
      const literal = withoutBrackets(asked.hostname)
      if (isIP(literal) !== 0 && !isWithin(reach, literal)) throw blocked('may not be reached')
      return { url: asked, reach }
    },
    admitLocation(asked) {
      if (asked.origin !== base.origin) throw new RemoteFailure('blocked', 'its upload is at another server')
      return asked
    },
  }
}

function isAws(hostname: string): boolean {
  return /\.amazonaws\.com(\.cn)?$/.test(hostname)
}

function blocked(why: string): RemoteFailure {
  return new RemoteFailure('blocked', `its address ${why}`)
}
