// Which addresses the client connects to for a peer: the peer itself, its token server, and for Amazon ECR the APIs of AWS and where
// ECR sends its clients.

import { isIP } from 'node:net'
import { type Destination, isLoopbackHost, isWithin, type Reach, withoutBrackets } from './hosts.ts'
import { type PeerAddress, RemoteFailure } from './registry.ts'

export interface PeerHosts {
  readonly base: URL
  /** Whether the ECR API is at the peer's own address, and not at AWS. */
  readonly isStandIn: boolean
  /** Where a URL is reached. @throws RemoteFailure `blocked` */
  admit(url: URL): Destination
  /** Where the target of a redirect is reached: at the same origin, or elsewhere if the peer may redirect. @throws RemoteFailure `blocked` */
  admitRedirect(target: URL, from: URL): Destination
  /** Where an upload is: at the peer, or elsewhere if the peer may redirect. @throws RemoteFailure `blocked` */
  admitLocation(url: URL): URL
}

export function createPeerHosts({ url, credentials, tokenServer, mayRedirect = false }: PeerAddress): PeerHosts {
  const base = new URL(url)
  const configured = new Set([base.origin, ...(tokenServer === undefined ? [] : [new URL(tokenServer).origin])])

  /** A token server may be at the peer's host. It is then as private as the peer, and has HTTPS if the peer has. */
  function isAtHost({ hostname, protocol }: URL): boolean {
    return hostname === base.hostname && (protocol === 'https:' || protocol === base.protocol)
  }

  /** The address that its name has is checked when it connects. */
  function isOther({ protocol, hostname }: URL): boolean {
    return mayRedirect && protocol === 'https:' && hostname !== base.hostname
  }

  function admit(asked: URL): Destination {
    if (asked.username !== '' || asked.password !== '') throw blocked('holds a user name')
    const isConfigured = configured.has(asked.origin) || isAtHost(asked)
    if (!isConfigured && asked.protocol !== 'https:') throw blocked('is not one of HTTPS')
    const reach: Reach = !isConfigured ? 'public' : isLoopbackHost(asked.hostname) ? 'loopback' : 'configured'
    const literal = withoutBrackets(asked.hostname)
    if (isIP(literal) !== 0 && !isWithin(reach, literal)) throw blocked('may not be reached')
    return { url: asked, reach }
  }

  return {
    base,
    isStandIn: credentials.kind === 'ecr' && !isAws(base.hostname),
    admit,
    admitRedirect(target, from) {
      const isElsewhere = target.origin !== from.origin
      if (isElsewhere && !isOther(target)) throw blocked('is at another server')
      return admit(target)
    },
    admitLocation(asked) {
      if (asked.origin === base.origin) return asked
      if (!isOther(asked)) throw new RemoteFailure('blocked', 'its upload is at another server')
      return admit(asked).url
    },
  }
}

function isAws(hostname: string): boolean {
  return /\.amazonaws\.com(\.cn)?$/.test(hostname)
}

function blocked(why: string): RemoteFailure {
  return new RemoteFailure('blocked', `its address ${why}`)
}
