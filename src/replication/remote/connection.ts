import type { Peer } from '#names/peer.ts'
import type { Registry } from '#names/registry.ts'
import { ecrUrl } from '#remote/peers.ts'
import type { PeerAddress, RemoteCredentials } from '#remote/registry.ts'

/** How a registry of a peer is reached from a registry of this deployment. */
export function addressOf(peer: Peer, source: Registry, destination: Registry): PeerAddress {
  const { certificates } = peer
  switch (peer.kind) {
    case 'lading':
      return {
        url: fill(peer.url, destination),
        credentials: ecrCredentials(peer, destination),
        headers: { 'lading-source-region': source.region },
        sourceAccount: source.account,
        certificates,
      }
    case 'ecr':
      return {
        url: peer.url === undefined ? ecrUrl(destination) : fill(peer.url, destination),
        credentials: ecrCredentials(peer, destination),
        mayRedirect: true,
        certificates,
      }
    case 'registry':
      return {
        url: withPrefix(fill(peer.url, destination), peer.prefix && fill(peer.prefix, destination)),
        credentials: peer.login === undefined ? { kind: 'none' } : { kind: 'basic', ...peer.login },
        tokenServer: peer.tokenServer,
        certificates,
      }
  }
}

function ecrCredentials(
  { key, roleArn }: Extract<Peer, { kind: 'lading' | 'ecr' }>,
  { account, region }: Registry,
): RemoteCredentials {
  return { kind: 'ecr', account, region, ...(key && { key }), ...(roleArn !== undefined && { roleArn }) }
}

/** A host or a path may name the registry. */
function fill(text: string, { account, region }: Registry): string {
  return text.replaceAll('{account}', account).replaceAll('{region}', region)
}

/** The client reads what follows `/v2/` as the start of each name. */
function withPrefix(url: string, prefix: string | undefined): string {
  return prefix === undefined ? url : `${url.replace(/\/+$/, '')}/v2/${prefix}`
}
