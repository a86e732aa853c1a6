/** Addresses of registries: what answers name, and which registry a `Host` header means. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseAccountId } from '#names/account.ts'
import { createEndpoints } from '#names/endpoints.ts'
import { nameAtMirror, parseMirror } from '#names/mirror.ts'
import { parseRegion } from '#names/region.ts'
import { parseRepositoryName } from '#names/repository-name.ts'

const registry = { account: parseAccountId('123456789012'), region: parseRegion('eu-central-1') }
const name = parseRepositoryName('team/app')

const listeningUrl = () => 'http://localhost:5100'

describe('endpoints without a domain', () => {
  const endpoints = createEndpoints({ listeningUrl })

  test('every registry is at the address that the client used', () => {
    const origin = { secure: true, host: 'registry.example.com:8443' }
    assert.equal(endpoints.proxyEndpoint(registry, origin), 'https://registry.example.com:8443')
    assert.equal(endpoints.repositoryUri(registry, name, origin), 'registry.example.com:8443/team/app')
    const ipv6 = { secure: false, host: '[::1]:5100' }
    assert.equal(endpoints.repositoryUri(registry, name, ipv6), '[::1]:5100/team/app')
  })

  test('a configured public URL wins over the address that the client used', () => {
    const fixed = createEndpoints({ publicUrl: 'https://fixed.example.com', listeningUrl })
    const origin = { secure: false, host: '10.0.0.1:5100' }
    assert.equal(fixed.proxyEndpoint(registry, origin), 'https://fixed.example.com')
    assert.equal(fixed.repositoryUri(registry, name, origin), 'fixed.example.com/team/app')
  })

  test('a host that is more than a host and a port does not count', () => {
    for (const host of [undefined, '', 'a/b', 'user@host', 'a"b', 'a b', 'host:99999', 'host?x', ':5100', '[::1']) {
      assert.equal(endpoints.baseUrl({ secure: true, host }), 'http://localhost:5100', `${host}`)
    }
  })

  test('no host names a registry', () => {
    assert.equal(endpoints.registryAt('123456789012.dkr.ecr.eu-central-1.localhost:5100'), undefined)
  })
})

describe('endpoints with a domain', () => {
  const endpoints = createEndpoints({ publicUrl: 'https://example.com', listeningUrl, domain: 'Example.com' })

  test('each registry has a host of its own, with the port of the base URL', () => {
    const origin = { secure: false, host: 'lab:5100' }
    assert.equal(endpoints.proxyEndpoint(registry, origin), 'https://123456789012.dkr.ecr.eu-central-1.Example.com')
    const withPort = createEndpoints({ listeningUrl, domain: 'lab' })
    assert.equal(withPort.repositoryUri(registry, name, origin), '123456789012.dkr.ecr.eu-central-1.lab:5100/team/app')
  })

  test('a host of that form names its registry, with any port and in any case', () => {
    for (const host of [
      '123456789012.dkr.ecr.eu-central-1.example.com',
      '123456789012.dkr.ecr.eu-central-1.example.com:5100',
      '123456789012.DKR.ecr.EU-central-1.EXAMPLE.COM',
      '123456789012.dkr.ecr.eu-central-1.example.com.',
      '123456789012.dkr.ecr.eu-central-1.example.com.:5100',
    ]) {
      assert.deepEqual(endpoints.registryAt(host), registry)
    }
  })

  test('any other host names none', () => {
    for (const host of [
      undefined,
      '',
      'example.com',
      'registry.example.com',
      '123456789012.dkr.ecr.eu-central-1.example.org',
      '123456789012.dkr.ecr.eu-central-1.notexample.com',
    ]) {
      assert.equal(endpoints.registryAt(host), undefined)
    }
  })

  test('a host that is shaped like a registry’s and is none is told apart', () => {
    for (const host of [
      '12345678901.dkr.ecr.eu-central-1.example.com',
      'x.123456789012.dkr.ecr.eu-central-1.example.com',
      '123456789012.dkr.ecr.eu.central.example.com',
    ]) {
      assert.equal(endpoints.registryAt(host), 'unresolvable')
    }
  })
})

describe('endpoints with mirrors', () => {
  const [hub, all] = ['hub=123456789012/eu-central-1/docker-hub', 'all=123456789012/eu-central-1/ROOT'].map(parseMirror)
  assert.ok(hub !== undefined && all !== undefined)
  const endpoints = createEndpoints({ listeningUrl, domain: 'Example.com', mirrors: [hub, all] })

  test('a label below the domain is the host of a mirror, with any port and in any case', () => {
    for (const host of ['hub.example.com', 'HUB.Example.COM', 'hub.example.com:5100', 'hub.example.com.:443']) {
      assert.equal(endpoints.mirrorAt(host), hub, host)
    }
    for (const host of [
      undefined,
      '',
      'example.com',
      'other.example.com',
      'a.hub.example.com',
      'hub.example.com.org',
    ]) {
      assert.equal(endpoints.mirrorAt(host), undefined, String(host))
    }
    assert.equal(createEndpoints({ listeningUrl, mirrors: [hub] }).mirrorAt('hub'), undefined)
    const origin = { secure: true, host: 'hub.example.com:8443' }
    assert.equal(endpoints.mirrorEndpoint(hub, origin), 'https://hub.example.com:8443')
  })

  test('a mirror puts its prefix before a name, and ROOT puts nothing', () => {
    assert.equal(nameAtMirror(hub, name), 'docker-hub/team/app')
    assert.equal(nameAtMirror(all, name), 'team/app')
    assert.throws(() => nameAtMirror(hub, parseRepositoryName('a'.repeat(250))))
  })

  test('the host that the client used, the public one and all at or below the domain are the deployment’s own', () => {
    const origin = { secure: false, host: 'lab:5100' }
    const withUrl = createEndpoints({ publicUrl: 'https://fixed.example.org', listeningUrl, domain: 'example.com' })
    for (const host of [
      'lab:5100',
      'LAB:5100',
      'fixed.example.org',
      'example.com',
      'example.com:1',
      'a.b.example.com',
    ]) {
      assert.ok(withUrl.isOwn(host, origin), host)
    }
    for (const host of ['docker.io', 'lab', 'notexample.com', 'fixed.example.org:1', '']) {
      assert.ok(!withUrl.isOwn(host, origin), host)
    }
  })
})
