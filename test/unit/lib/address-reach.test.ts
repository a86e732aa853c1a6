import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AddressReach, reachOf } from '#lib/address-reach.ts'

const addresses: Readonly<Record<AddressReach, readonly string[]>> = {
  public: ['8.8.8.8', '99.255.255.255', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808', '2002:808:808::1'],
  private: [
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '172.31.255.255', '192.168.0.1', '198.18.0.1'],
    ...['192.0.2.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', 'fc00::1', 'fdff::1', 'fec0::1', 'ff02::1', '100::1', '2001:db8::1', '2001:0:4136:e378::1'],
    // IPv4-mapped (RFC 4291), in both notations, IPv4-compatible, and IPv4-translated (RFC 2765).
    ...['::ffff:10.0.0.1', '::ffff:a00:1', '0:0:0:0:0:FFFF:127.0.0.1', '::127.0.0.1', '::ffff:0:192.168.0.1'],
    // NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056).
    ...[
      '64:ff9b::10.0.0.1',
      '64:ff9b::7f00:1',
      '64:ff9b:1::1',
      '64:ff9b:1:808:8:800::',
      '2002:a00:1::1',
      '2002:7f00:1::',
    ],
  ],
  metadata: [
    ...['169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'febf::1', 'fd00:ec2::254', 'fd20:ce::254'],
    ...['100.100.100.200', '192.0.0.192', '168.63.129.16'],
    ...['::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '::169.254.169.254', '::ffff:0:169.254.169.254'],
    ...['64:ff9b::169.254.169.254', '2002:a9fe:a9fe::1', '::ffff:100.100.100.200'],
    // In a network's own NAT64 prefix of 96, 48, 56 and 64 bits.
    ...['64:ff9b:1::a9fe:a9fe', '64:ff9b:1:a9fe:a9:fe00::', '64:ff9b:1:a9:fe:a9fe::', '64:ff9b:1:0:a9:fea9:fe00::'],
    ...['', 'example.com', '1.2.3.4.5'],
  ],
}

for (const [reach, texts] of Object.entries(addresses)) {
  test(`an address that is ${reach} is known in every notation`, () => {
    for (const text of texts) assert.equal(reachOf(text), reach, text)
  })
}
