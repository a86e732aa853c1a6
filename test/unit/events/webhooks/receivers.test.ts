/** Which receivers a webhook may have, before any name is looked up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAdmitReceiver } from '#events/webhooks/receivers.ts'
import type { UrlProblem } from '#events/webhooks/refusals.ts'
import { Refusal } from '#lib/refusal.ts'

const admit = createAdmitReceiver([
  { hostname: 'hooks.internal', port: undefined },
  { hostname: '10.0.0.5', port: 8080 },
  { hostname: '127.0.0.1', port: 9000 },
  { hostname: '169.254.169.254', port: undefined },
  { hostname: '[fe80::1]', port: undefined },
])

const refused: Readonly<Record<string, UrlProblem>> = {
  'hooks.example.com': 'syntax',
  'ftp://hooks.example.com/': 'scheme',
  'file:///etc/passwd': 'scheme',
  'https://me:secret@hooks.example.com/': 'credentials',
  'https://hooks.example.com/#part': 'fragment',
  'http://hooks.example.com/': 'http',
  'http://10.0.0.5/': 'http',
  'http://10.0.0.5:8081/': 'http',
  'https://10.0.0.5/': 'address',
  'https://10.0.0.6:8080/': 'address',
  'https://127.0.0.1/': 'address',
  'https://127.1/': 'address',
  'https://2130706433/': 'address',
  'https://0x7f.0.0.1/': 'address',
  'https://[::1]/': 'address',
  'https://[::ffff:127.0.0.1]/': 'address',
  'https://[64:ff9b::7f00:1]/': 'address',
  'https://0.0.0.0/': 'address',
  'https://localhost/': 'address',
  'https://hooks.localhost/': 'address',
  'https://192.168.1.1/': 'address',
  'https://100.100.100.200/': 'address',
  'https://169.254.1.1/': 'address',
  'http://169.254.169.254/latest/meta-data': 'address',
  'http://[fe80::1]/': 'address',
}

for (const [url, problem] of Object.entries(refused)) {
  test(`${url} is refused: ${problem}`, () => {
    assert.throws(
      () => admit(url),
      (error) => {
        assert.ok(error instanceof Refusal)
        assert.deepEqual([error.code, error.facts], ['WebhookUrlInvalid', { problem }])
        return true
      },
    )
  })
}

test('public hosts are reached over HTTPS, and listed ones as they are', () => {
  assert.equal(admit('https://hooks.example.com:8443/a?b=c').reach, 'public')
  assert.equal(admit('https://93.184.215.14/').reach, 'public')
  assert.equal(admit('http://hooks.internal:1234/').reach, 'configured')
  assert.equal(admit('http://10.0.0.5:8080/').reach, 'configured')
  assert.equal(admit('http://127.0.0.1:9000/').reach, 'loopback')
})
