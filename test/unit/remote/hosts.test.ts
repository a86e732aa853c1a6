import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHostRules, isWithin, type ListedHosts } from '#remote/hosts.ts'
import { RemoteFailure } from '#remote/registry.ts'

const known = 'registry-1.docker.io'

function rulesOf(...texts: readonly string[]) {
  const hosts: ListedHosts = texts.map((text) => {
    const [host = '', url] = text.split('=')
    return { host, url }
  })
  return createHostRules(hosts, (host) => host === known)
}

function admit(rules: ReturnType<typeof rulesOf>, url: string) {
  try {
    const { url: reached, reach } = rules.admit(new URL(url))
    return `${reach} ${reached}`
  } catch (error) {
    assert.ok(error instanceof RemoteFailure)
    return error.reason
  }
}

test('without a list, the known registries are upstreams, by HTTPS', () => {
  const rules = rulesOf()
  assert.equal(rules.mayReach(known), true)
  assert.equal(rules.isListed(known), false)
  assert.equal(rules.mayReach('registry.example.com'), false)
  assert.equal(String(rules.baseOf(known)), `https://${known}/`)
  assert.equal(admit(rules, `https://${known}/v2/`), `public https://${known}/v2/`)
})

test('none forbids all', () => {
  const rules = createHostRules('none', () => true)
  assert.equal(rules.mayReach(known), false)
  assert.throws(() => rules.baseOf(known), RemoteFailure)
})

test('a listed host may be private, on its port or on every one', () => {
  const rules = rulesOf('registry.corp:5000', 'other.corp')
  assert.equal(rules.mayReach('registry.corp:5000'), true)
  assert.equal(rules.mayReach('registry.corp'), false)
  assert.equal(rules.mayReach('other.corp:8443'), true)
  assert.equal(admit(rules, 'https://registry.corp:5000/x'), 'configured https://registry.corp:5000/x')
  assert.equal(admit(rules, 'https://registry.corp/x'), 'public https://registry.corp/x')
  assert.equal(admit(rules, 'https://other.corp:1/x'), 'configured https://other.corp:1/x')
})

test('plain HTTP needs a URL that says so, or loopback', () => {
  const rules = rulesOf('a.corp', 'b.corp=http://c.corp:80', '127.0.0.1:5000', 'localhost:5001')
  assert.equal(admit(rules, 'http://a.corp/x'), 'blocked')
  assert.equal(admit(rules, 'https://b.corp/x?y=z'), 'configured http://c.corp/x?y=z')
  assert.equal(admit(rules, 'http://c.corp/x'), 'configured http://c.corp/x')
  assert.equal(admit(rules, 'http://c.corp:81/x'), 'blocked')
  assert.equal(String(rules.baseOf('127.0.0.1:5000')), 'http://127.0.0.1:5000/')
  assert.equal(String(rules.baseOf('localhost:5001')), 'http://localhost:5001/')
  assert.equal(String(rules.baseOf('a.corp')), 'https://a.corp/')
  assert.equal(admit(rules, 'http://localhost:5001/x'), 'loopback http://localhost:5001/x')
  assert.equal(admit(rules, 'http://127.0.0.1:5002/x'), 'blocked')
})

test('a known registry is reached at its URL', () => {
  const rules = rulesOf(`${known}=http://127.0.0.1:5001`)
  assert.equal(rules.isListed(known), true)
  assert.equal(String(rules.baseOf(known)), 'http://127.0.0.1:5001/')
  assert.equal(admit(rules, `https://${known}/v2/`), 'loopback http://127.0.0.1:5001/v2/')
  assert.equal(admit(rules, 'http://127.0.0.1:5001/token'), 'loopback http://127.0.0.1:5001/token')
})

test('an address in a URL is refused as one that a name resolves to', () => {
  const rules = rulesOf('10.0.0.5', '169.254.169.254', '[fd00::5]')
  assert.equal(admit(rules, 'https://10.0.0.5/'), 'configured https://10.0.0.5/')
  assert.equal(admit(rules, 'https://10.0.0.6/'), 'blocked')
  assert.equal(admit(rules, 'https://169.254.169.254/'), 'blocked')
  assert.equal(admit(rules, 'https://[fd00::5]/'), 'configured https://[fd00::5]/')
  assert.equal(admit(rules, 'https://[fd00::6]/'), 'blocked')
  assert.equal(admit(rules, 'https://8.8.8.8/'), 'public https://8.8.8.8/')
  assert.equal(admit(rules, 'https://user@8.8.8.8/'), 'blocked')
})

test('a name of loopback has a loopback address alone', () => {
  assert.equal(isWithin('loopback', '127.0.0.2'), true)
  assert.equal(isWithin('loopback', '::1'), true)
  assert.equal(isWithin('loopback', '::ffff:127.0.0.1'), true)
  assert.equal(isWithin('loopback', '10.0.0.1'), false)
  assert.equal(isWithin('public', '127.0.0.1'), false)
  assert.equal(isWithin('configured', '169.254.1.1'), false)
})
