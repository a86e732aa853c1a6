/** Which hosts docker's credential helper takes for its server's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostOf, isKnown, isServedBy, registryHostOf } from '#commands/docker-credential/hosts.ts'

const https = new URL('https://registry.example')
const http = new URL('http://127.0.0.1:5100')

test('a host is read out of all that clients call a server', () => {
  for (const [server, endpoint, host] of [
    ['registry.example', https, 'registry.example'],
    ['Registry.Example:443', https, 'registry.example'],
    ['https://registry.example/v2/', https, 'registry.example'],
    ['HTTPS://registry.example:443', https, 'registry.example'],
    ['https://registry.example:80', https, 'registry.example:80'],
    ['registry.example.', https, 'registry.example.'],
    ['https://127.0.0.1:5100', http, '127.0.0.1:5100'],
    ['registry.example:8443', https, 'registry.example:8443'],
    ['127.0.0.1:5100', http, '127.0.0.1:5100'],
    ['http://127.0.0.1:5100', http, '127.0.0.1:5100'],
    ['[::1]:5100', http, '[::1]:5100'],
    ['https://index.docker.io/v1/', https, 'index.docker.io'],
    [' registry.example\n', https, 'registry.example'],
    ['', https, undefined],
    ['two words', https, undefined],
    ['https://', https, undefined],
  ] as const) {
    assert.equal(hostOf(server, endpoint), host, server)
  }
})

test('what clients read in different ways is no host, and a password for HTTPS is not for HTTP', () => {
  for (const server of [
    ...['http://registry.example', 'http://registry.example:80', 'HTTP://registry.example:443'],
    ...['user@registry.example', 'registry.example@attacker.example', 'registry.example:443@attacker.example'],
    ...[
      'registry.example/@attacker.example',
      'registry.example\\@attacker.example',
      'registry.example\\.attacker.example',
    ],
    ...['registry.example#.attacker.example', 'registry.example?.attacker.example', 'registry.example:443:1'],
    ...['//registry.example', '\\\\registry.example', 'https:///registry.example', 'ftp://registry.example'],
    ...['registry%2eexample', 'registry\u3002example', '\uff52egistry.example', 'regi\nstry.example'],
  ]) {
    assert.equal(hostOf(server, https), undefined, server)
  }
})

test('the host of the endpoint and named hosts are known, with their ports, and no others', () => {
  const known = { endpoint: https, named: ['mirror.example:5000', 'https://second.example'] }
  for (const host of ['registry.example', 'mirror.example:5000', 'second.example'])
    assert.ok(isKnown(host, known), host)
  for (const host of ['mirror.example', 'registry.example:8443', 'example', 'a.registry.example', 'docker.io', '']) {
    assert.ok(!isKnown(host, known), host)
  }
})

test('the server’s own word counts for its address and for registries of its domain', () => {
  const own = 'https://000000000000.dkr.ecr.us-east-1.registry.example'
  const servedBy = (host: string, proxyEndpoint = own, endpoint = https) => isServedBy(host, proxyEndpoint, endpoint)
  assert.ok(servedBy('000000000000.dkr.ecr.us-east-1.registry.example'))
  assert.ok(servedBy('123456789012.dkr.ecr.eu-west-1.registry.example'))
  assert.ok(servedBy('public.example', 'https://public.example'))
  // A proxy in front of the server ends TLS.
  assert.ok(servedBy('123456789012.dkr.ecr.eu-west-1.registry.example', own.replace('https', 'http')))
  for (const host of [
    '000000000000.dkr.ecr.us-east-1.amazonaws.com',
    '000000000000.dkr.ecr.us-east-1.registry.example.attacker.example',
    '000000000000.dkr.ecr.us-east-1.registry.example:8443',
    'dkr.ecr.us-east-1.registry.example',
    'x.000000000000.dkr.ecr.us-east-1.registry.example',
    'registry.example',
    'docker.io',
  ]) {
    assert.ok(!servedBy(host), host)
  }
  assert.ok(!servedBy('000000000000.dkr.ecr.us-east-1.other.example', 'https://other.example'))
  assert.ok(!servedBy('registry.example', ''))
  assert.deepEqual(registryHostOf('123456789012.dkr.ecr.eu-west-1.registry.example:8443'), {
    region: 'eu-west-1',
    domain: 'registry.example:8443',
  })
})
