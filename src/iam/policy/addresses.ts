import { BlockList, isIP, isIPv4 } from 'node:net'

/**
 * Addresses and CIDR ranges, of both families. A range is of one family: `::/0` holds no IPv4 address, but an IPv4 address
 * in IPv6 notation, as a socket for both families shows it, is that IPv4 address.
 */
type Family = 'ipv4' | 'ipv6'

interface AddressRange {
  readonly family: Family
  readonly address: string
  readonly prefix: number
}

const widths: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 }

/** `203.0.113.0/24`, `2001:db8::/32`; an address alone is a range of one (IAM user guide, "Condition operators"). */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [, address = '', length] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? []
  if (isIP(address) === 0) return undefined
  const family = isIPv4(address) ? 'ipv4' : 'ipv6'
  const prefix = length === undefined ? widths[family] : Number(length)
  return prefix <= widths[family] ? { family, address, prefix } : undefined
}

/** Whether an address lies in one of the ranges. What is no address lies in none. */
export function compileAddressRanges(ranges: readonly AddressRange[]): (address: string) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const { family, address, prefix } of ranges) lists[family].addSubnet(address, prefix, family)
  return (text) => {
    const address = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1] ?? text
    if (isIP(address) === 0) return false
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    return lists[family].check(address, family)
  }
}
