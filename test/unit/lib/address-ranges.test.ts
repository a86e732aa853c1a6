/** Which addresses are in a range, and by what limits count them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressRanges, networkOf } from '#lib/address-ranges.ts'

test('an address is in a range in each notation of it, and a text that is no address in none', () => {
  const isIn = addressRanges(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32', 'fe80::/10'])
  const table: readonly [address: string, is: boolean][] = [
    ['10.1.255.255', true],
    ['10.2.0.0', false],
    ['::ffff:10.1.0.1', true],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['2001:DB8:1::1', true],
    ['2001:db9::1', false],
    ['fe80::1%eth0', true],
    ['', false],
    ['10.1', false],
    ['unknown', false],
    ['10.1.0.1:443', false],
  ]
  for (const [address, is] of table) assert.equal(isIn(address), is, address)
  assert.ok(addressRanges(['0.0.0.0/0'])('203.0.113.9'))
  assert.ok(!addressRanges([])('127.0.0.1'))
})

test('a host counts by its IPv4 address, and by the /64 network of an IPv6 address', () => {
  assert.equal(networkOf('::ffff:10.1.0.1'), networkOf('10.1.0.1'))
  assert.equal(networkOf('2001:db8:1:2:3::1'), networkOf('2001:db8:1:2::9'))
  assert.notEqual(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'))
  assert.equal(networkOf('unknown'), 'unknown')
})
