import { isSameRegistry, type Registry } from './registry.ts'

/** Registries that are not in this deployment and receive copies of images, as an operator names them. */
export type Peer = LadingPeer | EcrPeer | RegistryPeer

interface AnyPeer {
  /** Unique in the file. */
  readonly name: string
  /** No other peer has one of them. */
  readonly registries: readonly Registry[]
  /** In PEM, trusted for this peer. */
  readonly certificates: readonly string[]
  /** Of all transfers to the peer together. */
  readonly bytesPerSecond: number | undefined
  /** When transfers may run, if not always. */
  readonly hours: PeerHours | undefined
}

/** Another deployment of Lading. */
export interface LadingPeer extends AnyPeer {
  readonly kind: 'lading'
  /** `{account}` and `{region}` in it stand for those of the registry. */
  readonly url: string
  readonly key: PeerKey
  readonly roleArn: string | undefined
}

/** Amazon ECR. */
export interface EcrPeer extends AnyPeer {
  readonly kind: 'ecr'
  /** Of a stand-in for AWS. */
  readonly url: string | undefined
  /** Without one, the server's own AWS credentials are used. */
  readonly key: PeerKey | undefined
  readonly roleArn: string | undefined
}

/** Any registry with the distribution API. */
export interface RegistryPeer extends AnyPeer {
  readonly kind: 'registry'
  readonly url: string
  readonly login: { readonly username: string; readonly password: string } | undefined
  /** Stands with a slash before each repository's name. `{account}` and `{region}` in it stand for those of the registry. */
  readonly prefix: string | undefined
  /** An origin. */
  readonly tokenServer: string | undefined
}

export interface PeerKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A part of each day. It passes midnight if its end is before its start. */
export interface PeerHours {
  /** Minutes after midnight. */
  readonly start: number
  /** The first minute after the part: up to 1,440. */
  readonly end: number
  readonly timeZone: string
}

/** The peer that has a registry, or none for one of this deployment. */
export function findPeer(peers: readonly Peer[], registry: Registry): Peer | undefined {
  return peers.find(({ registries }) => registries.some((one) => isSameRegistry(one, registry)))
}
