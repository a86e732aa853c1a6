// How far an address reaches, by IANA's registries of special-purpose addresses. An IPv6 address that carries an IPv4 address
// counts as that IPv4 address: a gateway or the operating system connects to the IPv4 host.

import ipaddr from 'ipaddr.js'

/** `metadata`: link-local, and where a cloud's metadata service listens. What is no address counts so too. */
export type AddressReach = 'public' | 'private' | 'metadata'

export function reachOf(text: string): AddressReach {
  // A zone (RFC 4007) says by which interface, not how far.
  const bare = text.replace(/%.*$/s, '')
  if (!ipaddr.isValid(bare)) return 'metadata'
  const address = ipaddr.parse(bare)
  if (address instanceof ipaddr.IPv4) return reachOfIpv4(address)
  if (metadataServices.some(([network, prefix]) => address.match(network, prefix))) return 'metadata'
  const bytes = address.toByteArray()
  switch (address.range()) {
    case 'unicast':
      return isIpv4Compatible(bytes) ? reachOfIpv4At(bytes, 12) : 'public'
    case 'linkLocal':
      return 'metadata'
    case 'ipv4Mapped':
    case 'rfc6145':
      return reachOfIpv4At(bytes, 12)
    case '6to4':
      return reachOfIpv4At(bytes, 2)
    case 'rfc6052':
      return reachOfNat64(bytes)
    default:
      return 'private'
  }
}

/** Whether it is an address of this machine's own loopback interface. */
export function isLoopback(text: string): boolean {
  return ipaddr.isValid(text) && ipaddr.process(text).range() === 'loopback'
}

function reachOfIpv4(address: ipaddr.IPv4): AddressReach {
  if (metadataServicesOfIpv4.has(address.toString())) return 'metadata'
  const range = address.range()
  if (range === 'linkLocal') return 'metadata'
  return range === 'unicast' ? 'public' : 'private'
}

function reachOfIpv4At(bytes: readonly number[], at: number): AddressReach {
  return reachOfIpv4(new ipaddr.IPv4(bytes.slice(at, at + 4)))
}

/** Each network decides where in its own prefix, `64:ff9b:1::/48`, the IPv4 address stands (RFC 6052, section 2.2; RFC 8215). */
function reachOfNat64(bytes: readonly number[]): AddressReach {
  if (bytes[4] === 0 && bytes[5] === 0) return reachOfIpv4At(bytes, 12)
  // Byte 8 is zero and carries nothing.
  const around = bytes.toSpliced(8, 1)
  const places = [
    reachOfIpv4At(around, 6),
    reachOfIpv4At(around, 7),
    reachOfIpv4At(around, 8),
    reachOfIpv4At(bytes, 12),
  ]
  return places.includes('metadata') ? 'metadata' : 'private'
}

/** `::10.0.0.1` (RFC 4291, section 2.5.5.1), which is deprecated. */
function isIpv4Compatible(bytes: readonly number[]): boolean {
  return bytes.slice(0, 12).every((byte) => byte === 0)
}

/** Of Amazon and Google, which have unique local addresses. */
const metadataServices = [
  [ipaddr.IPv6.parse('fd00:ec2::'), 32],
  [ipaddr.IPv6.parse('fd20:ce::254'), 128],
] as const

/** Of Alibaba, Oracle and Azure, which are not link-local. */
const metadataServicesOfIpv4: ReadonlySet<string> = new Set(['100.100.100.200', '192.0.0.192', '168.63.129.16'])
