import { BlockList, isIP, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * Whether an address is one of these addresses and CIDR ranges. An IPv4 address in IPv6 notation counts as that IPv4 address. A text that is
 * no address is in no range: a proxy may send one.
 */
export function addressRanges(texts: readonly string[]): (address: string) => boolean {
  const ranges = new BlockList()
  for (const text of texts) {
    const [address = '', prefix] = text.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) ranges.addAddress(address, family)
    else ranges.addSubnet(address, Number(prefix), family)
  }
  return (text) => {
    // A zone (RFC 4007) names an interface of this machine.
    const address = text.replace(/%.*$/s, '')
    return isIP(address) !== 0 && ranges.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  }
}

/** What limits count an address by: a host has a whole /64 of IPv6 addresses. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString()
}
