import { BlockList, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Whether an address is one of these addresses and CIDR ranges. An IPv4 address in IPv6 notation counts as that IPv4 address. */
export function addressRanges(texts: readonly string[]): (address: string) => boolean {
  const ranges = new BlockList()
  for (const text of texts) {
    const [address = '', prefix] = text.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) ranges.addAddress(address, family)
    else ranges.addSubnet(address, Number(prefix), family)
  }
  return (address) => ranges.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/** What limits count an address by: a host has a whole /64 of IPv6 addresses. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString()
}
